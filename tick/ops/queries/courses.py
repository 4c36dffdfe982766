"""The course of a schedule: what its instants to come will come to.

Beside its rule decide whether it is on, the end of a pause, what is decided already, its limit of
runs, and maintenance windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

import sqlalchemy as sa

from tick.cron.zone_data import Zone, ZoneData, current
from tick.engine.ledger.windows import end_of_window, windows_touching
from tick.engine.ledger.zones import kept_zones
from tick.ops.queries.descriptions import describe_timing, next_instants
from tick.policy.ahead import NextInstant, cut_at_limit, runs_left
from tick.policy.business_days import BusinessDays
from tick.policy.closed_times import count_firing
from tick.policy.instants import just_before
from tick.policy.rule import Rule
from tick.policy.windows import AnyWindow, of_schedule
from tick.states import ScheduleState
from tick.store.sql import AnyRow
from tick.store.tables import job_schedule, maintenance_window, schedule_version, zone_data
from tick.utc import utc

_s, _v, _m, _z = job_schedule.c, schedule_version.c, maintenance_window.c, zone_data.c
_EVER = timedelta(days=366 * 100)


@dataclass(frozen=True)
class Course:
    """A schedule's row, the windows to come, and its zone data if this process has others."""

    row: AnyRow
    windows: Sequence[AnyWindow]
    now: datetime
    as_if_on: bool = False
    zone: Zone | None = None

    @cached_property
    def begin(self) -> datetime | None:
        """Return the instant after which it fires; None if it does not before somebody acts."""
        row = self.row
        decided: datetime = max(self.now, row.decided_to)
        if self.as_if_on or is_on(row):
            return decided
        if row.enabled and row.state == ScheduleState.PAUSED and row.state_until is not None:
            return max(decided, just_before(row.state_until))
        return None

    @property
    def timezone(self) -> str:
        """Return the zone of its rule."""
        return describe_timing(self.row.rule).timezone

    def ahead(
        self, count: int, *, after: datetime | None = None, until: datetime | None = None
    ) -> tuple[NextInstant, ...]:
        """Return its first `count` instants in (after, until]; if it is off, as if it went on now.

        Returns none if its rule cannot be read.
        """
        found = self.nominal(count, after=after, until=until)
        if not found:
            return ()
        left = self._left_after(max(after or self.now, self._start))
        return tuple(cut_at_limit(self.rule, found, self.windows, left))

    def nominal(
        self, count: int, *, after: datetime | None = None, until: datetime | None = None
    ) -> tuple[datetime, ...]:
        """Return its instants by rule and end of pause alone, without windows and limit."""
        start = max(after or self.now, self._start)
        return next_after(self.row.rule, start, count, until, self.zone)

    @property
    def is_plain(self) -> bool:
        """Whether all that its rule names fires."""
        rule = self.rule
        return not self.windows and rule.max_runs is None and rule.calendar is None

    @cached_property
    def rule(self) -> Rule:
        """Return its rule. Raises ValueError or TypeError if it cannot be read."""
        rule = Rule.from_json(self.row.rule)
        return rule if self.zone is None else replace(rule, zone=self.zone)

    @property
    def calendar(self) -> BusinessDays | None:
        """Return the days of its calendar; None if it has none, or its rule cannot be read."""
        try:
            return self.rule.calendar
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def fires_at(self, minute: datetime) -> bool:
        """Whether one of its instants in a minute will fire."""
        if self.begin is None:
            return False
        found = self.ahead(1, after=just_before(minute), until=_end_of(minute))
        return any(item.window is None for item in found)

    @property
    def left(self) -> int | None:
        """Return how many of its instants to come may fire; None if there is no limit."""
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
    """Read every schedule that will fire, by id; `with_off` also those that don't.

    One statement, and one each for windows and for zone data that this process does not have.
    """
    query = _ROWS if with_off else _ROWS.where(_ON)
    return _courses(connection, query, utc(now, "now"))


def read_course(connection: sa.Connection, schedule_id: str, now: datetime) -> Course | None:
    """Read a schedule's course, whether or not it is on; None if there is no such schedule."""
    found = _courses(connection, _ROWS.where(_s.id == schedule_id), utc(now, "now"))
    return found[0] if found else None


def _courses(connection: sa.Connection, query: sa.Select[Any], now: datetime) -> list[Course]:
    rows = connection.execute(query, {"now": now}).all()
    any_window = bool(rows) and rows[0].any_window
    windows = windows_touching(connection, now, now + _EVER) if any_window else ()
    zones = kept_zones(connection, {row.zone_data_id for row in rows if _is_by_others(row)})
    return [
        Course(row, of_schedule(windows, row.id, row.labels), now, zone=zones.get(row.zone_data_id))
        for row in rows
    ]


def _is_by_others(row: AnyRow) -> bool:
    """Whether other zone data than this process's decide."""
    ours = row.zone_name and current().find(row.zone_name)
    return bool(row.zone_name) and (ours is None or ours.digest != row.zone_digest)


def minute_of(instant: datetime) -> datetime:
    """Return the minute that an instant lies in."""
    return instant.replace(second=0, microsecond=0)


def is_on(row: AnyRow) -> bool:
    """Whether a schedule's row says that it fires."""
    return bool(row.enabled) and row.state == ScheduleState.ACTIVE


def _end_of(minute: datetime) -> datetime:
    return minute + timedelta(minutes=1) - timedelta(microseconds=1)


def names_minute(rule: str, minute: datetime, zone: Zone | None) -> bool:
    """Whether a rule has an instant in a minute; no, when it cannot be read."""
    return _names_minute(rule, minute, current(), zone)


@lru_cache(maxsize=16_384)
def _names_minute(rule: str, minute: datetime, _data: ZoneData, zone: Zone | None) -> bool:
    return bool(next_instants(rule, just_before(minute), 1, _end_of(minute), zone))


def next_after(
    rule: str, start: datetime, count: int, end: datetime | None, zone: Zone | None
) -> tuple[datetime, ...]:
    """Return the next `count` instants in (start, end]; none if the rule cannot be read."""
    # Asked by the minute, so that they are remembered: pages ask every few seconds, and schedules
    # share rules. One instant of that minute may have passed; schedules have at most one a minute.
    found = _instants(rule, minute_of(start), count + 1, end, current(), zone)
    if len(found) <= count and (not found or found[0] > start):
        return found  # the very same for all that share the rule
    return tuple(at for at in found if at > start)[:count]


@lru_cache(maxsize=4096)
def _instants(
    rule: str,
    after: datetime,
    count: int,
    until: datetime | None,
    _data: ZoneData,
    zone: Zone | None,
) -> tuple[datetime, ...]:
    # `_data` is a part of the key: newer zone data may give other instants.
    return tuple(next_instants(rule, after, count, until, zone))


_WINDOWS_TO_COME = sa.exists().where(
    sa.or_(end_of_window.is_(None), end_of_window > sa.bindparam("now", type_=_m.ends_at.type))
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
        _s.labels,
        _v.rule,
        _v.zone_data_id,
        _z.zone.label("zone_name"),
        _z.digest.label("zone_digest"),
        # Asked once for all rows: few installations have a window, and those without pay nothing.
        _WINDOWS_TO_COME.label("any_window"),
    )
    .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
    .outerjoin(zone_data, _z.id == _v.zone_data_id)
    .order_by(_s.id)
)
_ON = sa.text("enabled AND (state = 'ACTIVE' OR state = 'PAUSED' AND state_until IS NOT NULL)")
