"""The recent past of one schedule, as narrow rows: for a sparkline, a calendar and a trend."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.states import ENDED_OUTCOMES
from tick.store.sql import AnyRow
from tick.store.tables import occurrence

LATEST = 5000
_o = occurrence.c


@dataclass(frozen=True)
class PastRow:
    """An occurrence, or a range of instants from `at` to `until` that did not fire."""

    id: int
    outcome: str
    at: datetime
    until: datetime
    count: int
    took_seconds: float | None

    @property
    def has_length(self) -> bool:
        """Whether it ran to an end, so that its length says something."""
        return self.took_seconds is not None and self.outcome in ENDED_OUTCOMES


_AT = sa.func.coalesce(_o.scheduled_for, _o.decided_at, type_=_o.decided_at.type)
_ROWS = sa.select(
    _o.id,
    _o.outcome,
    _AT.label("at"),
    sa.func.coalesce(_o.scheduled_until, _AT, type_=_o.decided_at.type).label("until"),
    _o.count.label("instants"),
    _o.first_started_at,
    _o.last_finished_at,
)


def list_past(connection: sa.Connection, schedule_id: str) -> tuple[PastRow, ...]:
    """The LATEST rows of its ledger, oldest first."""
    query = _ROWS.where(_o.schedule_id == schedule_id).order_by(_o.id.desc()).limit(LATEST)
    rows = [
        PastRow(row.id, row.outcome, row.at, row.until, row.instants, _took(row))
        for row in connection.execute(query)
    ]
    return tuple(reversed(rows))


def _took(row: AnyRow) -> float | None:
    if not (row.first_started_at and row.last_finished_at):
        return None
    return max(0.0, float((row.last_finished_at - row.first_started_at).total_seconds()))
