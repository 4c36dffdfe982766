"""What an expression names once an engine has read it: times of the day, and days."""

from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

_WEEK = timedelta(days=7)
DayTest = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Spec:
    """Sorted values of seconds, minutes and hours, and a test that decides about a day."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    matches_day: DayTest
    # Which of the rules for clock changes holds: some engines tell repeating expressions apart.
    repeating: bool = False


def ordered(values: Iterable[int]) -> tuple[int, ...]:
    """Return the values sorted, each once."""
    return tuple(sorted(set(values)))


def sunday_zero(values: Iterable[int]) -> frozenset[int]:
    """Return weekdays with Sunday as 0 alone."""
    return frozenset(value % 7 for value in values)


def weekday_of(day: date) -> int:
    """Return 0 for Sunday to 6 for Saturday."""
    return day.isoweekday() % 7


def last_day(day: date) -> int:
    """Return the number of days in the month of a date."""
    return monthrange(day.year, day.month)[1]


def is_last_of_its_weekday(day: date) -> bool:
    """Return whether the month has no later day of the same weekday."""
    return (day + _WEEK).month != day.month


def nth_of_its_weekday(day: date) -> int:
    """Return which of its weekday in the month a day is, from 1."""
    return (day.day + 6) // 7


def nearest_working_day(day: date, wanted: int) -> int | None:
    """Return the day of the month that is Monday to Friday and next to `wanted`; same month."""
    last = last_day(day)
    if not 1 <= wanted <= last:
        return None
    weekday = day.replace(day=wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


@dataclass(frozen=True, slots=True)
class Dates:
    """Days of a month, by number, from its end, or as working days next to one."""

    numbers: frozenset[int] = frozenset()
    # 0 is the last day, 2 the second before it.
    before_last: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()
    last_working: bool = False

    def __call__(self, day: date) -> bool:
        """Return whether a day is one of them."""
        last = last_day(day)
        return (
            day.day in self.numbers
            or last - day.day in self.before_last
            or any(nearest_working_day(day, each) == day.day for each in self.nearest)
            or (self.last_working and nearest_working_day(day, last) == day.day)
        )


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Days of a week, Sunday as 0: each week, the nth of a month, or its last one."""

    numbers: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = field(default_factory=frozenset)
    last: frozenset[int] = frozenset()

    def __call__(self, day: date) -> bool:
        """Return whether a day is one of them."""
        weekday = weekday_of(day)
        return (
            weekday in self.numbers
            or (weekday, nth_of_its_weekday(day)) in self.nth
            or (weekday in self.last and is_last_of_its_weekday(day))
        )


def every_day(day: date) -> bool:
    """Return True."""
    return True


def days(
    months: Iterable[int], by_date: DayTest, by_weekday: DayTest, join: Callable[..., bool]
) -> DayTest:
    """Return the test of a day; `join` is `all` or `any` of the two fields."""
    allowed = frozenset(months)

    def matches(day: date) -> bool:
        return day.month in allowed and join((by_date(day), by_weekday(day)))

    return matches
