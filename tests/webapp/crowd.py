"""A system with years behind it: schedules, their ledger and their runs, by bulk insert."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule, a_worker
from tests.webapp.scenes import SETTINGS, add_people
from tick.store.database import Database
from tick.store.tables import audit_entry, job_run, occurrence, tick_log, worker_instance

SCHEDULES = 50
RUNS_OF_EACH = 4
AT_ONCE = 20_000
_FAILED_EVERY, _CANCELLED_EVERY = 97, 1009
JOBS = tuple(
    a_job(f"job-{number}", group=f"group-{number % 6}") for number in range(RUNS_OF_EACH * 6)
)


@dataclass(frozen=True)
class _Firing:
    """One firing in the made-up past; the newest is number 0."""

    number: int
    id: int
    at: datetime

    @property
    def schedule_id(self) -> str:
        return f"schedule-{self.number % SCHEDULES:02d}"


def fill(database: Database, now: datetime, runs: int) -> World:
    """SCHEDULES schedules with long names, all of them on, and `runs` runs up to `now`."""
    world = World(database, now=now - timedelta(days=1), settings=SETTINGS)
    world.define(*(_schedule(number) for number in range(SCHEDULES)), jobs=JOBS)
    for schedule in world.schedules:
        world.enable(schedule.id)
    add_people(database, world.now)
    world.now = now
    count = runs // RUNS_OF_EACH
    firings = [
        _Firing(number, count - number, now - timedelta(minutes=number + 1))
        for number in range(count)
    ]
    firings.reverse()
    _insert(database, occurrence, (_occurrence(firing) for firing in firings))
    _insert(database, worker_instance, iter([a_worker(now)]))
    _insert(database, job_run, (row for firing in firings for row in _runs(firing)))
    _insert(database, audit_entry, (_entry(firing) for firing in firings[-10_000:]))
    _insert(database, tick_log, (_tick(firing) for firing in firings[-1440:]))
    _catch_up_with_ids(database)
    return world


def _schedule(number: int) -> Any:
    names = [JOBS[(number + step) % len(JOBS)].name for step in range(RUNS_OF_EACH)]
    return a_schedule(
        f"schedule-{number:02d}",
        name=f"Partner feed number {number} and its aggregates",
        description="Fetches what the partner changed, then counts it anew for every board.",
        cron=f"{number} */2 * * *",
        timezone=("UTC", "Europe/Paris", "America/New_York")[number % 3],
        mode="CUSTOM",
        jobs=names,
    )


def _insert(database: Database, table: sa.Table, rows: Iterator[dict[str, Any]]) -> None:
    while part := list(islice(rows, AT_ONCE)):
        with database.write.begin() as connection:
            connection.execute(sa.insert(table), part)


def _occurrence(firing: _Firing) -> dict[str, Any]:
    failed = firing.number % _FAILED_EVERY == 0
    return {
        "id": firing.id,
        "schedule_id": firing.schedule_id,
        "kind": "CRON",
        "scheduled_for": firing.at,
        "outcome": "FAILED" if failed else "SUCCESS",
        "late_seconds": 1.5,
        "tick_id": f"tick-{firing.number}",
        "decided_at": firing.at,
        "first_started_at": firing.at + timedelta(seconds=2),
        "last_finished_at": firing.at + timedelta(seconds=30 + firing.number % 40),
        "runs": RUNS_OF_EACH,
        "succeeded": RUNS_OF_EACH - failed,
        "failed": int(failed),
        "counted": True,
    }


def _runs(firing: _Firing) -> Iterator[dict[str, Any]]:
    for place in range(RUNS_OF_EACH):
        job = JOBS[(firing.number % SCHEDULES + place) % len(JOBS)]
        bad = place == 0 and firing.number % _FAILED_EVERY == 0
        cancelled = place == 1 and firing.number % _CANCELLED_EVERY == 0
        yield {
            "id": (firing.id - 1) * RUNS_OF_EACH + place + 1,
            "occurrence_id": firing.id,
            "schedule_id": firing.schedule_id,
            "scheduled_for": firing.at,
            "job_name": job.name,
            "job_group": job.group,
            "status": "FAILED" if bad else "CANCELLED" if cancelled else "SUCCESS",
            "trigger": "CRON",
            "params": {},
            "run_metadata": {"scheduleId": firing.schedule_id},
            "attempt": 1,
            "available_at": firing.at,
            "worker_id": "c0ffee",
            "queued_at": firing.at,
            "started_at": firing.at + timedelta(seconds=2 + place),
            "finished_at": firing.at + timedelta(seconds=20 + place),
            "counted": True,
            "error_type": "TimeoutError" if bad else None,
            "error_message": "the partner did not answer in 30 s" if bad else None,
        }


def _entry(firing: _Firing) -> dict[str, Any]:
    return {
        "at": firing.at,
        "actor": f"person-{firing.number % 7}",
        "action": "schedule.run",
        "subject": firing.schedule_id,
        "after": {"occurrence": firing.id, "jobs": RUNS_OF_EACH},
    }


def _tick(firing: _Firing) -> dict[str, Any]:
    return {
        "id": f"tick-{firing.number}",
        "source": "loop",
        "now": firing.at,
        "started_at": firing.at,
        "took_seconds": 0.01,
        "late_seconds": 1.5,
    }


def _catch_up_with_ids(database: Database) -> None:
    """Let PostgreSQL number on after the ids that were given, and know what autovacuum would."""
    if database.url.get_backend_name() != "postgresql":
        return
    with database.write.begin() as connection:
        for table in ("job_run", "occurrence"):
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
        connection.exec_driver_sql("ANALYZE")
