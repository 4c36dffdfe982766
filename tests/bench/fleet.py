"""Many schedules at once, each a copy of one that the real sync wrote."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import sqlalchemy as sa

from tests.bench.places import Place
from tests.support.factories import World, a_job, a_schedule
from tick.define.jobs import JobDefinition
from tick.define.schedules import Schedule
from tick.engine.schedules.targets import build_target
from tick.policy.target import Target
from tick.runtime import Runtime
from tick.settings import Settings
from tick.store.tables import (
    job_run,
    job_run_dependency,
    job_schedule,
    occurrence,
    schedule_version,
)
from tick.ticks.tick import run_tick

DUE = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
BEFORE = DUE - timedelta(minutes=1)
NEXT = DUE + timedelta(days=1)
RULES = 60
WRITTEN = (job_run_dependency, job_run, occurrence)


@dataclass(frozen=True)
class Fleet:
    """Schedules under 60 rules, all due at DUE and next at NEXT, each of the jobs of `target`."""

    place: Place
    runtime: Runtime
    target: Target

    def tick(self, now: datetime = DUE) -> None:
        """One tick."""
        run_tick(self.runtime, now, source="bench")

    def ready(self) -> None:
        """Back to where everything is due and nothing was ever fired."""
        never = dict.fromkeys(("last_run_at", "last_run_id", "last_occurrence_id"))
        with self.place.database.write.begin() as connection:
            _empty(connection, WRITTEN)
            connection.execute(
                sa.update(job_schedule).values(
                    decided_to=BEFORE,
                    next_run_at=DUE,
                    retry_after=None,
                    run_count=0,
                    lock_token=0,
                    **never,
                )
            )
        self.place.tidy()


def launch(place: Place, schedules: int, size: int, **policy: Any) -> Fleet:
    """Put a fleet of so many schedules in the place of what the database held.

    Each fires `size` jobs with the given policy.
    """
    with place.database.write.begin() as connection:
        _empty(connection, (*WRITTEN, schedule_version, job_schedule))
    # One tick decides them all: neither the storm brake nor the clock is what is measured.
    settings = Settings(max_runs_per_tick=schedules * size, budget_seconds=600)
    world = World(place.database, now=BEFORE, settings=settings)
    patterns = [_pattern(number) for number in range(min(RULES, schedules))]
    world.define(*patterns, jobs=jobs(size, **policy))
    for pattern in patterns:
        world.enable(pattern.id)
    with place.database.write.begin() as connection:
        _copy(connection, schedules)
    place.tidy()
    runtime, target = world.runtime, build_target(world.registry, patterns[0].target())
    return Fleet(place, runtime, target)


def jobs(count: int, **policy: Any) -> list[JobDefinition]:
    """Layers of five jobs; each job depends on two of the layer above."""
    names = [f"job-{number:02}" for number in range(count)]
    needed = [_needs(names, number)[:2] for number in range(count)]
    return [
        a_job(name, depends_on=needs, **policy) for name, needs in zip(names, needed, strict=True)
    ]


def _needs(names: list[str], number: int) -> list[str]:
    layer, place = divmod(number, 5)
    above = names[5 * layer - 5 : 5 * layer] if layer else []
    return above[place:] + above[:place]


def _pattern(number: int) -> Schedule:
    # Different rules with the same next instant.
    return a_schedule(f"rule-{number:02}", cron=f"0 2 1-{2 + number % 30} 1-{3 + number // 30} *")


def _empty(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in tables)
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        return
    for table in tables:
        connection.execute(sa.delete(table))


def _copy(connection: sa.Connection, schedules: int) -> None:
    """Copies of the patterns, in turn, until there are so many schedules."""
    versions = {
        row.schedule_id: row._asdict() for row in connection.execute(sa.select(schedule_version))
    }
    patterns = [row._asdict() for row in connection.execute(sa.select(job_schedule))]
    wanted = range(len(patterns), schedules)
    copied = list(islice(cycle(patterns), len(wanted)))
    rows = [
        row | {"id": f"copy-{number:06}", "version_id": 1_000_000 + number}
        for number, row in zip(wanted, copied, strict=True)
    ]
    if rows:
        connection.execute(sa.insert(job_schedule), rows)
        connection.execute(
            sa.insert(schedule_version),
            [
                versions[row["id"]] | {"id": new["version_id"], "schedule_id": new["id"]}
                for row, new in zip(copied, rows, strict=True)
            ],
        )
