"""Simulates the real tick over schedules that nobody runs, a year in a minute or so.

The ledger is an SQLite database in memory. Ticks that would find nothing due are left out, outages
are windows without ticks, and runs take as long as one says, as if a worker were always free.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.define.registry import Registry
from tick.engine.ledger.audit import SYSTEM, Act
from tick.engine.ledger.rows import LINE, OccurrenceLine, line_of
from tick.engine.ledger.windows import columns_of, open_window
from tick.engine.runs.claim import waits_for_nothing
from tick.engine.runs.settle import settle_forgotten
from tick.engine.schedules import sync
from tick.errors import Refused
from tick.ops.actions.switches import enable_schedule
from tick.ops.reports.verify import Proof, verify
from tick.runtime import Runtime
from tick.settings import Settings, load_settings
from tick.states import LIVE_OUTCOMES, Outcome, OverlapPolicy, RunStatus
from tick.store.database import Database
from tick.store.sql import literal_state
from tick.store.tables import (
    IS_ACTIVE,
    job_run,
    job_run_dependency,
    job_schedule,
    metadata,
    occurrence,
)
from tick.ticks.tick import decide_due
from tick.utc import Utc, utc

_o, _r, _s = occurrence.c, job_run.c, job_schedule.c
Span = tuple[datetime, datetime]
UtcSpan = tuple[Utc, Utc]


@dataclass(frozen=True)
class Simulation:
    """The ledger of a simulated time, oldest instant first, and the proof that it is whole."""

    start: datetime
    end: datetime
    ticks: int
    lines: Sequence[OccurrenceLine]
    verified: Proof

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
    down: Sequence[Span] = (),
    windows: Sequence[Span] = (),
    runs_take: timedelta = timedelta(0),
    settings: Settings | None = None,
    on_tick: Callable[[datetime], object] | None = None,
) -> Simulation:
    """Run all schedules of the registry from `start` to `end`, all switched on.

    Ticks come every `tick_every`, but not inside the `down` times [from, until); in the maintenance
    `windows` [from, until) nothing fires; each run succeeds `runs_take` after it could begin.
    `on_tick` hears of each tick that there is. Raises Refused for times that make no sense.
    """
    [(first, last)], without, quiet = map(_in_utc, ([(start, end)], down, windows))
    if tick_every <= timedelta(0):
        raise Refused("tick_every must be more than 0 seconds.")
    with _database() as database:
        overlaps = {schedule.rule().overlap for schedule in registry.schedules.values()}
        world = _World(
            Runtime(settings or load_settings({}), database),
            tick_every,
            without,
            runs_take,
            some_replace=OverlapPolicy.REPLACE in overlaps,
        )
        world.begin(registry, first, quiet)
        ticks = 0
        for now in world.ticks(first, last):
            ticks += 1
            if on_tick is not None:
                on_tick(now)
        return Simulation(first, last, ticks, world.lines(), verify(database, first, last))


def _in_utc(windows: Sequence[Span]) -> list[UtcSpan]:
    found = [(utc(begin, "a time's start"), utc(until, "a time's end")) for begin, until in windows]
    for begin, until in found:
        if begin >= until:
            raise Refused(f"The time from {begin} to {until} has to begin before it ends.")
    return found


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
    down: Sequence[UtcSpan]
    runs_take: timedelta
    some_replace: bool

    def begin(self, registry: Registry, start: Utc, windows: Sequence[UtcSpan]) -> None:
        """Sync, plan the maintenance windows, and switch all schedules on."""
        act = Act(start, SYSTEM)
        with self.runtime.database.write.begin() as connection:
            sync.sync(connection, registry, now=start, author=SYSTEM, release="-")
            for starts, ends in windows:
                values = columns_of(starts, ends)
                open_window(connection, values | {"reason": "simulated"}, act)
        for schedule_id in registry.schedules:
            enable_schedule(self.runtime.database, act, schedule_id)

    def ticks(self, start: Utc, end: Utc) -> Iterator[Utc]:
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

    def _jump(self, start: Utc, now: Utc, end: Utc) -> Utc | None:
        """The next tick that finds something due, with the runs ended that end before it.

        None when it lies behind `end`.
        """
        with self.runtime.database.write.begin() as connection:
            due: Utc | None = connection.execute(_NEXT_DUE).scalar()
            at = due and self._next_tick(start, max(due, now + self.tick_every))
            found = at if at and at <= end else None
            self._finish_runs(connection, found or end)
        return found

    def _next_tick(self, start: Utc, earliest: Utc) -> Utc:
        """The first tick that comes, at `earliest` or later."""
        while True:
            steps = -((start - earliest) // self.tick_every)
            at = start + steps * self.tick_every
            ends = [until for begin, until in self.down if begin <= at < until]
            if not ends:
                return at
            earliest = max(ends)

    def _finish_runs(self, connection: sa.Connection, now: datetime) -> None:
        if self.some_replace:  # only then are runs cancelled
            settle_forgotten(connection, now)
        if not self.runs_take:
            connection.execute(_END_ALL)
            connection.execute(_SETTLE_GOOD)
        # Again, for what waited for those that ended may have begun and ended by now as well.
        while self.runs_take and self._end_ready(connection, now):
            connection.execute(_SETTLE_GOOD)

    def _end_ready(self, connection: sa.Connection, now: datetime) -> bool:
        """End the runs that wait for no other, and began long enough ago; whether any did."""
        ended = [
            {"run": id, "began": began, "ended": began + self.runs_take}
            for id, began in connection.execute(_READY)
            if began + self.runs_take <= now
        ]
        if ended:
            connection.execute(_END, ended)
        return bool(ended)


_not_before = sa.func.coalesce(_s.retry_after, _s.next_run_at)
# SQLite's max of two values is their larger one.
_due_at = sa.func.max(_s.next_run_at, _not_before, type_=_s.next_run_at.type)
_NEXT_DUE = sa.select(sa.func.min(_due_at, type_=_s.next_run_at.type)).where(
    IS_ACTIVE, _s.next_run_at.is_not(None)
)
_END_ALL = (
    sa.update(job_run)
    .where(literal_state(_r.status, RunStatus.QUEUED))
    .values(status=RunStatus.SUCCESS, started_at=_r.available_at, finished_at=_r.available_at)
)
_END = (
    sa.update(job_run)
    .where(_r.id == sa.bindparam("run"))
    .values(status=RunStatus.SUCCESS)
    .values(started_at=sa.bindparam("began"), finished_at=sa.bindparam("ended"))
)


def _build_ready() -> sa.Select[Any]:
    """The runs that wait for no other, and when they began: when the last of those ended."""
    edge, upstream = job_run_dependency.c, job_run.alias("earlier").c
    own, blocker = occurrence.alias("its").c, occurrence.alias("before").c
    ends = (
        sa.select(sa.func.max(upstream.finished_at)).where(
            edge.run_id == _r.id, upstream.id == edge.depends_on_id
        ),
        sa.select(blocker.last_finished_at).where(
            own.id == _r.occurrence_id, blocker.id == own.blocked_by_id
        ),
    )
    latest = (end.correlate(job_run).scalar_subquery() for end in ends)
    known = (sa.func.coalesce(end, _r.available_at) for end in latest)
    began = sa.func.max(_r.available_at, *known, type_=_r.available_at.type)
    is_queued = literal_state(_r.status, RunStatus.QUEUED)
    return sa.select(_r.id, began).where(is_queued, *waits_for_nothing())


_READY = _build_ready()
# What most occurrences come to, in one statement; the others are settled as ever.
_SETTLE_GOOD = (
    sa.update(occurrence)
    .where(
        literal_state(_o.outcome, *LIVE_OUTCOMES),
        ~sa.exists().where(_r.occurrence_id == _o.id, _r.status != RunStatus.SUCCESS),
    )
    .values(
        outcome=Outcome.SUCCESS,
        succeeded=_o.runs,
        first_started_at=_o.decided_at,
        last_finished_at=sa.select(sa.func.max(_r.finished_at))
        .where(_r.occurrence_id == _o.id)
        .scalar_subquery(),
    )
)
