"""Maintenance windows as rows; one without an end is the scheduler standing still."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.engine.ledger.audit import Act
from tick.policy.windows import AnyWindow, RecurringWindow, Window
from tick.store.sql import AnyRow
from tick.store.tables import maintenance_window

_w = maintenance_window.c
# A window that recurs until somebody ends it has an end all the same: none means a stop.
FOREVER = datetime(2199, 12, 31, tzinfo=UTC)
end_of_window = sa.func.coalesce(_w.over_at, _w.ends_at, type_=_w.ends_at.type)
"""The end of a window; null: the scheduler stands."""
COLUMNS = (
    *(_w.id, _w.starts_at, _w.ends_at, _w.over_at, _w.reason, _w.created_by),
    *(_w.schedule_id, _w.cron, _w.timezone, _w.length_seconds, _w.run_after),
)
"""The columns that `window_of` reads."""


@dataclass(frozen=True)
class Recurrence:
    """A cron expression that says when a window begins, and how long it lasts each time."""

    cron: str
    timezone: str
    length: timedelta


def window_of(row: AnyRow) -> AnyWindow:
    """The window of a row with COLUMNS."""
    ends_at = row.over_at or row.ends_at
    known = (row.id, row.starts_at, ends_at, row.reason, row.created_by)
    if row.cron is None:
        return Window(*known, row.schedule_id, run_after=row.run_after)
    length = timedelta(seconds=row.length_seconds)
    return RecurringWindow(*known, row.cron, row.timezone, length, row.schedule_id, row.run_after)


def windows_touching(
    connection: sa.Connection, since: datetime, until: datetime
) -> list[AnyWindow]:
    """The windows that may hold an instant from `since` to `until`."""
    rows = connection.execute(_TOUCHING, {"since": since, "until": until})
    return list(map(window_of, rows))


def columns_of(
    starts_at: datetime,
    ends_at: datetime | None,
    schedule_id: str | None,
    recurs: Recurrence | None,
    run_after: bool = False,
) -> dict[str, Any]:
    """The columns that say when a window keeps which schedules from firing."""
    values: dict[str, Any] = {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "over_at": None,
        "schedule_id": schedule_id,
        "run_after": run_after,
        "cron": recurs and recurs.cron,
        "timezone": recurs and recurs.timezone,
        "length_seconds": recurs and recurs.length.total_seconds(),
    }
    if schedule_id is not None or recurs is not None or run_after:
        # The release before would let nothing at all fire in it: to that one, it is over.
        values |= {"ends_at": starts_at, "over_at": ends_at or FOREVER}
    return values


def open_window(connection: sa.Connection, values: Mapping[str, Any], act: Act) -> int:
    """Add a window with these columns; return its id."""
    made = {"created_at": act.now, "created_by": act.author.name}
    row = sa.insert(maintenance_window).values(**values, **made).returning(_w.id)
    created: int = connection.execute(row).scalar_one()
    return created


def end_windows(
    connection: sa.Connection, act: Act, *which: sa.ColumnElement[bool]
) -> Sequence[int]:
    """End now those of the windows that last, and call off those to come; their ids."""
    # One that was called off ends where it begins: it is over, though that is still to come.
    lasts = sa.and_(end_of_window > act.now, end_of_window > _w.starts_at)
    end = sa.case((_w.starts_at < act.now, act.now), else_=_w.starts_at)
    ended = connection.execute(
        sa.update(maintenance_window)
        .where(*which, sa.or_(end_of_window.is_(None), lasts))
        .values(
            ends_at=sa.case((_w.over_at.is_(None), end), else_=_w.ends_at),
            over_at=sa.case((_w.over_at.is_not(None), end)),
            ended_by=act.author.name,
        )
        .returning(_w.id)
    )
    return ended.scalars().all()


_SINCE = sa.bindparam("since", type_=_w.ends_at.type)
_TOUCHING = (
    sa.select(*COLUMNS)
    .where(
        sa.or_(end_of_window.is_(None), end_of_window > _SINCE),
        _w.starts_at <= sa.bindparam("until"),
    )
    .order_by(_w.starts_at, _w.id)
)
