"""One row a tick: who ticked, when, and what came of it; and what the ticks teach about time."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.models import tick_log
from tick.policy.tick_health import LEARNED_FROM, usual_distance

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


_RECORD = sa.insert(tick_log)
_LATEST = sa.select(_t.started_at).order_by(_t.started_at.desc()).limit(LEARNED_FROM)
