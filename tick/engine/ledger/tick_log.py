"""The log of ticks, a row each; and the health of the ticking, judged by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.cron.zone_age import OLDER
from tick.policy.tick_health import (
    AHEAD_AFTER,
    CLOCKS_DIFFER,
    LEARNED_FROM,
    Ticked,
    TickHealth,
    judge_ticks,
    usual_distance,
)
from tick.store.sql import AnyRow
from tick.store.tables import IS_ACTIVE, Instant, job_schedule, schedule_version, tick_log

_s, _t, _v = job_schedule.c, tick_log.c, schedule_version.c


@dataclass(frozen=True)
class TickRow:
    """A row of tick_log; lengths are seconds."""

    id: str
    source: str
    now: datetime
    started_at: datetime
    took_seconds: float
    due: int
    fired: int
    not_fired: int
    runs: int
    rescued: int
    late_seconds: float | None
    more: bool
    error: str | None


def record_tick(connection: sa.Connection, row: TickRow) -> None:
    """Write the row of a finished tick."""
    connection.execute(_RECORD, vars(row))


def learned_tick_seconds(connection: sa.Connection) -> float:
    """The usual distance between ticks, whoever sends them."""
    return usual_distance(connection.execute(_LATEST).scalars())


def read_older_zone_data(connection: sa.Connection, now: datetime) -> str | None:
    """Return the words of the latest tick that left schedules alone for its older zone data."""
    # Only of the last minutes: another process may have taken its place since.
    values = {"since": now - _SPEAKS_FOR, "now_": now}
    found: str | None = connection.execute(_OLDER, values).scalar()
    return found


_SPEAKS_FOR = timedelta(minutes=15)
_OLDER = (
    sa.select(_t.error)
    .where(_t.started_at > sa.bindparam("since", type_=_t.started_at.type))
    .where(_t.started_at <= sa.bindparam("now_", type_=_t.started_at.type))
    .where(_t.error.startswith(OLDER))
    .order_by(_t.started_at.desc())
    .limit(1)
)
_RECORD = sa.insert(tick_log)
_LATEST = sa.select(_t.started_at).order_by(_t.started_at.desc()).limit(LEARNED_FROM)


TICKS_READ = 200
_ONE_ROW = sa.select(sa.literal(1).label("row")).subquery("one")
HAS_COME = _t.started_at <= sa.bindparam("until", type_=Instant)
"""Ticks from later times tell of a clock that was wrong, and not of what ticks."""
# Newer zone data may put a cursor an hour ahead, on purpose: a version begins there then.
MOVED_BY_ZONE_DATA = sa.exists().where(_v.id == _s.version_id, _v.since == _s.decided_to)
_LATEST_CURSOR = sa.select(sa.func.max(_s.decided_to)).where(
    IS_ACTIVE, _s.decided_to > sa.bindparam("soon", type_=Instant), sa.not_(MOVED_BY_ZONE_DATA)
)
_LATEST_TICK = sa.select(sa.func.max(_t.started_at))
_JUDGED = (_t.source, _t.started_at, _t.error)


def read_tick_health(connection: sa.Connection, now: datetime) -> TickHealth:
    """The health of the ticking at `now`, by the latest 200 ticks; one statement, by an index."""
    return read_ticks(connection, now)[0]


def read_ticks(
    connection: sa.Connection, now: datetime, columns: Sequence[sa.Column[Any]] = _JUDGED
) -> tuple[TickHealth, list[AnyRow]]:
    """The same, and the ticks themselves with those `columns`, the newest first."""
    values = {"until": now + CLOCKS_DIFFER, "soon": now + AHEAD_AFTER}
    rows = connection.execute(_latest(tuple(columns)), values).all()
    latest = max(filter(None, (rows[0].latest_cursor, rows[0].latest_tick)), default=None)
    ticks = [row for row in rows if row.source is not None]
    return judge_ticks([Ticked(row.source, row.started_at) for row in ticks], now, latest), ticks


@cache
def _latest(columns: tuple[sa.Column[Any], ...]) -> sa.Select[Any]:
    """The latest ticks, beside the latest cursor: one row even if there was no tick yet."""
    ticks = sa.select(*columns).where(HAS_COME).order_by(_t.started_at.desc()).limit(TICKS_READ)
    found = ticks.subquery("latest")
    furthest: list[Any] = [
        _LATEST_CURSOR.scalar_subquery().label("latest_cursor"),
        _LATEST_TICK.scalar_subquery().label("latest_tick"),
    ]
    beside = sa.select(*found.c, *furthest).select_from(_ONE_ROW.outerjoin(found, sa.true()))
    return beside.order_by(found.c.started_at.desc())
