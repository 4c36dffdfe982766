"""The recent past of schedules as narrow rows, for sparklines, calendars and trends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.states import ENDED_OUTCOMES
from tick.store.sql import AnyRow
from tick.store.tables import occurrence

LATEST = 5000
RECENT_ROWS = 30
_o = occurrence.c


@dataclass(frozen=True)
class RecentOccurrence:
    """The part of an occurrence that one bar of a sparkline shows."""

    id: int
    outcome: str
    at: datetime
    took_seconds: float | None


@dataclass(frozen=True)
class PastRow(RecentOccurrence):
    """An occurrence, or a range of instants from `at` to `until` that did not fire."""

    until: datetime
    count: int

    @property
    def has_length(self) -> bool:
        """Whether it ran to an end, so that its length says something."""
        return self.took_seconds is not None and self.outcome in ENDED_OUTCOMES


_AT = sa.func.coalesce(_o.scheduled_for, _o.decided_at, type_=_o.decided_at.type)
_ROWS = sa.select(
    _o.schedule_id,
    _o.id,
    _o.outcome,
    _AT.label("at"),
    sa.func.coalesce(_o.scheduled_until, _AT, type_=_o.decided_at.type).label("until"),
    _o.count.label("instants"),
    _o.first_started_at,
    _o.last_finished_at,
)


def list_past(connection: sa.Connection, schedule_id: str) -> tuple[PastRow, ...]:
    """Return the LATEST rows of a schedule's ledger, oldest first."""
    query = _ROWS.where(_o.schedule_id == schedule_id).order_by(_o.id.desc()).limit(LATEST)
    rows = [
        PastRow(row.id, row.outcome, row.at, _took(row), row.until, row.instants)
        for row in connection.execute(query)
    ]
    return tuple(reversed(rows))


def list_recent(
    connection: sa.Connection, schedule_ids: Iterable[str]
) -> dict[str, tuple[RecentOccurrence, ...]]:
    """Return the RECENT_ROWS latest occurrences of each schedule, oldest first; one statement."""
    newest = _ROWS.order_by(_o.id.desc()).limit(RECENT_ROWS)
    # Each schedule's part is one walk back in an index, whatever statistics say of its rows.
    parts = [newest.where(_o.schedule_id == each).subquery() for each in schedule_ids]
    if not parts:
        return {}
    found: dict[str, tuple[RecentOccurrence, ...]] = {}
    rows = connection.execute(sa.union_all(*(sa.select(part) for part in parts))).all()
    for row in sorted(rows, key=lambda row: row.id):
        bar = RecentOccurrence(row.id, row.outcome, row.at, _took(row))
        found[row.schedule_id] = (*found.get(row.schedule_id, ()), bar)
    return found


def _took(row: AnyRow) -> float | None:
    if not (row.first_started_at and row.last_finished_at):
        return None
    return max(0.0, float((row.last_finished_at - row.first_started_at).total_seconds()))
