"""Maintenance windows as rows; one without an end is the scheduler standing still."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.cron.weekly_times import parse_weekly
from tick.engine.ledger.audit import Act
from tick.policy.windows import AnyWindow, RecurringWindow, Window, expand
from tick.states import AfterWindow
from tick.store.sql import AnyRow
from tick.store.tables import maintenance_window

_w = maintenance_window.c
# A window that recurs until somebody ends it has an end all the same: none means a stop.
FOREVER = datetime(2199, 12, 31, tzinfo=UTC)
end_of_window = sa.func.coalesce(_w.until_at, _w.over_at, _w.ends_at, type_=_w.ends_at.type)
"""The end of a window; null: the scheduler stands."""
COLUMNS = (
    *(_w.id, _w.starts_at, _w.ends_at, _w.over_at, _w.until_at, _w.reason, _w.created_by),
    *(_w.schedule_id, _w.label, _w.cron, _w.timezone, _w.length_seconds, _w.end_cron),
    *(_w.run_after, _w.name),
)
"""The columns that `window_of` reads."""


@dataclass(frozen=True)
class Recurrence:
    """A cron expression that says when a window begins, and how long it lasts each time.

    With `end_cron` it ends by the clock, and `length` is how long it lasts as a rule.
    """

    cron: str
    timezone: str
    length: timedelta
    end_cron: str | None = None


def weekly(text: str, timezone: str) -> Recurrence:
    """The recurrence of a text such as `Sun 02:00-04:00`. Raises InvalidCron."""
    times = parse_weekly(text)
    return Recurrence(times.cron, timezone, times.length, times.end_cron)


@dataclass(frozen=True)
class Scope:
    """The schedule that a window is for, or the label of those; neither: all."""

    schedule_id: str | None = None
    label: str | None = None


FOR_ALL = Scope()


def window_of(row: AnyRow) -> AnyWindow:
    """The window of a row with COLUMNS."""
    known = (row.id, row.starts_at, end_of(row), row.reason, row.created_by)
    scope = {"schedule_id": row.schedule_id, "label": row.label, "name": row.name}
    if row.cron is None:
        return Window(*known, run_after=row.run_after, **scope)
    return RecurringWindow(
        *(row.id, row.starts_at, row.until_at or row.over_at, row.reason, row.created_by),
        row.cron,
        row.timezone,
        timedelta(seconds=row.length_seconds),
        run_after=row.run_after,
        end_cron=row.end_cron,
        **scope,
    )


def end_of(row: AnyRow) -> datetime | None:
    """The end of the window of a row; None: the scheduler stands."""
    end: datetime | None = row.until_at or row.over_at or row.ends_at
    return end


def windows_touching(
    connection: sa.Connection, since: datetime, until: datetime
) -> list[AnyWindow]:
    """The windows that may hold an instant from `since` to `until`."""
    rows = connection.execute(_TOUCHING, {"since": since, "until": until})
    return list(map(window_of, rows))


def columns_of(
    starts_at: datetime,
    ends_at: datetime | None,
    scope: Scope = FOR_ALL,
    recurs: Recurrence | None = None,
    run_after: bool = False,
) -> dict[str, Any]:
    """The columns that say when a window keeps which schedules from firing."""
    values: dict[str, Any] = {
        "starts_at": starts_at,
        "ends_at": ends_at,
        "over_at": None,
        "until_at": None,
        "schedule_id": scope.schedule_id,
        "label": scope.label,
        "run_after": run_after,
        "cron": recurs and recurs.cron,
        "timezone": recurs and recurs.timezone,
        "length_seconds": recurs and recurs.length.total_seconds(),
        "end_cron": recurs and recurs.end_cron,
    }
    # The releases before would let nothing at all fire in it: to them, it is over.
    if scope.label is not None:
        values |= {"ends_at": starts_at, "over_at": starts_at, "until_at": ends_at or FOREVER}
    elif scope.schedule_id is not None or recurs is not None or run_after:
        values |= {"ends_at": starts_at, "over_at": ends_at or FOREVER}
    return values


def recorded(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit tells of a window with these columns."""
    ends_at = values["until_at"] or values["over_at"] or values["ends_at"]
    plain = ("name", "schedule_id", "label", "cron", "end_cron", "timezone", "length_seconds")
    told = {
        "starts_at": values["starts_at"].isoformat(),
        "ends_at": None if ends_at == FOREVER else ends_at.isoformat(),
        **{name: values.get(name) for name in plain},
        "then": AfterWindow.RUN if values["run_after"] else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def open_window(connection: sa.Connection, values: Mapping[str, Any], act: Act) -> int:
    """Add a window with these columns; return its id."""
    made = {"created_at": act.now, "created_by": act.author.name}
    row = sa.insert(maintenance_window).values(**values, **made).returning(_w.id)
    created: int = connection.execute(row).scalar_one()
    return created


def keep_what_was_held(
    connection: sa.Connection,
    act: Act,
    schedule_id: str,
    labels: Collection[str],
    since: datetime,
) -> None:
    """Keep for a schedule that loses labels the times up to now in which they held its instants.

    As windows of its own: what they held since then was held, and goes now.
    """
    held = [
        window
        for window in windows_touching(connection, since, act.now)
        if window.run_after and window.label in labels
    ]
    for time in expand(held, since, act.now):
        end = min(time.ends_at or act.now, act.now)
        if end <= max(since, time.starts_at):
            continue
        values = columns_of(time.starts_at, end, Scope(schedule_id), run_after=True)
        made = {"created_at": act.now, "created_by": time.created_by, "ended_by": act.author.name}
        why = f"{time.reason} (it lost the label {time.label})"
        connection.execute(sa.insert(maintenance_window).values(**values, **made, reason=why))


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
            over_at=sa.case((_w.until_at.is_not(None), _w.over_at), (_w.over_at.is_not(None), end)),
            until_at=sa.case((_w.until_at.is_not(None), end)),
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
