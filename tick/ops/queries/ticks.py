"""The ticks as people read them: the latest, and how regular a day of them was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa

from tick.store.tables import tick_log

_t = tick_log.c
DAY = timedelta(days=1)
MOST_OF_A_DAY = 10_000
_GAP_INTERVALS = 3


@dataclass(frozen=True)
class DayOfTicks:
    """The last 24 hours: gaps are longer than three of the usual intervals. Lengths: seconds."""

    ticks: int
    gaps: int
    longest_gap_seconds: float
    late_p95_seconds: float | None


def day_of_ticks(connection: sa.Connection, now: datetime, usual_seconds: float) -> DayOfTicks:
    """How regular the last 24 hours were, by the newest MOST_OF_A_DAY of their ticks."""
    found = connection.execute(
        sa.select(_t.started_at, _t.late_seconds)
        .where(_t.started_at > now - DAY)
        .order_by(_t.started_at.desc())
        .limit(MOST_OF_A_DAY)
    ).all()
    late = sorted(row.late_seconds for row in found if row.late_seconds is not None)
    gaps = _gaps([row.started_at for row in found])
    return DayOfTicks(
        ticks=len(found),
        gaps=sum(gap > _GAP_INTERVALS * usual_seconds for gap in gaps),
        longest_gap_seconds=max(gaps, default=0.0),
        late_p95_seconds=late[int(0.95 * (len(late) - 1))] if late else None,
    )


def _gaps(newest_first: Sequence[datetime]) -> list[float]:
    return [(newer - older).total_seconds() for newer, older in pairwise(newest_first)]
