"""A parsed cron expression: its values field by field, and which days and minutes they match."""

from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import NamedTuple


class Field(NamedTuple):
    """One of the five fields; `names`, where it has any, go with `values`, one each."""

    name: str
    values: range
    # The highest number that may be written: 7 is Sunday as well, for a weekday.
    high: int
    example: str
    names: tuple[str, ...] = ()


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

MINUTE = Field("minute", range(60), 59, "10-20")
HOUR = Field("hour", range(24), 23, "9-17")
DAY_OF_MONTH = Field("day-of-month", range(1, 32), 31, "1-7")
MONTH = Field("month", range(1, 13), 12, "1-6", _MONTHS)
DAY_OF_WEEK = Field("day-of-week", range(7), 7, "1-5", _WEEKDAYS)
FIELDS = (MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK)

LAST = -1


NthWeekday = tuple[int, int]
"""A weekday (Sunday is 0), and which of its month it is: 1 to 5, or LAST."""


@dataclass(frozen=True, slots=True)
class Expression:
    """The sorted values of each field, and the special days."""

    # As written: what "begins with *" decides about clock changes, which values don't show.
    texts: tuple[str, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    # Empty where the field holds only special days; so are weekdays.
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    last_day: bool = False
    nth_weekdays: tuple[NthWeekday, ...] = ()

    @property
    def follows_real_time(self) -> bool:
        """Whether it runs in both passes of a repeated hour, and not at all for a skipped one."""
        # Debian's cron calls it a wildcard job, and judges by the text alone: 0-59 is none.
        return self.texts[0].startswith("*") or self.texts[1].startswith("*")

    @property
    def plain(self) -> str:
        """The same expression as croniter reads it: `*`, lists and its own special days."""
        specials = (
            (),
            (),
            ("L",) * self.last_day,
            (),
            tuple(f"L{day}" if nth == LAST else f"{day}#{nth}" for day, nth in self.nth_weekdays),
        )
        values = (self.minutes, self.hours, self.days, self.months, self.weekdays)
        return " ".join(map(_plain_field, FIELDS, values, specials))

    def matches_day(self, day: date) -> bool:
        """Return whether it fires on this day at all."""
        if day.month not in self.months:
            return False
        # Two restricted day fields are joined by OR, as in Debian's cron.
        if len(self.days) == 31:
            return self._matches_weekday(day)
        if len(self.weekdays) == 7:
            return self._matches_day_of_month(day)
        return self._matches_day_of_month(day) or self._matches_weekday(day)

    def count(self, first: datetime, end: datetime) -> int:
        """Return how many wall-clock minutes in [first, end) match."""
        if first >= end:
            return 0
        days = range(first.toordinal(), end.toordinal())
        whole = sum(map(self.matches_day, map(date.fromordinal, days)))
        minutes = whole * len(self.hours) * len(self.minutes)
        return minutes + self._count_before(end) - self._count_before(first)

    def _count_before(self, wall: datetime) -> int:
        """Return how many minutes of the wall time's own day match and come before it."""
        if not self.matches_day(wall):
            return 0
        minute = wall.minute + bool(wall.second or wall.microsecond)
        in_this_hour = bisect_left(self.minutes, minute) if wall.hour in self.hours else 0
        return bisect_left(self.hours, wall.hour) * len(self.minutes) + in_this_hour

    def _matches_day_of_month(self, day: date) -> bool:
        is_last = self.last_day and day.day == monthrange(day.year, day.month)[1]
        return is_last or day.day in self.days

    def _matches_weekday(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        return weekday in self.weekdays or any(
            weekday == wanted and _is_nth(day, nth) for wanted, nth in self.nth_weekdays
        )


@lru_cache(maxsize=4096)
def times_of_day(hours: tuple[int, ...], minutes: tuple[int, ...]) -> tuple[timedelta, ...]:
    """Return the times after midnight at which an expression fires on a day that matches."""
    return tuple(timedelta(hours=hour, minutes=minute) for hour, minute in product(hours, minutes))


def _plain_field(field: Field, values: tuple[int, ...], specials: tuple[str, ...]) -> str:
    if len(values) == len(field.values):
        return "*"
    return ",".join([*map(str, values), *specials])


def _is_nth(day: date, nth: int) -> bool:
    """Return whether the day is the nth of its weekday in its month."""
    if nth == LAST:
        return (day + timedelta(days=7)).month != day.month
    return (day.day - 1) // 7 + 1 == nth
