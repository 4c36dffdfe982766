"""Reads the latest ticks, for whoever judges whether the scheduler ticks."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.models import Instant, tick_log
from tick.policy.tick_health import Ticked, TickHealth, judge_ticks

_t = tick_log.c
TICKS_READ = 200
AHEAD = timedelta(minutes=5)
"""What a clock may be ahead of another's. Ticks from later times tell of a clock that was wrong."""
HAS_COME = _t.started_at <= sa.bindparam("until", type_=Instant)
_LATEST = (
    sa.select(_t.source, _t.started_at)
    .where(HAS_COME)
    .order_by(_t.started_at.desc())
    .limit(TICKS_READ)
)


def read_tick_health(connection: sa.Connection, now: datetime) -> TickHealth:
    """How the ticking is at `now`, by the latest 200 ticks; one statement, by an index."""
    rows = connection.execute(_LATEST, {"until": now + AHEAD})
    return judge_ticks((Ticked(*row) for row in rows), now)
