"""The windows that live in code beside those in the database: what a sync opens and ends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from tick.define.windows import Window
from tick.engine.ledger.audit import Act
from tick.engine.ledger.windows import (
    FOR_ALL,
    FOREVER,
    Recurrence,
    Scope,
    columns_of,
    end_of,
    end_of_window,
    end_windows,
    open_window,
    recorded,
)
from tick.states import AfterWindow
from tick.store.sql import AnyRow
from tick.store.tables import maintenance_window
from tick.utc import in_utc

_w = maintenance_window.c


@dataclass(frozen=True)
class WindowChange:
    """The changes of one window in code: the rows that end, and the columns of those that open."""

    name: str
    ends: Sequence[AnyRow] = field(default_factory=list)
    opens: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def what(self) -> Literal["added", "changed", "removed"]:
        """What becomes of it, in a word."""
        return "changed" if self.ends and self.opens else "added" if self.opens else "removed"


def find_window_changes(
    connection: sa.Connection, windows: Sequence[Window], now: datetime
) -> list[WindowChange]:
    """The windows in code for which something changes, by name."""
    known: dict[str, list[AnyRow]] = {}
    for row in connection.execute(_IN_FORCE, {"now": now}):
        known.setdefault(row.name, []).append(row)
    wanted = {window.name: list(_rows(window, now)) for window in windows}
    changes = (
        _compare(name, known.get(name, ()), wanted.get(name, ()), now)
        for name in sorted({*known, *wanted})
    )
    return [change for change in changes if change.ends or change.opens]


def sync_windows(connection: sa.Connection, act: Act, windows: Sequence[Window]) -> list[str]:
    """Bring the windows in code to what the definitions say; the names of those that changed.

    One that changes ends now, and opens anew from now on.
    """
    changes = find_window_changes(connection, windows, act.now)
    for change in changes:
        for row in change.ends:
            end = end_of(row)
            end_windows(connection, act, _w.id == row.id)
            before = {"name": row.name, "ends_at": None if end in (None, FOREVER) else str(end)}
            why = f"the definitions say otherwise of {row.name!r}"
            act.record(connection, "window.end", str(row.id), before=before, reason=why)
        for values in change.opens:
            created = open_window(connection, values, act)
            told, why = recorded(values), values["reason"]
            act.record(connection, "window.add", str(created), after=told, reason=why)
    return [change.name for change in changes]


def _rows(window: Window, now: datetime) -> Iterator[dict[str, Any]]:
    """The columns of its rows: one for each schedule and each label, or one for all."""
    times = window.times()
    recurs = None
    if times is not None:
        recurs = Recurrence(times.cron, window.timezone, times.length, times.end_cron)
    begin, end = window.starts_at and in_utc(window.starts_at), window.ends_at
    end = FOREVER if end is None else in_utc(end)
    if end <= now:
        return
    scopes = [*map(Scope, window.schedules), *(Scope(label=label) for label in window.labels)]
    then = AfterWindow(window.then) is AfterWindow.RUN
    for scope in scopes or [FOR_ALL]:
        values = columns_of(max(begin or now, now), end, scope, recurs, then)
        yield values | {"name": window.name, "reason": window.reason}


def _compare(
    name: str, known: Sequence[AnyRow], wanted: Sequence[Mapping[str, Any]], now: datetime
) -> WindowChange:
    opens = [values for values in wanted if not any(_is_same(row, values, now) for row in known)]
    ends = [row for row in known if not any(_is_same(row, values, now) for values in wanted)]
    return WindowChange(name, ends, opens)


def _is_same(row: AnyRow, values: Mapping[str, Any], now: datetime) -> bool:
    """Whether a row, which may have begun, is as these columns say."""
    if any(getattr(row, column) != values[column] for column in _DECIDE):
        return False
    end = values["until_at"] or values["over_at"] or values["ends_at"]
    # It began with an earlier sync, and what was before a sync is decided.
    began = row.starts_at == values["starts_at"] or row.starts_at <= values["starts_at"] == now
    return bool(began and end_of(row) == end)


_DECIDE = (
    *("schedule_id", "label", "cron", "end_cron", "timezone", "length_seconds"),
    *("run_after", "reason"),
)
_IN_FORCE = (
    sa.select(maintenance_window)
    .where(
        _w.name.is_not(None),
        end_of_window > sa.bindparam("now", type_=_w.ends_at.type),
        end_of_window > _w.starts_at,
    )
    .order_by(_w.id)
)
