"""Whether the system lives: its ticks, its workers and what they have to do."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.engine.ledger.tick_log import TickRow, read_older_zone_data, read_tick_health, read_ticks
from tick.policy.tick_health import SourceHealth, TickHealth, TickState
from tick.policy.windows import Window
from tick.states import LIVING_WORKERS, RunStatus, WorkerType
from tick.store.sql import AnyRow, literal_state
from tick.store.tables import (
    alert,
    job_run,
    maintenance_window,
    occurrence,
    tick_log,
    worker_instance,
)

__all__ = [
    "Pulse",
    "Signs",
    "TickHealth",
    "TickState",
    "read_older_zone_data",
    "read_signs",
    "read_tick_health",
    "take_pulse",
    "take_pulse_with_ticks",
]

_w, _m = worker_instance.c, maintenance_window.c
COUNT_UP_TO = 1000


@dataclass(frozen=True)
class Signs:
    """What every page shows. Counts stop at COUNT_UP_TO + 1: more is not worth a scan."""

    standstill: Window | None
    """The window in which nothing fires now, if there is one."""
    alerts: int
    """Those that are open."""
    workers: int
    running: int
    queued: int


@dataclass(frozen=True)
class Pulse:
    """The strip on top of many pages, with the counts of the signs."""

    last_tick_at: datetime | None
    last_tick_source: str | None
    last_tick_error: str | None
    usual_seconds: float
    learned: bool
    """Whether there were ticks enough to know what is usual."""
    late_at: datetime | None
    """When the next tick is late."""
    sources: tuple[SourceHealth, ...]
    """Who ticked lately, the latest first."""
    ahead_to: datetime | None
    """The latest instant that a clock ahead has put into ticks or schedules, if there is one."""
    workers: int
    running: int
    queued: int

    def ticks_are_late(self, now: datetime) -> bool:
        """Whether the last tick is older than three of the usual intervals between ticks."""
        return self.late_at is not None and now > self.late_at


def read_signs(connection: sa.Connection, now: datetime, dead_after_seconds: float) -> Signs:
    """What every page shows; one statement."""
    alive_since = now - timedelta(seconds=dead_after_seconds)
    row = connection.execute(_SIGNS, {"now": now, "alive_since": alive_since}).one()._mapping
    found = {name: row[name] for name in Window.__dataclass_fields__}
    counts = {name: row[name] for name in ("alerts", "workers", "running", "queued")}
    return Signs(standstill=Window(**found) if found["id"] else None, **counts)


def take_pulse(connection: sa.Connection, now: datetime, signs: Signs) -> Pulse:
    """How the system does; one statement."""
    return _pulse_of(*read_ticks(connection, now), signs)


def take_pulse_with_ticks(
    connection: sa.Connection, now: datetime, signs: Signs
) -> tuple[Pulse, tuple[TickRow, ...]]:
    """The same, with the latest ticks, newest first; one statement for both."""
    columns = [tick_log.c[field.name] for field in fields(TickRow)]
    health, rows = read_ticks(connection, now, columns)
    ticks = tuple(TickRow(*row[: len(columns)]) for row in rows)
    return _pulse_of(health, rows, signs), ticks


def _pulse_of(health: TickHealth, ticks: Sequence[AnyRow], signs: Signs) -> Pulse:
    return Pulse(
        last_tick_at=health.last_at,
        last_tick_source=health.last_source,
        last_tick_error=ticks[0].error if ticks else None,
        usual_seconds=health.usual_seconds,
        learned=health.learned,
        late_at=health.late_at,
        sources=health.sources,
        ahead_to=health.ahead_to,
        workers=signs.workers,
        running=signs.running,
        queued=signs.queued,
    )


def last_decided_at(connection: sa.Connection) -> datetime | None:
    """When an instant that was due was decided last, by whomever; a sync does it, too."""
    by_time = occurrence.c.scheduled_for.is_not(None)
    newest = sa.select(occurrence.c.decided_at).where(by_time).order_by(occurrence.c.id.desc())
    return connection.execute(newest.limit(1)).scalar()


def _bounded_count(query: sa.Select[int], label: str) -> sa.Label[int]:
    rows = query.limit(COUNT_UP_TO + 1).subquery()
    return sa.select(sa.func.count()).select_from(rows).scalar_subquery().label(label)


_COUNTS = (
    _bounded_count(
        sa.select(sa.literal(1)).where(alert.c.resolved_at.is_(None)).select_from(alert),
        "alerts",
    ),
    _bounded_count(
        sa.select(sa.literal(1)).where(
            _w.worker_type == WorkerType.JOB_WORKER.value,
            literal_state(_w.status, *LIVING_WORKERS),
            _w.last_heartbeat_at >= sa.bindparam("alive_since"),
        ),
        "workers",
    ),
    *(
        _bounded_count(
            sa.select(sa.literal(1)).where(literal_state(job_run.c.status, status)),
            status.lower(),
        )
        for status in (RunStatus.RUNNING, RunStatus.QUEUED)
    ),
)
_NOW = sa.bindparam("now", type_=_m.starts_at.type)
_LASTS = sa.and_(_m.starts_at <= _NOW, sa.or_(_m.ends_at.is_(None), _m.ends_at > _NOW))
_ONE_ROW = sa.select(sa.literal(1).label("row")).subquery("one")
_SIGNS = (
    sa.select(*_COUNTS, *(_m[name] for name in Window.__dataclass_fields__))
    .select_from(_ONE_ROW.outerjoin(maintenance_window, _LASTS))
    .order_by(_m.starts_at, _m.id)
    .limit(1)
)
