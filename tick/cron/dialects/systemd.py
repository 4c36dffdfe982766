"""systemd timers: calendar expressions of their own grammar, and a silent second pass."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import NoReturn

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import WEEKDAYS, one_line
from tick.cron.dialects.spec import last_day, weekday_of
from tick.cron.dialects.walks import LONGEST_WAIT
from tick.cron.grammar import quote
from tick.errors import InvalidCron

_WORDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "semi-annually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
}
_DATE = re.compile(r"(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)")
_ITEM = re.compile(r"(\*|\d+)(?:\.\.(\d+))?(?:/(\d+))?")
_BOUNDS = {"year": (1970, 2199), "month": (1, 12), "day": (1, 31)}
_BOUNDS |= {"hour": (0, 23), "minute": (0, 59), "second": (0, 59)}


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """Values of each part; None for years is every one. `from_end` counts days from the last."""

    years: frozenset[int] | None
    months: frozenset[int]
    dates: tuple[tuple[int, int, int], ...]
    from_end: bool
    weekdays: frozenset[int]
    times: tuple[time, ...]

    def matches_day(self, day: date) -> bool:
        """Return whether it elapses on that day; weekday and date have to fit both."""
        if self.years is not None and day.year not in self.years:
            return False
        return day.month in self.months and weekday_of(day) in self.weekdays and self._date(day)

    def _date(self, day: date) -> bool:
        last = last_day(day)
        for first, end, step in self.dates:
            low, high = first, end or last
            if self.from_end:
                # ~07/1 is the seventh last and each one after it.
                low, high = last - first + 1, last - end + 1 if end else last
                low, high = min(low, high), max(low, high)
            if low <= day.day <= high and (day.day - low) % step == 0:
                return True
        return False


def read(expression: str) -> CalendarSpec:
    """Return what `OnCalendar=` reads."""
    text = one_line("systemd", expression)
    words = _WORDS.get(text.lower(), text).split()
    weekdays = frozenset(range(7))
    if words and words[0][0].isalpha():
        weekdays = _weekdays(words.pop(0))
    at = words.pop() if words and ":" in words[-1] else "00:00:00"
    day = words.pop() if words else "*-*-*"
    match = _DATE.fullmatch(day)
    if words or match is None:
        _refuse(text, "write for example 'Mon..Fri *-*-* 02:30:00', without a zone")
    parts = at.split(":")
    if len(parts) not in (2, 3):
        _refuse(at, "write hours, minutes and seconds, such as 02:30:00")
    numbers = zip(("hour", "minute", "second"), [*parts, "0"], strict=False)
    hours, minutes, seconds = (_values(*each) for each in numbers)
    return CalendarSpec(
        frozenset(_values("year", match[1])) if match[1] and match[1] != "*" else None,
        frozenset(_values("month", match[2])),
        tuple(_dates(match[4])),
        match[3] == "~",
        weekdays,
        tuple(time(*each) for each in product(hours, minutes, seconds)),
    )


def _refuse(text: str, why: str) -> NoReturn:
    raise InvalidCron(f"systemd refuses {quote(text)}: {why}")


def _weekdays(text: str) -> frozenset[int]:
    found: set[int] = set()
    for item in text.strip(",").split(","):
        ends = [each[:3].lower() for each in re.split(r"\.\.|-", item)]
        if len(ends) > 2 or any(each not in WEEKDAYS for each in ends):
            _refuse(item, "write weekdays such as Mon,Wed or Mon..Fri")
        first, last = ((WEEKDAYS.index(each) - 1) % 7 for each in (ends[0], ends[-1]))
        if first > last:
            _refuse(item, "the range runs backwards; weeks begin on Monday")
        found.update((each + 1) % 7 for each in range(first, last + 1))
    return frozenset(found)


def _values(field: str, text: str) -> list[int]:
    low, high = _BOUNDS[field]
    found: set[int] = set()
    for item in text.split(","):
        first, last, step = _item(field, item)
        found.update(range(first, (last or (high if step else first)) + 1, step or 1))
    if not found or not low <= min(found) <= max(found) <= high:
        _refuse(text, f"write numbers from {low} to {high}")
    return sorted(found)


def _item(field: str, item: str) -> tuple[int, int | None, int | None]:
    match = _ITEM.fullmatch(item)
    if match is None or (match[1] == "*" and match[2]):
        _refuse(item, "write numbers, ranges such as 1..5, and steps such as 0/15")
    low, high = _BOUNDS[field]
    step = int(match[3]) if match[3] else None
    if step == 0:
        _refuse(item, "the step must be at least 1")
    if match[1] == "*":
        return low, high, step
    first, last = int(match[1]), int(match[2]) if match[2] else None
    if last is not None and last < first:
        _refuse(item, "the range runs backwards")
    return first, last, step


def _dates(text: str) -> Iterator[tuple[int, int, int]]:
    for item in text.split(","):
        first, last, step = _item("day", item)
        if not 1 <= first <= (last or first) <= 31:
            _refuse(text, "write days from 1 to 31")
        if item.startswith("*"):
            last = None
            step = step or 1
        yield first, last or (0 if step else first), step or 1


def walk(spec: CalendarSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when it elapses: a skipped time never, of a repeated one the pass it comes from."""
    last = after
    while (found := _next(spec, clock, last)) is not None:
        yield found
        last = found


def _next(spec: CalendarSpec, clock: LocalClock, after: datetime) -> datetime | None:
    start = clock.wall(after)
    for ahead in range(LONGEST_WAIT.days):
        day = start.date() + timedelta(days=ahead)
        if not spec.matches_day(day):
            continue
        midnight = datetime.combine(day, time())
        offset = clock.offset(clock.earlier(midnight) if ahead else after)
        for each in spec.times:
            wall = datetime.combine(day, each)
            if wall > start and clock.instants(wall):
                return clock.near(wall, offset)
    return None
