"""Maintenance windows as rows; one without an end is the scheduler standing still."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger.audit import Act
from tick.policy.windows import Window
from tick.store.tables import maintenance_window

_w = maintenance_window.c


def windows_touching(connection: sa.Connection, since: datetime, until: datetime) -> list[Window]:
    """The windows that hold an instant from `since` to `until`."""
    rows = connection.execute(_TOUCHING, {"since": since, "until": until})
    return [Window(**row._mapping) for row in rows]


def open_window(
    connection: sa.Connection,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: str,
    act: Act,
) -> int:
    """Add a window; return its id."""
    times = {"starts_at": starts_at, "ends_at": ends_at, "created_at": act.now}
    row = sa.insert(maintenance_window).values(**times, reason=reason, created_by=act.author.name)
    created: int = connection.execute(row.returning(_w.id)).scalar_one()
    return created


def end_windows(
    connection: sa.Connection, act: Act, *which: sa.ColumnElement[bool]
) -> Sequence[int]:
    """End now those of the windows that last, and call off those to come; their ids."""
    # One that was called off ends where it begins: it is over, though that is still to come.
    lasts = sa.and_(_w.ends_at > act.now, _w.ends_at > _w.starts_at)
    ended = connection.execute(
        sa.update(maintenance_window)
        .where(*which, sa.or_(_w.ends_at.is_(None), lasts))
        .values(
            ends_at=sa.case((_w.starts_at < act.now, act.now), else_=_w.starts_at),
            ended_by=act.author.name,
        )
        .returning(_w.id)
    )
    return ended.scalars().all()


_COLUMNS = sa.select(_w.id, _w.starts_at, _w.ends_at, _w.reason, _w.created_by).order_by(
    _w.starts_at, _w.id
)
_TOUCHING = _COLUMNS.where(
    sa.or_(_w.ends_at.is_(None), _w.ends_at > sa.bindparam("since")),
    _w.starts_at <= sa.bindparam("until"),
)
