"""What would happen: the real tick over schedules that nobody runs, a year in moments.

The ledger is an SQLite database in memory. Ticks that would find nothing due are left out, outages
are windows without ticks, and runs take as long as one says.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.db import Database
from tick.define.registry import Registry
from tick.engine import sync
from tick.engine.audit import SYSTEM
from tick.engine.results import LINE, OccurrenceLine, line_of
from tick.engine.settle import settle_forgotten
from tick.engine.windows import open_window
from tick.models import job_run, job_schedule, metadata, occurrence
from tick.ops import control
from tick.ops.verify import Verified, verify
from tick.runtime import Runtime
from tick.settings import Settings, load_settings
from tick.states import Outcome, OverlapPolicy, RunStatus
from tick.ticker import decide_due

_o, _r, _s = occurrence.c, job_run.c, job_schedule.c
Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Simulation:
    """The ledger of a simulated time, oldest instant first, and the proof that it is whole."""

    start: datetime
    end: datetime
    ticks: int
    lines: Sequence[OccurrenceLine]
    verified: Verified

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "ticks": self.ticks,
            "lines": [line.as_dict() for line in self.lines],
            "verified": self.verified.as_dict(),
        }


def simulate(
    registry: Registry,
    start: datetime,
    end: datetime,
    *,
    tick_every: timedelta = timedelta(minutes=1),
    down: Sequence[Window] = (),
    windows: Sequence[Window] = (),
    runs_take: timedelta = timedelta(0),
    settings: Settings | None = None,
    on_tick: Callable[[datetime], object] | None = None,
) -> Simulation:
    """Run all schedules of the registry from `start` to `end`, all switched on.

    Ticks come every `tick_every`, but not inside the `down` times [from, until); in the maintenance
    `windows` [from, until) nothing fires; each run succeeds after `runs_take`. `on_tick` hears of
    each tick that there is.
    """
    with _database() as database:
        overlaps = {schedule.rule().overlap for schedule in registry.schedules.values()}
        world = _World(
            Runtime(settings or load_settings({}), database),
            tick_every,
            down,
            runs_take,
            some_replace=OverlapPolicy.REPLACE in overlaps,
        )
        world.begin(registry, start, windows)
        ticks = 0
        for now in world.ticks(start, end):
            ticks += 1
            if on_tick is not None:
                on_tick(now)
        return Simulation(start, end, ticks, world.lines(), verify(database, start, end))


@contextmanager
def _database() -> Iterator[Database]:
    database = Database.in_memory()
    try:
        metadata.create_all(database.write)
        yield database
    finally:
        database.close()


@dataclass(frozen=True)
class _World:
    """A database and a clock that jumps from tick to tick."""

    runtime: Runtime
    tick_every: timedelta
    down: Sequence[Window]
    runs_take: timedelta
    some_replace: bool

    def begin(self, registry: Registry, start: datetime, windows: Sequence[Window]) -> None:
        """Sync, plan the maintenance windows, and switch all schedules on."""
        with self.runtime.database.write.begin() as connection:
            sync.sync(connection, registry, now=start, author=SYSTEM, release="-")
            for starts_at, ends_at in windows:
                open_window(
                    connection,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    reason="simulated",
                    now=start,
                    author=SYSTEM,
                )
        for schedule_id in registry.schedules:
            control.enable_schedule(self.runtime.database, schedule_id, now=start, author=SYSTEM)

    def ticks(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Tick whenever something is due; when it ticked."""
        now = start
        while (following := self._jump(start, now, end)) is not None:
            now = following
            decide_due(self.runtime, now, tick_seconds=self.tick_every.total_seconds())
            yield now

    def lines(self) -> list[OccurrenceLine]:
        """The ledger."""
        with self.runtime.database.read.connect() as connection:
            rows = connection.execute(LINE.order_by(_o.scheduled_for, _o.id))
            return [line_of(row) for row in rows]

    def _jump(self, start: datetime, now: datetime, end: datetime) -> datetime | None:
        """The next tick that finds something due, with the runs ended that end before it.

        None when it lies behind `end`.
        """
        with self.runtime.database.write.begin() as connection:
            due = connection.execute(_NEXT_DUE).scalar()
            at = due and self._next_tick(start, max(due, now + self.tick_every))
            found = at if at and at <= end else None
            self._finish_runs(connection, found or end)
        return found

    def _next_tick(self, start: datetime, earliest: datetime) -> datetime:
        """The first tick that comes, at `earliest` or later."""
        while True:
            steps = -((start - earliest) // self.tick_every)
            at = start + steps * self.tick_every
            ends = [until for begin, until in self.down if begin <= at < until]
            if not ends:
                return at
            earliest = max(ends)

    def _finish_runs(self, connection: sa.Connection, now: datetime) -> None:
        ended = connection.execute(_FINISH_RUNS, {"now": now, "since": now - self.runs_take})
        if ended.rowcount:
            connection.execute(_SETTLE_GOOD, {"now": now})
        if self.some_replace:  # only then are runs cancelled
            settle_forgotten(connection, now)


_NEXT_DUE = sa.select(
    # SQLite's max of two values is their larger one.
    sa.func.min(
        sa.func.max(
            _s.next_run_at,
            sa.func.coalesce(_s.retry_after, _s.next_run_at),
            type_=_s.next_run_at.type,
        ),
        type_=_s.next_run_at.type,
    )
).where(sa.text("enabled AND state = 'ACTIVE'"), _s.next_run_at.is_not(None))
_FINISH_RUNS = (
    sa.update(job_run)
    .where(sa.text("status = 'QUEUED'"), _r.available_at <= sa.bindparam("since"))
    .values(status=RunStatus.SUCCESS, started_at=_r.available_at, finished_at=sa.bindparam("now"))
)
# What most occurrences come to, in one statement; the others are settled as ever.
_SETTLE_GOOD = (
    sa.update(occurrence)
    .where(
        sa.text("outcome IN ('QUEUED', 'RUNNING')"),
        ~sa.exists().where(_r.occurrence_id == _o.id, _r.status != RunStatus.SUCCESS),
    )
    .values(
        outcome=Outcome.SUCCESS,
        succeeded=_o.runs,
        first_started_at=_o.decided_at,
        last_finished_at=sa.bindparam("now"),
    )
)
