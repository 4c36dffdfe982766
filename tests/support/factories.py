"""A small world to test in: jobs, schedules, a clock turned by hand, and short questions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick import clock
from tick.define.calendars import Calendar
from tick.define.jobs import JobDefinition
from tick.define.registry import Registry, build_registry
from tick.define.schedules import Schedule
from tick.define.windows import Window
from tick.engine.ledger.audit import Act, Author
from tick.ops.actions import switches, windows
from tick.ops.queries.windows import Scope
from tick.runtime import Runtime
from tick.settings import Settings
from tick.states import RunStatus
from tick.store.database import Database
from tick.store.tables import job_run, job_schedule, occurrence
from tick.syncing import sync_definitions
from tick.ticks.result import TickResult
from tick.ticks.tick import run_tick

TESTER = Author("tester")


def nothing() -> None:
    """A job that does nothing."""


def a_job(name: str, group: str = "matching", **policy: Any) -> JobDefinition:
    """A job definition; its function does nothing unless one is given."""
    policy.setdefault("function", nothing)
    policy["depends_on"] = tuple(policy.get("depends_on", ()))
    return JobDefinition(name=name, group=group, source="tests:1", **policy)


def a_schedule(id: str = "daily", **parts: Any) -> Schedule:
    """A schedule of all jobs at 02:00 UTC, unless said otherwise."""
    parts.setdefault("name", id.replace("-", " ").title())
    if not {"cron", "every", "at"} & parts.keys():
        parts["cron"] = "0 2 * * *"
    return Schedule(id=id, source="tests:1", **parts)


def a_worker(now: datetime, **values: Any) -> dict[str, Any]:
    """The row of a worker that has beaten just now."""
    usual = {
        "id": "c0ffee",
        "worker_type": "job_worker",
        "status": "RUNNING",
        "hostname": "worker-1",
        "pid": 71,
        "version": "0.1.0",
        "started_at": now - timedelta(hours=9),
        "last_heartbeat_at": now,
        "abilities": {"processes": 4},
    }
    return usual | values


@dataclass
class World:
    """One database, one set of definitions, one clock."""

    database: Database
    now: datetime
    # A test's history stays, however long its days.
    settings: Settings = field(
        default_factory=lambda: Settings(keep_days=36_500, keep_tick_days=36_500)
    )
    jobs: Sequence[JobDefinition] = (a_job("match-scores"),)
    schedules: Sequence[Schedule] = (a_schedule(),)
    calendars: Sequence[Calendar] = ()
    windows: Sequence[Window] = ()
    _built: tuple[object, Registry] | None = None

    @property
    def registry(self) -> Registry:
        """The definitions as they are now."""
        parts = (tuple(self.jobs), tuple(self.schedules), tuple(map(str, self.calendars)))
        parts += (tuple(map(str, self.windows)),)
        if self._built is None or self._built[0] != parts:
            registry = build_registry(
                self.jobs,
                self.schedules,
                calendars=self.calendars,
                windows=self.windows,
                environment=self.settings.environment,
            )
            self._built = parts, registry
        return self._built[1]

    @property
    def runtime(self) -> Runtime:
        """A runtime over this database and these definitions."""
        runtime = Runtime(self.settings, self.database)
        runtime.__dict__["registry"] = self.registry
        return runtime

    def define(
        self,
        *schedules: Schedule,
        jobs: Sequence[JobDefinition] | None = None,
        windows: Sequence[Window] = (),
    ) -> None:
        """Put these definitions in the place of what there was, and sync them."""
        self.schedules = schedules
        self.windows = windows
        if jobs is not None:
            self.jobs = jobs
        sync_definitions(self.runtime, self.now, author=TESTER)

    def enable(self, schedule_id: str = "daily", **how: Any) -> None:
        """Switch a schedule on."""
        switches.enable_schedule(self.database, Act(self.now, TESTER), schedule_id, **how)

    def disable(self, schedule_id: str = "daily") -> None:
        """Switch a schedule off."""
        switches.disable_schedule(self.database, Act(self.now, TESTER), schedule_id)

    def plan_window(
        self, starts_at: datetime, ends_at: datetime, schedule_id: str | None = None
    ) -> int:
        """Plan a time in which nothing, or the schedule, fires; its id."""
        return windows.add_window(
            self.database,
            Act(self.now, TESTER, reason="new disks"),
            starts_at=starts_at,
            ends_at=ends_at,
            scope=Scope(schedule_id),
        )

    def tick(self, now: datetime | None = None) -> TickResult:
        """Tick, at another instant if one is given."""
        self.now = now or self.now
        is_to_come = self.now > clock.now()  # a test's year need not have begun
        return run_tick(self.runtime, self.now, source="test", simulated=is_to_come)

    def rows(self, statement: sa.Select[Any]) -> list[sa.Row[Any]]:
        """What a query finds."""
        with self.database.read.connect() as connection:
            return list(connection.execute(statement))

    def ledger(self, schedule_id: str = "daily") -> list[tuple[str, datetime | None, int]]:
        """The schedule's ledger as (outcome, instant, how many instants), in order."""
        o = occurrence.c
        statement = (
            sa.select(o.outcome, o.scheduled_for, o.count)
            .where(o.schedule_id == schedule_id)
            .order_by(o.scheduled_for, o.id)
        )
        return [(row.outcome, row.scheduled_for, row.count) for row in self.rows(statement)]

    def runs(self) -> list[sa.Row[Any]]:
        """All runs in the order in which they were enqueued."""
        return self.rows(sa.select(job_run).order_by(job_run.c.id))

    def schedule(self, schedule_id: str = "daily") -> sa.Row[Any]:
        """The schedule's row."""
        return self.rows(sa.select(job_schedule).where(job_schedule.c.id == schedule_id))[0]

    def finish_runs(self, status: str = "SUCCESS") -> None:
        """End every unfinished run and its occurrence, without a worker."""
        with self.database.write.begin() as connection:
            connection.execute(
                sa.update(job_run)
                .where(job_run.c.status.in_(["QUEUED", "RUNNING"]))
                .values(status=status, finished_at=self.now)
            )
            connection.execute(
                sa.update(occurrence)
                .where(occurrence.c.outcome.in_(["QUEUED", "RUNNING"]))
                .values(
                    outcome=status,
                    last_finished_at=self.now,
                    succeeded=_ended(RunStatus.SUCCESS),
                    failed=_ended(RunStatus.FAILED),
                    cancelled=_ended(RunStatus.CANCELLED),
                    skipped=_ended(RunStatus.SKIPPED),
                )
            )


def _ended(status: RunStatus) -> sa.ScalarSelect[int]:
    """How many runs of an occurrence ended so."""
    r = job_run.c
    mine = sa.select(sa.func.count()).where(r.occurrence_id == occurrence.c.id, r.status == status)
    return mine.correlate(occurrence).scalar_subquery()
