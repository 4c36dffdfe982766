"""What an expression names on days without a clock change: times on the wall, and days. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from itertools import product
from typing import Any

from tick.cron.dialects.apscheduler import ApsSpec
from tick.cron.dialects.fugit import FugitSpec
from tick.cron.dialects.spec import DayTest, Spec, last_day, ordered
from tick.cron.dialects.systemd import CalendarSpec
from tick.cron.fields import Expression

# The weekdays of all dates come round in 28 years, leap days too.
_FIRST, _LAST = date(2027, 1, 1), date(2054, 12, 31)
_DAYS = tuple(map(date.fromordinal, range(_FIRST.toordinal(), _LAST.toordinal() + 1)))


@dataclass(frozen=True, slots=True)
class Plain:
    """Sorted seconds, minutes and hours, whose product are the times; and the test of a day."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    matches_day: DayTest

    @property
    def times(self) -> tuple[time, ...]:
        """Return the times of a day, in order."""
        return tuple(time(*each) for each in product(self.hours, self.minutes, self.seconds))


def plain(spec: Any) -> Plain:
    """Return what an engine's own reading of an expression names."""
    return READ_BY_DAY[type(spec)](spec)


def _of_spec(spec: Spec) -> Plain:
    return Plain(spec.seconds, spec.minutes, spec.hours, spec.matches_day)


def _of_ours(spec: Expression) -> Plain:
    return Plain((0,), spec.minutes, spec.hours, spec.matches_day)


def _of_systemd(spec: CalendarSpec) -> Plain:
    return Plain(
        ordered(each.second for each in spec.times),
        ordered(each.minute for each in spec.times),
        ordered(each.hour for each in spec.times),
        spec.matches_day,
    )


def _of_apscheduler(spec: ApsSpec) -> Plain:
    values = spec.values

    def matches(day: date) -> bool:
        by_date = day.day in values["day"] or (spec.last_day and day.day == last_day(day))
        in_week = day.weekday() in values["weekday"]
        return day.month in values["month"] and by_date and in_week

    times = [ordered(values[unit]) for unit in ("second", "minute", "hour")]
    return Plain(times[0], times[1], times[2], matches)


def _of_fugit(spec: FugitSpec) -> Plain:
    def matches(day: date) -> bool:
        return day.month in spec.months and spec.matches_day(day)

    return Plain(spec.seconds, spec.minutes, spec.hours, matches)


# How to read what each engine reads; of the engines that are not here nobody asks.
READ_BY_DAY: dict[type, Callable[[Any], Plain]] = {
    Spec: _of_spec,
    Expression: _of_ours,
    CalendarSpec: _of_systemd,
    ApsSpec: _of_apscheduler,
    FugitSpec: _of_fugit,
}


@lru_cache(maxsize=256)
def matching_days(matches_day: DayTest) -> bytes:
    """Return for each day of 28 years whether it matches, 1 or 0: equal for equal days."""
    return bytes(map(matches_day, _DAYS))


def days_of_28_years() -> tuple[date, ...]:
    """Return the days of which `matching_days` tells."""
    return _DAYS
