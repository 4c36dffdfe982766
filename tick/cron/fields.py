"""A parsed cron expression: its values field by field, and which days and minutes they match."""

from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import NamedTuple


class Field(NamedTuple):
    """One of the five fields: its values, the highest number that may stand for one, its names.

    `names` go with `values`, one each, where the field has any.
    """

    name: str
    values: range
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


class NthWeekday(NamedTuple):
    """The `nth` (1 to 5, or LAST) of a weekday (Sunday is 0) in its month."""

    weekday: int
    nth: int


@dataclass(frozen=True, slots=True)
class Expression:
    """What an expression stands for: sorted values for each field, and the special days.

    `texts` are the five fields as written. A day field that holds only special days has no values.
    """

    texts: tuple[str, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    last_day: bool = False
    nth_weekdays: tuple[NthWeekday, ...] = ()

    @property
    def follows_real_time(self) -> bool:
        """Whether this is what Debian's cron calls a wildcard job, by the text alone.

        Such a job runs in both passes of a repeated hour, and not at all for a skipped one.
        """
        return self.texts[0].startswith("*") or self.texts[1].startswith("*")

    @property
    def plain(self) -> str:
        """The same days and minutes in the words that every parser agrees on: `*` and lists."""
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
        """Whether it fires on this day at all; two restricted day fields are joined by OR."""
        if day.month not in self.months:
            return False
        if len(self.days) == 31:
            return self._matches_weekday(day)
        if len(self.weekdays) == 7:
            return self._matches_day_of_month(day)
        return self._matches_day_of_month(day) or self._matches_weekday(day)

    def count(self, first: datetime, end: datetime) -> int:
        """How many wall-clock minutes in [first, end) match, without listing them."""
        if first >= end:
            return 0
        days = range(first.toordinal(), end.toordinal())
        whole = sum(map(self.matches_day, map(date.fromordinal, days)))
        return (
            whole * len(self.hours) * len(self.minutes)
            + self._count_before(end)
            - self._count_before(first)
        )

    def times_of_day(self) -> tuple[timedelta, ...]:
        """The times after midnight at which it fires on a day that matches."""
        return _times_of_day(self.hours, self.minutes)

    def _count_before(self, wall: datetime) -> int:
        """How many minutes of the wall time's own day match and come before it."""
        if not self.matches_day(wall):
            return 0
        minute = wall.minute + bool(wall.second or wall.microsecond)
        in_this_hour = bisect_left(self.minutes, minute) if wall.hour in self.hours else 0
        return bisect_left(self.hours, wall.hour) * len(self.minutes) + in_this_hour

    def _matches_day_of_month(self, day: date) -> bool:
        return day.day in self.days or (
            self.last_day and day.day == monthrange(day.year, day.month)[1]
        )

    def _matches_weekday(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        return weekday in self.weekdays or any(
            weekday == special.weekday and _is_nth(day, special.nth)
            for special in self.nth_weekdays
        )


@lru_cache(maxsize=4096)
def _times_of_day(hours: tuple[int, ...], minutes: tuple[int, ...]) -> tuple[timedelta, ...]:
    return tuple(timedelta(hours=hour, minutes=minute) for hour, minute in product(hours, minutes))


def _plain_field(field: Field, values: tuple[int, ...], specials: tuple[str, ...]) -> str:
    if len(values) == len(field.values):
        return "*"
    return ",".join([*map(str, values), *specials])


def _is_nth(day: date, nth: int) -> bool:
    """Whether the day is the nth of its weekday in its month."""
    if nth == LAST:
        return (day + timedelta(days=7)).month != day.month
    return (day.day - 1) // 7 + 1 == nth
