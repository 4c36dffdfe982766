"""The database adds up hours, lengths and buckets to the bit as Python does, row by row."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tick.engine.statistics.count import (
    Sums,
    count_occurrences,
    count_runs,
    uncounted_occurrences,
    uncounted_runs,
)
from tick.engine.statistics.hours import ALL_TIME
from tick.policy.histogram import LATE_BOUNDS, TOOK_BOUNDS, WAITED_BOUNDS, bucket_of, exact
from tick.states import ENDED_OUTCOMES, LIVE_OUTCOMES, OccurrenceKind, Outcome
from tick.store.tables import job_run, job_run_dependency, occurrence, occurrence_hour, run_hour

START = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NAMES = {"SUCCESS": "succeeded", "FAILED": "failed", "CANCELLED": "cancelled", "SKIPPED": "skipped"}
ROWS = 400
Hours = dict[tuple[datetime, str], Sums]


def lengths(chance: random.Random, bounds: Sequence[float]) -> timedelta:
    """A length on a bound, a microsecond beside it, negative, or anything up to two days."""
    near = timedelta(seconds=chance.choice(bounds)) + chance.choice((-1, 0, 1)) * MICROSECOND
    return chance.choice((near, near, -near, timedelta(seconds=chance.uniform(0, 172_800))))


def an_instant(chance: random.Random) -> datetime:
    """A little before an hour, on it or after it, to the microsecond."""
    hours = timedelta(hours=chance.randrange(30))
    beside = chance.choice((0, 1, 999_999, 1_000_000, 1_000_001, chance.randrange(5_000_000)))
    return START + hours + beside * MICROSECOND


@pytest.fixture
def chance(world: World) -> random.Random:
    """Rows of every kind that ended, in a database that has never been counted."""
    world.define(a_schedule(), a_schedule("hourly"), jobs=[a_job("a"), a_job("b")])
    made = random.Random(20)
    with world.database.write.begin() as connection:
        fired = [made_up_occurrence(made, number) for number in range(ROWS)]
        connection.execute(sa.insert(occurrence), fired)
        runs = [made_up_run(made, number) for number in range(1, ROWS + 1)]
        connection.execute(sa.insert(job_run), runs)
        edges = {tuple(sorted(made.sample(range(1, ROWS + 1), 2))) for _ in range(ROWS)}
        connection.execute(
            sa.insert(job_run_dependency),
            [{"run_id": run, "depends_on_id": upstream} for run, upstream in sorted(edges)],
        )
    return made


def made_up_occurrence(chance: random.Random, number: int) -> dict[str, Any]:
    outcome = chance.choice([each for each in Outcome if each not in LIVE_OUTCOMES])
    at = an_instant(chance)
    return {
        "schedule_id": chance.choice(("daily", "hourly", None)),
        "kind": chance.choice(list(OccurrenceKind)),
        "scheduled_for": chance.choice((at + number * timedelta(days=2), None)),
        "count": 1 if outcome in ENDED_OUTCOMES else chance.choice((1, 3)),
        "outcome": outcome,
        "late_seconds": chance.choice((None, -0.5, *LATE_BOUNDS, chance.uniform(0, 20_000))),
        "tick_id": "-",
        "triggered_by": chance.choice((None, None, "tester")),
        "decided_at": at,
        "first_started_at": chance.choice((at, at, None)),
        "last_finished_at": at + lengths(chance, TOOK_BOUNDS),
    }


def made_up_run(chance: random.Random, number: int) -> dict[str, Any]:
    started = an_instant(chance)
    return {
        "id": number,
        "occurrence_id": 1,
        "job_name": chance.choice("ab"),
        "job_group": "matching",
        "status": chance.choice(list(NAMES)),
        "trigger": "MANUAL",
        "params": {},
        "run_metadata": {},
        "queued_at": START,
        "available_at": started - lengths(chance, WAITED_BOUNDS),
        "started_at": chance.choice((started, started, started, None)),
        "finished_at": started + lengths(chance, TOOK_BOUNDS),
    }


def add_length(sums: Sums, kind: str, bounds: Sequence[float], seconds: float) -> float:
    seconds = max(0.0, seconds)
    sums[f"{kind}_{bucket_of(seconds, bounds)}"] += 1
    sums[f"{kind}_seconds"] += exact(seconds)
    return exact(seconds)


def hours_of_runs(world: World) -> Hours:
    hours: Hours = defaultdict(lambda: Sums(int))
    runs = {run.id: run for run in world.rows(sa.select(job_run))}
    ready = {id: run.available_at for id, run in runs.items()}
    for edge in world.rows(sa.select(job_run_dependency)):
        ready[edge.run_id] = max(ready[edge.run_id], runs[edge.depends_on_id].finished_at)
    for id, run in runs.items():
        sums = hours[hour_of(run.finished_at), run.job_name]
        sums[NAMES[run.status]] += 1
        if run.started_at is not None and run.status in ("SUCCESS", "FAILED"):
            waited, took = run.started_at - ready[id], run.finished_at - run.started_at
            add_length(sums, "waited", WAITED_BOUNDS, waited.total_seconds())
            seconds = add_length(sums, "took", TOOK_BOUNDS, took.total_seconds())
            sums["lost_seconds"] += seconds if run.status == "FAILED" else 0
    return hours


def hours_of_occurrences(world: World) -> Hours:
    hours: Hours = defaultdict(lambda: Sums(int))
    for row in world.rows(sa.select(occurrence)):
        whose = "" if row.kind == OccurrenceKind.MANUAL else row.schedule_id or ""
        sums = hours[hour_of(row.scheduled_for or row.decided_at), whose]
        sums[row.outcome.lower()] += row.count
        if row.outcome in ENDED_OUTCOMES:
            if row.late_seconds is not None and row.triggered_by is None:
                add_length(sums, "late", LATE_BOUNDS, row.late_seconds)
            if row.first_started_at is not None:
                took = row.last_finished_at - row.first_started_at
                add_length(sums, "took", TOOK_BOUNDS, took.total_seconds())
    return hours


def hour_of(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def without_zeros(hours: Hours) -> dict[Any, dict[str, float]]:
    return {
        key: {name: value for name, value in sums.items() if value} for key, sums in hours.items()
    }


def stored(world: World, table: sa.Table) -> Hours:
    names = [column.name for column in table.c][2:]
    return {
        (hour, name): Sums(int, zip(names, values, strict=True))
        for hour, name, *values in world.rows(sa.select(table))
    }


@pytest.mark.parametrize(
    ("table", "hours_in_python", "waiting", "count"),
    [
        (run_hour, hours_of_runs, uncounted_runs, count_runs),
        (occurrence_hour, hours_of_occurrences, uncounted_occurrences, count_occurrences),
    ],
)
def test_hours_are_what_python_makes_of_the_rows(
    world: World,
    chance: random.Random,
    table: sa.Table,
    hours_in_python: Callable[[World], Hours],
    waiting: Callable[[sa.Connection, int], Hours],
    count: Callable[[sa.Connection, Sequence[int]], None],
) -> None:
    expected = hours_in_python(world)
    with world.database.read.connect() as connection:
        assert without_zeros(waiting(connection, ROWS)) == without_zeros(expected)
    ids = list(range(1, ROWS + 1))
    chance.shuffle(ids)
    for start in range(0, ROWS, 70):
        with world.database.write.begin() as connection:
            count(connection, ids[start : start + 70])
            count(connection, ids[: start + 70])  # what is counted is not counted again
    for (_, name), sums in list(expected.items()):
        ever = expected[ALL_TIME, name]
        for column, value in sums.items():
            ever[column] += value
    assert without_zeros(stored(world, table)) == without_zeros(expected)
    with world.database.read.connect() as connection:
        assert not waiting(connection, ROWS)
