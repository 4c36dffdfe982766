"""Holds the ledger against the maintenance windows that were in force when it was written."""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import sqlalchemy as sa

from tick.engine.ledger.windows import COLUMNS, window_of
from tick.ops.reports.run_proof import Violation, in_utc
from tick.policy.windows import AnyWindow, Window, expand, of_schedule
from tick.states import FIRED_OUTCOMES, HeldBy, ReasonKind
from tick.store.sql import AnyRow
from tick.store.tables import maintenance_window, occurrence, schedule_version

_o, _v, _w = occurrence.c, schedule_version.c, maintenance_window.c
_END_OF_TIME = datetime.max


class _Planned(NamedTuple):
    """A window, and since when it was planned."""

    window: AnyWindow
    since: datetime


@dataclass(frozen=True)
class _Times:
    """The times of the windows for some schedules, by their start."""

    times: Sequence[Window]
    since: dict[int, datetime]

    @cached_property
    def _starts(self) -> list[datetime]:
        return [time.starts_at for time in self.times]

    @cached_property
    def _latest_ends(self) -> list[datetime]:
        """The latest end of each of them and those before it."""
        ends = (_end(time) for time in self.times)
        return list(accumulate(ends, max))

    def at(self, instant: datetime, decided_at: datetime) -> Iterator[Window]:
        """Yield those that cover an instant, and were planned before something was decided."""
        number = bisect_right(self._starts, instant)
        while number and self._latest_ends[number - 1] > instant.replace(tzinfo=None):
            number -= 1
            time = self.times[number]
            if time.covers(instant) and self.since[time.id] < decided_at:
                yield time

    def end_at(self, instant: datetime) -> bool:
        """Whether one of them ends then."""
        return any(time.ends_at == instant for time in self.times)


def _end(time: Window) -> datetime:
    return _END_OF_TIME if time.ends_at is None else time.ends_at.replace(tzinfo=None)


def find_in_windows(
    connection: sa.Connection, start: datetime, end: datetime
) -> Iterator[Violation]:
    """Yield what in (start, end] no window explains, or what fired against one.

    What is BLACKOUT for a window lies in one that existed then; what one held was held until one
    ended; and nothing fired by itself while one was in force.
    """
    # Installations without windows pay this statement alone.
    planned = [
        _Planned(window_of(row), row.created_at)
        for row in connection.execute(_WINDOWS, {"until": end})
    ]
    known: dict[tuple[str, tuple[str, ...]], _Times] = {}
    for row in connection.execute(_ROWS, {"start": start, "end": end}) if planned else ():
        labels = _labels(row.definition)
        key = (row.schedule_id, labels)
        if key not in known:
            known[key] = _times_of(planned, *key, start, end)
        if (message := _contradiction(row, known[key])) is not None:
            yield Violation(schedule_id=row.schedule_id, at=row.scheduled_for, message=message)


def _times_of(
    planned: Sequence[_Planned],
    schedule_id: str,
    labels: Sequence[str],
    start: datetime,
    end: datetime,
) -> _Times:
    since = {each.window.id: each.since for each in planned}
    its = of_schedule([each.window for each in planned], schedule_id, labels)
    # What was held before the period may be decided in it, and what is in it after it.
    return _Times(expand(its, start - _AROUND, end + _AROUND), since)


def _contradiction(row: AnyRow, times: _Times) -> str | None:
    last = row.scheduled_until or row.scheduled_for
    if row.reason_kind == ReasonKind.WINDOW:
        return None if _is_explained(row, last, times) else _UNEXPLAINED.format(row.id)
    if row.held_by == HeldBy.WINDOW and not times.end_at(row.held_until):
        return _NO_END.format(row.id, in_utc(row.held_until))
    if row.outcome not in FIRED_OUTCOMES or row.triggered_by is not None:
        return None
    for time in times.at(row.decided_at, row.decided_at):
        return _FIRED.format(row.id, in_utc(row.decided_at), time.in_words())
    if row.late_seconds is None:  # a person asked for it, and saw the window
        return None
    for time in times.at(row.scheduled_for, row.decided_at):
        if not time.run_after:
            return _FIRED.format(row.id, in_utc(row.scheduled_for), time.in_words())
    return None


def _is_explained(row: AnyRow, last: datetime, times: _Times) -> bool:
    """Whether one window covers all its instants, or began before a tick came for them."""
    later = row.decided_at + timedelta(microseconds=1)
    covers_all = any(
        time.covers(last) and not time.run_after for time in times.at(row.scheduled_for, later)
    )
    return covers_all or any(
        time.starts_at > last and not time.run_after for time in times.at(row.decided_at, later)
    )


def _labels(definition: Any) -> tuple[str, ...]:
    read = json.loads(definition) if isinstance(definition, str) else definition
    return tuple((read or {}).get("labels", ()))


_AROUND = timedelta(days=366)
_UNEXPLAINED = "row {} is BLACKOUT for a window, and none was in force at that time"
_NO_END = "row {} was held until {}, when no window of it ended"
_FIRED = "row {} fired although at {} a window was in force: {}"
_WINDOWS = sa.select(*COLUMNS, _w.created_at).where(_w.starts_at <= sa.bindparam("until"))
_ROWS = (
    sa.select(
        *(_o.id, _o.schedule_id, _o.outcome, _o.scheduled_for, _o.scheduled_until),
        *(_o.decided_at, _o.late_seconds, _o.triggered_by, _o.reason_kind),
        *(_o.held_by, _o.held_until, _v.definition),
    )
    .join_from(occurrence, schedule_version, _v.id == _o.version_id)
    .where(
        _o.schedule_id.is_not(None),
        _o.scheduled_for > sa.bindparam("start"),
        _o.scheduled_for <= sa.bindparam("end"),
    )
    .order_by(_o.schedule_id, _o.scheduled_for)
)
