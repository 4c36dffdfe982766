"""The course of a schedule: what its instants to come will come to.

Beside its rule decide whether it is on, the end of a pause, what is decided already, its limit of
runs, and maintenance windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

import sqlalchemy as sa

from tick.cron.zone_data import ZoneData, current
from tick.engine.ledger.windows import windows_touching
from tick.ops.queries.descriptions import describe_timing, next_instants
from tick.policy.ahead import Ahead, count_firing, cut_at_limit, runs_left
from tick.policy.instants import just_before
from tick.policy.rule import Rule
from tick.policy.windows import Window
from tick.states import ScheduleState
from tick.store.database import AnyRow
from tick.store.tables import job_schedule, maintenance_window, schedule_version
from tick.utc import utc

_s, _v, _m = job_schedule.c, schedule_version.c, maintenance_window.c
_EVER = timedelta(days=366 * 100)


@dataclass(frozen=True)
class Course:
    """A schedule's row and the windows to come: what its instants after `now` will come to."""

    row: AnyRow
    windows: Sequence[Window]
    now: datetime
    as_if_on: bool = False

    @cached_property
    def begin(self) -> datetime | None:
        """After which instant it fires; None when it does not before somebody acts."""
        row = self.row
        decided: datetime = max(self.now, row.decided_to)
        if self.as_if_on or is_on(row):
            return decided
        if row.enabled and row.state == ScheduleState.PAUSED and row.state_until is not None:
            return max(decided, just_before(row.state_until))
        return None

    @property
    def timezone(self) -> str:
        """The zone of its rule."""
        return describe_timing(self.row.rule).timezone

    def ahead(
        self, count: int, *, after: datetime | None = None, until: datetime | None = None
    ) -> tuple[Ahead, ...]:
        """Its first `count` instants in (after, until]; of one that is off, as if it went on now.

        None are there when its rule cannot be read.
        """
        found = self.nominal(count, after=after, until=until)
        if not found:
            return ()
        left = self._left_after(max(after or self.now, self._start))
        return tuple(cut_at_limit(found, self.windows, left))

    def nominal(
        self, count: int, *, after: datetime | None = None, until: datetime | None = None
    ) -> tuple[datetime, ...]:
        """The same by its rule and the end of its pause alone, without windows and limit."""
        return next_after(self.row.rule, max(after or self.now, self._start), count, until)

    @property
    def is_plain(self) -> bool:
        """Whether all that its rule names fires."""
        return not self.windows and self.rule.max_runs is None

    @property
    def rule(self) -> Rule:
        """Its rule. Raises ValueError or TypeError for one that cannot be read."""
        return Rule.from_json(self.row.rule)

    def fires_at(self, minute: datetime) -> bool:
        """Whether one of its instants in a minute will fire."""
        if self.begin is None:
            return False
        found = self.ahead(1, after=just_before(minute), until=_end_of(minute))
        return any(item.window is None for item in found)

    @property
    def left(self) -> int | None:
        """How many of its instants to come may fire; None when that is not limited."""
        return self._left_after(self._start)

    def is_beyond_limit(self, at: datetime) -> bool:
        """Whether earlier instants use up the runs that are left before it."""
        left = self.left
        return left is not None and count_firing(self.rule, self._start, at, self.windows) > left

    @property
    def _start(self) -> datetime:
        return self.begin or max(self.now, self.row.decided_to)

    def _left_after(self, at: datetime) -> int | None:
        rule, row = self.rule, self.row
        if rule.max_runs is None:
            return None
        # What passed while it was off is suppressed when it goes on.
        decided_to = row.decided_to if is_on(row) else self.now
        left = runs_left(rule, row.run_count, decided_to, self.now, self.windows) or 0
        return max(left - count_firing(rule, self._start, at, self.windows), 0)


def read_courses(
    connection: sa.Connection, now: datetime, *, with_off: bool = False
) -> list[Course]:
    """Every schedule that will fire, by id; `with_off` also those that don't.

    One statement, and another where there are windows.
    """
    now = utc(now, "now")
    query = _ROWS if with_off else _ROWS.where(_ON)
    rows = connection.execute(query, {"now": now}).all()
    windows = _windows(connection, rows[0], now) if rows else []
    return [Course(row, windows, now) for row in rows]


def read_course(connection: sa.Connection, schedule_id: str, now: datetime) -> Course | None:
    """One schedule's course, whether or not it is on; None when there is no such schedule."""
    now = utc(now, "now")
    row = connection.execute(_ROWS.where(_s.id == schedule_id), {"now": now}).first()
    return None if row is None else Course(row, _windows(connection, row, now), now)


def _windows(connection: sa.Connection, row: AnyRow, now: datetime) -> Sequence[Window]:
    return windows_touching(connection, now, now + _EVER) if row.any_window else ()


def minute_of(instant: datetime) -> datetime:
    """The minute that an instant lies in."""
    return instant.replace(second=0, microsecond=0)


def is_on(row: AnyRow) -> bool:
    """Whether a schedule's row says that it fires."""
    return bool(row.enabled) and row.state == ScheduleState.ACTIVE


def _end_of(minute: datetime) -> datetime:
    return minute + timedelta(minutes=1) - timedelta(microseconds=1)


def names_minute(rule: str, minute: datetime) -> bool:
    """Whether a rule has an instant in a minute; no, when it cannot be read."""
    return _names_minute(rule, minute, current())


@lru_cache(maxsize=16_384)
def _names_minute(rule: str, minute: datetime, _data: ZoneData) -> bool:
    return bool(next_instants(rule, just_before(minute), 1, _end_of(minute)))


def next_after(
    rule: str, start: datetime, count: int, end: datetime | None
) -> tuple[datetime, ...]:
    """The next `count` instants in (start, end]; none when the rule cannot be read.

    They are remembered for a minute: pages ask every few seconds, and schedules share rules.
    """
    # One instant of that minute may have passed; schedules have at most one a minute.
    found = _instants(rule, minute_of(start), count + 1, end, current())
    if len(found) <= count and (not found or found[0] > start):
        return found  # the very same for all that share the rule
    return tuple(at for at in found if at > start)[:count]


@lru_cache(maxsize=4096)
def _instants(
    rule: str, after: datetime, count: int, until: datetime | None, _data: ZoneData
) -> tuple[datetime, ...]:
    # What is remembered was worked out with these zone data.
    return tuple(next_instants(rule, after, count, until))


_WINDOWS_TO_COME = sa.exists().where(
    sa.or_(_m.ends_at.is_(None), _m.ends_at > sa.bindparam("now", type_=_m.ends_at.type))
)
_ROWS = (
    sa.select(
        _s.id,
        _s.name,
        _s.enabled,
        _s.state,
        _s.state_until,
        _s.decided_to,
        _s.run_count,
        _v.rule,
        # Asked once for all rows: few installations have a window, and those without pay nothing.
        _WINDOWS_TO_COME.label("any_window"),
    )
    .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
    .order_by(_s.id)
)
_ON = sa.text("enabled AND (state = 'ACTIVE' OR state = 'PAUSED' AND state_until IS NOT NULL)")
