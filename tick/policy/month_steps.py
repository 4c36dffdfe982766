"""Steps of whole months to a day that hangs on weekdays or on the month's length. Pure."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from tick.policy.business_days import BusinessDays

_DAY = timedelta(days=1)
_SATURDAY, _SUNDAY = 5, 6
# No instant lies beyond the years that zones are known for.
_LAST_YEAR = 2200
# Up to these, each month has such a day, whatever its length or its weekends.
_SURE_BUSINESS_DAYS, _SURE_DAYS = 15, 28


class MonthDayKind(StrEnum):
    """What a day of a month is counted by."""

    BUSINESS_DAY = "business day"
    LAST_DAY = "last day"
    NEAREST_WEEKDAY = "nearest weekday"
    LAST_WEEKDAY = "last weekday"


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of each month, by its kind and a number.

    The business day of that number, from the end if it is negative; the last day, or so many days
    before it (-3); the weekday nearest to a day; the last weekday. Weekdays are Monday to Friday,
    as in crons with W; a calendar says which days are business days.
    """

    kind: MonthDayKind
    number: int = 0

    def to_text(self) -> str:
        """Return `business day 3`, `last day -3`, `nearest weekday 15` or `last weekday`."""
        return f"{self.kind} {self.number}" if self.number else str(self.kind)

    @staticmethod
    def from_text(text: str) -> "MonthDay":
        """Return what `to_text` wrote. Raises ValueError on anything else."""
        kind, _, number = text.rpartition(" ")
        try:
            found = MonthDay(MonthDayKind(kind), int(number))
        except ValueError:
            found = MonthDay(MonthDayKind(text))
        if found.number not in _NUMBERS[found.kind] or found.to_text() != text:
            raise ValueError(f"{text!r} is no day of a month")
        return found

    def in_words(self) -> str:
        """Return `on the 3rd business day`, or `3 days before its last day`."""
        match self.kind:
            case MonthDayKind.BUSINESS_DAY:
                return f"on the {_ordinal(self.number)} business day"
            case MonthDayKind.LAST_DAY if self.number:
                days = "day" if self.number == -1 else "days"
                return f"{-self.number} {days} before its last day"
            case MonthDayKind.NEAREST_WEEKDAY:
                return f"on the weekday nearest to day {self.number}"
        return f"on the {self.kind}"

    @property
    def may_be_missing(self) -> bool:
        """Whether there are months without it: they are left out."""
        if self.kind is MonthDayKind.BUSINESS_DAY:
            return abs(self.number) > _SURE_BUSINESS_DAYS
        shortest = self.number if self.kind is MonthDayKind.NEAREST_WEEKDAY else 1 - self.number
        return self.kind is not MonthDayKind.LAST_WEEKDAY and shortest > _SURE_DAYS

    @property
    def goes_by_calendar(self) -> bool:
        """Whether the calendar of the schedule says which day it is."""
        return self.kind is MonthDayKind.BUSINESS_DAY


_NUMBERS = {
    MonthDayKind.BUSINESS_DAY: [*range(-31, 0), *range(1, 32)],
    MonthDayKind.LAST_DAY: range(-30, 1),
    MonthDayKind.NEAREST_WEEKDAY: range(1, 32),
    MonthDayKind.LAST_WEEKDAY: range(1),
}


