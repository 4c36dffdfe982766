"""What would happen: the real tick over schedules that nobody runs, a year in moments.

The ledger is a temporary SQLite file. Ticks that would find nothing due are left out, outages are
windows without ticks, and runs take as long as one says.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from tick.db import Database
from tick.define.registry import Registry
from tick.engine import sync
from tick.engine.audit import SYSTEM
from tick.engine.results import OccurrenceLine
from tick.engine.settle import settle_forgotten
from tick.engine.ticklog import TickRow, record_tick
from tick.models import job_run, job_schedule, metadata, occurrence
from tick.ops import control
from tick.ops.verify import Verified, verify
from tick.runtime import Runtime
from tick.settings import Settings, load_settings
from tick.states import Outcome, RunStatus
from tick.ticker import run_tick

_o, _r, _s = occurrence.c, job_run.c, job_schedule.c
_LEARNED_FROM = 20
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
    runs_take: timedelta = timedelta(0),
    settings: Settings | None = None,
) -> Simulation:
    """Run all schedules of the registry from `start` to `end`, all switched on.

    Ticks come every `tick_every`, but not inside the `down` windows [from, until); each run
    succeeds after `runs_take`.
    """
    with _database() as database:
        world = _World(
            Runtime(settings or load_settings({}), database), tick_every, down, runs_take
        )
        world.begin(registry, start, end)
        ticks = world.run(start, end)
        return Simulation(start, end, ticks, world.lines(), verify(database, start, end))


@contextmanager
def _database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="tick-simulation-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'ledger.db'}")

        def keep_nothing_safe(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")

        event.listen(database.write, "connect", keep_nothing_safe)
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

    def begin(self, registry: Registry, start: datetime, end: datetime) -> None:
        """Sync and switch on; what the ticks teach about their distance is written beforehand."""
        with self.runtime.database.write.begin() as connection:
            sync.sync(connection, registry, now=start, author=SYSTEM, release="-", lock_seconds=300)
            for number in range(_LEARNED_FROM):
                record_tick(connection, _tick_row(number, end + number * self.tick_every))
        for schedule_id in registry.schedules:
            control.enable_schedule(self.runtime.database, schedule_id, now=start, author=SYSTEM)

    def run(self, start: datetime, end: datetime) -> int:
        """Tick whenever something is due; how often."""
        ticks = 0
        now = start
        while (due := self._next_due()) is not None:
            now = self._next_tick(start, max(due, now + self.tick_every))
            if now > end:
                break
            self._finish_runs(now)
            run_tick(self.runtime, now, source="simulation")
            ticks += 1
        self._finish_runs(end)
        return ticks

    def lines(self) -> list[OccurrenceLine]:
        """The ledger."""
        columns = [_o[name] for name in OccurrenceLine.__dataclass_fields__]
        with self.runtime.database.read.connect() as connection:
            rows = connection.execute(sa.select(*columns).order_by(_o.scheduled_for, _o.id))
            return [
                OccurrenceLine(**dict(row._mapping) | {"outcome": Outcome(row.outcome)})
                for row in rows
            ]

    def _next_due(self) -> datetime | None:
        with self.runtime.database.read.connect() as connection:
            return connection.execute(_NEXT_DUE).scalar()

    def _next_tick(self, start: datetime, earliest: datetime) -> datetime:
        """The first tick that comes, at `earliest` or later."""
        while True:
            steps = -((start - earliest) // self.tick_every)
            at = start + steps * self.tick_every
            ends = [until for begin, until in self.down if begin <= at < until]
            if not ends:
                return at
            earliest = max(ends)

    def _finish_runs(self, now: datetime) -> None:
        with self.runtime.database.write.begin() as connection:
            ended = connection.execute(
                sa.update(job_run)
                .where(_r.status == RunStatus.QUEUED, _r.available_at <= now - self.runs_take)
                .values(status=RunStatus.SUCCESS, started_at=_r.available_at, finished_at=now)
            ).rowcount
            if ended:
                settle_forgotten(connection, now)


def _tick_row(number: int, at: datetime) -> TickRow:
    return TickRow(
        id=f"learned-{number}",
        source="simulation",
        now=at,
        started_at=at,
        took_seconds=0.0,
        due=0,
        fired=0,
        not_fired=0,
        runs=0,
        rescued=0,
        late_seconds=None,
        more=False,
        error=None,
    )


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
