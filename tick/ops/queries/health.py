"""The health of the system: its ticks, its workers, and how much waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa

from tick.engine.ledger.environment import ENVIRONMENT
from tick.engine.ledger.environment import environment_mistake as environment_mistake
from tick.engine.ledger.environment import expect_environment as expect_environment
from tick.engine.ledger.tick_log import TickRow, read_ticks
from tick.engine.ledger.tick_log import read_older_zone_data as read_older_zone_data
from tick.engine.ledger.tick_log import read_tick_health as read_tick_health
from tick.engine.ledger.windows import COLUMNS, end_of_window, window_of
from tick.policy.tick_health import LATE_AFTER_INTERVALS, SourceHealth, TickHealth
from tick.policy.tick_health import TickState as TickState
from tick.policy.windows import Window, covering
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

_w, _m = worker_instance.c, maintenance_window.c
COUNT_UP_TO = 1000
DAY = timedelta(days=1)
MOST_OF_A_DAY = 10_000  # ticks: one in nine seconds


@dataclass(frozen=True)
class PageStatus:
    """The part of the system's state that every page shows; counts stop at COUNT_UP_TO + 1."""

    active_window: Window | None
    """The window in which nothing fires now, if there is one."""
    alerts: int
    """Open alerts."""
    workers: int
    running: int
    queued: int
    environment: str | None = None
    """The one that the database belongs to; None before its first sync."""


@dataclass(frozen=True)
class SystemHealth:
    """The state of ticks, workers and queues, as the status bar on top of many pages shows it."""

    last_tick_at: datetime | None
    last_tick_source: str | None
    last_tick_error: str | None
    usual_seconds: float
    learned: bool
    """Whether there were ticks enough to know what is usual."""
    late_at: datetime | None
    """When the next tick is late."""
    sources: tuple[SourceHealth, ...]
    """The sources of the latest ticks, the latest first."""
    ahead_to: datetime | None
    """The latest instant that a clock ahead has put into ticks or schedules, if there is one."""
    workers: int
    running: int
    queued: int

    def ticks_are_late(self, now: datetime) -> bool:
        """Whether the last tick is older than three of the usual intervals between ticks."""
        return self.late_at is not None and now > self.late_at


def read_page_status(
    connection: sa.Connection, now: datetime, dead_after_seconds: float
) -> PageStatus:
    """Read the status that every page shows; one statement, since every page pays for it."""
    alive_since = now - timedelta(seconds=dead_after_seconds)
    rows = connection.execute(_STATUS, {"now": now, "alive_since": alive_since}).all()
    names = ("alerts", "workers", "running", "queued", "environment")
    counts = {name: rows[0]._mapping[name] for name in names}
    windows = (window_of(row) for row in rows if row.id is not None)
    return PageStatus(active_window=covering(windows, now), **counts)


def read_health(connection: sa.Connection, now: datetime, status: PageStatus) -> SystemHealth:
    """Read the health of the system; one statement."""
    return _health_of(*read_ticks(connection, now), status)


def read_health_and_ticks(
    connection: sa.Connection, now: datetime, status: PageStatus
) -> tuple[SystemHealth, tuple[TickRow, ...]]:
    """Read the health and the latest ticks, newest first; one statement for both."""
    columns = [tick_log.c[field.name] for field in fields(TickRow)]
    health, rows = read_ticks(connection, now, columns)
    ticks = tuple(TickRow(*row[: len(columns)]) for row in rows)
    return _health_of(health, rows, status), ticks


def _health_of(health: TickHealth, ticks: Sequence[AnyRow], status: PageStatus) -> SystemHealth:
    return SystemHealth(
        last_tick_at=health.last_at,
        last_tick_source=health.last_source,
        last_tick_error=ticks[0].error if ticks else None,
        usual_seconds=health.usual_seconds,
        learned=health.learned,
        late_at=health.late_at,
        sources=health.sources,
        ahead_to=health.ahead_to,
        workers=status.workers,
        running=status.running,
        queued=status.queued,
    )


def last_decided_at(connection: sa.Connection) -> datetime | None:
    """Return when a due instant was decided last, by a tick or a sync."""
    by_time = occurrence.c.scheduled_for.is_not(None)
    newest = sa.select(occurrence.c.decided_at).where(by_time).order_by(occurrence.c.id.desc())
    return connection.execute(newest.limit(1)).scalar()


@dataclass(frozen=True)
class DayOfTicks:
    """The regularity of the last 24 hours of ticks; lengths are seconds."""

    ticks: int
    gaps: int
    longest_gap_seconds: float
    late_p95_seconds: float | None


def day_of_ticks(connection: sa.Connection, now: datetime, usual_seconds: float) -> DayOfTicks:
    """Measure how regular the last 24 hours were, by the newest MOST_OF_A_DAY of their ticks."""
    found = connection.execute(
        sa.select(tick_log.c.started_at, tick_log.c.late_seconds)
        .where(tick_log.c.started_at > now - DAY)
        .order_by(tick_log.c.started_at.desc())
        .limit(MOST_OF_A_DAY)
    ).all()
    late = sorted(row.late_seconds for row in found if row.late_seconds is not None)
    gaps = [
        (newer.started_at - older.started_at).total_seconds() for newer, older in pairwise(found)
    ]
    return DayOfTicks(
        ticks=len(found),
        gaps=sum(gap > LATE_AFTER_INTERVALS * usual_seconds for gap in gaps),
        longest_gap_seconds=max(gaps, default=0.0),
        late_p95_seconds=late[int(0.95 * (len(late) - 1))] if late else None,
    )


def _bounded_count(query: sa.Select[int], label: str) -> sa.Label[int]:
    # A limit below the count: a backlog of a million runs must not make every page slow.
    rows = query.limit(COUNT_UP_TO + 1).subquery()
    return sa.select(sa.func.count()).select_from(rows).scalar_subquery().label(label)


_ANY = sa.select(sa.literal(1))
_COUNTS = (
    _bounded_count(_ANY.where(alert.c.resolved_at.is_(None)), "alerts"),
    _bounded_count(
        _ANY.where(
            _w.worker_type == WorkerType.JOB_WORKER.value,
            literal_state(_w.status, *LIVING_WORKERS),
            _w.last_heartbeat_at >= sa.bindparam("alive_since"),
        ),
        "workers",
    ),
    *(
        _bounded_count(_ANY.where(literal_state(job_run.c.status, status)), status.lower())
        for status in (RunStatus.RUNNING, RunStatus.QUEUED)
    ),
)
_NOW = sa.bindparam("now", type_=_m.starts_at.type)
_MAY_LAST = sa.and_(
    _m.schedule_id.is_(None),
    _m.label.is_(None),
    _m.starts_at <= _NOW,
    sa.or_(end_of_window.is_(None), end_of_window > _NOW),
)
# The counts need a row also while no window is open.
_ONE_ROW = sa.select(sa.literal(1).label("row")).subquery("one")
_STATUS = (
    sa.select(*_COUNTS, ENVIRONMENT.label("environment"), *COLUMNS)
    .select_from(_ONE_ROW.outerjoin(maintenance_window, _MAY_LAST))
    .order_by(_m.starts_at, _m.id)
)
