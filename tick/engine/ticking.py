"""Reads the latest ticks, for whoever judges whether the scheduler ticks."""

from datetime import datetime

import sqlalchemy as sa

from tick.models import tick_log
from tick.policy.tick_health import Ticked, TickHealth, judge_ticks

_t = tick_log.c
TICKS_READ = 200
_LATEST = sa.select(_t.source, _t.started_at).order_by(_t.started_at.desc()).limit(TICKS_READ)


def read_tick_health(connection: sa.Connection, now: datetime) -> TickHealth:
    """How the ticking is at `now`, by the latest 200 ticks; one statement, by an index."""
    return judge_ticks((Ticked(*row) for row in connection.execute(_LATEST)), now)
