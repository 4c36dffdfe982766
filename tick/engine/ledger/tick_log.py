"""One row a tick: who ticked, when, and what came of it; and what the ticks teach about time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.cron.zone_age import OLDER
from tick.policy.tick_health import LEARNED_FROM, usual_distance
from tick.store.tables import tick_log

_t = tick_log.c


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
    """What the latest tick said that left schedules alone for its older zone data.

    Only of the last minutes: another process may have taken its place since.
    """
    since = now - _SPEAKS_FOR
    values = {"since": since, "now_": now}
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
