"""A range of ids to search in: bounded, whatever is looked for and however long ago.

Ids rise with the instant at which their rows were written (but for clocks and transactions that
overlap), so the first id of an instant is found by halving, without an index on instants.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

SEARCHED = 100_000
_SLACK = timedelta(minutes=10)  # for clocks that differ, and for transactions that overlap


@dataclass(frozen=True)
class IdRange:
    """Ids from `start` up to, but without, `end`; `goes_on` if older ones may match, too."""

    start: int
    end: int
    goes_on: bool

    def contains(self, ids: sa.Column[int]) -> sa.ColumnElement[bool]:
        """Whether an id lies in it, as SQL."""
        return sa.and_(ids >= self.start, ids < self.end)


def find_id_range(
    connection: sa.Connection,
    ids: sa.Column[int],
    written_at: sa.Column[datetime],
    *,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
) -> IdRange:
    """Return the newest SEARCHED ids below `before` that were written between the instants."""
    lowest, highest, first, after_last = connection.execute(
        sa.select(
            _edge(ids, sa.func.min),
            _edge(ids, sa.func.max),
            sa.null() if since is None else _first_id_at(ids, written_at, since - _SLACK),
            sa.null() if until is None else _first_id_at(ids, written_at, until + _SLACK),
        )
    ).one()
    bottom = max(lowest or 1, first or 1)
    end = min(number for number in (before, after_last, (highest or 0) + 1) if number is not None)
    start = max(bottom, end - SEARCHED)
    return IdRange(start, end, goes_on=start > bottom)


def _edge(ids: sa.Column[int], extreme: Callable[..., Any]) -> sa.ScalarSelect[Any]:
    # Each in a query of its own: SQLite reads the whole table for both in one.
    return sa.select(extreme(ids)).scalar_subquery()


def _first_id_at(
    ids: sa.Column[int], written_at: sa.Column[datetime], instant: datetime
) -> sa.ScalarSelect[Any]:
    """Select the lowest id written at the instant or later; one above the highest if none was."""
    halving = sa.select(
        _edge(ids, sa.func.min).label("low"), (_edge(ids, sa.func.max) + 1).label("high")
    ).cte(recursive=True)
    low, high = halving.c.low, halving.c.high
    middle = (low + high) // 2
    probed = sa.select(written_at).where(ids >= middle).order_by(ids).limit(1)
    is_above = probed.correlate(halving).scalar_subquery() < instant
    halving = halving.union_all(
        sa.select(
            sa.case((is_above, middle + 1), else_=low), sa.case((is_above, high), else_=middle)
        ).where(low < high)
    )
    return (
        sa.select(halving.c.low).where(halving.c.low >= halving.c.high).limit(1).scalar_subquery()
    )