@dataclass(frozen=True, slots=True)
class MonthStep:
    """A time of day on the day `on` of every so many months, counted from the month of `first`.

    Nothing comes before `first`. `calendar` is that of the rule, where the day hangs on it.
    """

    first: date
    at: time
    months: int
    on: MonthDay
    calendar: BusinessDays | None = None

    @property
    def follows_real_time(self) -> bool:
        """Never: it is a fixed time on the wall."""
        return False

    def count(self, first: datetime, end: datetime) -> int:
        """Return how many of its wall times lie in [first, end)."""
        found = 0
        for wall in self._from(first):
            if wall >= end:
                break
            found += wall >= first
        return found

    def after(self, wall: datetime) -> datetime:
        """Return its first wall time strictly later; in a far future if there is none."""
        return next((each for each in self._from(wall) if each > wall), datetime.max)

    def before(self, wall: datetime) -> datetime:
        """Return its last wall time strictly earlier; long ago if there is none."""
        for index in range(self._index(wall), -1, -1):
            found = self._nth(index)
            if found is not None and found < wall:
                return found
        return datetime.min

    def months_without(self, first: date, last: date) -> Iterator[date]:
        """Yield the first days of the months between two days that have no such day."""
        for index in range(self._index(first), self._index(last) + 1):
            year, month = divmod(_month(self.first) + self.months * index, 12)
            if index >= 0 and find_day(self.on, self.calendar, year, month + 1) is None:
                yield date(year, month + 1, 1)

    def days_that_decide(self, day: date) -> Iterator[date]:
        """Yield the days whose kind makes this one the day that it is."""
        if not self.on.goes_by_calendar:
            yield day
            return
        back = self.on.number < 0
        last = monthrange(day.year, day.month)[1] if back else day.day
        for number in range(day.day if back else 1, last + 1):
            yield day.replace(day=number)

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "first": self.first.isoformat(),
            "at": f"{self.at:%H:%M}",
            "months": self.months,
            "on": self.on.to_text(),
        }

    @staticmethod
    def from_plain(values: dict[str, Any], calendar: BusinessDays | None) -> "MonthStep":
        """Return the step that `to_plain` wrote. Raises ValueError or TypeError on others."""
        first, at = date.fromisoformat(values["first"]), time.fromisoformat(values["at"])
        on = MonthDay.from_text(values["on"])
        given = values | {"first": first, "at": at, "on": on}
        return MonthStep(**given, calendar=calendar if on.goes_by_calendar else None)

    def _from(self, wall: datetime) -> Iterator[datetime]:
        """Yield its wall times from the month of a wall time on, in order."""
        last = (_LAST_YEAR * 12 - _month(self.first)) // self.months
        for index in range(max(self._index(wall), 0), last):
            if (found := self._nth(index)) is not None:
                yield found

    def _nth(self, index: int) -> datetime | None:
        year, month = divmod(_month(self.first) + self.months * index, 12)
        day = find_day(self.on, self.calendar, year, month + 1)
        return None if day is None or day < self.first else datetime.combine(day, self.at)

    def _index(self, day: date) -> int:
        """Return the number of the step whose month is that of a day, or the one before."""
        return (_month(day) - _month(self.first)) // self.months


@lru_cache(maxsize=65_536)
def find_day(on: MonthDay, calendar: BusinessDays | None, year: int, month: int) -> date | None:
    """Return the day of a month; None if the month has none. It never leaves its month."""
    last = date(year, month, monthrange(year, month)[1])
    match on.kind:
        case MonthDayKind.LAST_DAY:
            day = last + on.number * _DAY
            return day if day.month == month else None
        case MonthDayKind.LAST_WEEKDAY:
            return _nearest(last, last)
        case MonthDayKind.NEAREST_WEEKDAY:
            return _nearest(last.replace(day=on.number), last) if on.number <= last.day else None
    days = [last.replace(day=number) for number in range(1, last.day + 1)]
    found = [day for day in days if _is_business_day(day, calendar)]
    index = on.number - 1 if on.number > 0 else len(found) + on.number
    return found[index] if 0 <= index < len(found) else None


def _nearest(day: date, last: date) -> date:
    """Return the weekday nearest to a day within its month."""
    if day.weekday() == _SATURDAY:
        return day - _DAY if day.day > 1 else day + 2 * _DAY
    if day.weekday() == _SUNDAY:
        return day + _DAY if day < last else day - 2 * _DAY
    return day


def _is_business_day(day: date, calendar: BusinessDays | None) -> bool:
    return day.weekday() < _SATURDAY if calendar is None else calendar.is_working(day)


def month_step_in_words(step: MonthStep) -> str:
    """Return it in words: `Every month on the 3rd business day at 02:00`."""
    said = "Every month" if step.months == 1 else f"Every {step.months} months"
    of = "" if step.calendar is None else f" of {step.calendar.calendar}"
    left_out = ", not in months without one" if step.on.may_be_missing else ""
    return f"{said} {step.on.in_words()}{of} at {step.at:%H:%M}{left_out}"


def _ordinal(number: int) -> str:
    if number == -1:
        return "last"
    size = abs(number)
    ending = "th" if size in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(size % 10, "th")
    return f"{size}{ending}" if number > 0 else f"{size}{ending} last"


def _month(day: date) -> int:
    """Return the number of a day's month, counted from the year 0."""
    return day.year * 12 + day.month - 1
