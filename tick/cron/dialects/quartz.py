"""Quartz: seconds and a year, Sunday is 1, and of a repeated hour only the second pass."""

import re
from collections.abc import Iterator
from datetime import date, datetime

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading, one_line
from tick.cron.dialects.spec import (
    DayTest,
    Spec,
    Weekdays,
    last_day,
    nearest_working_day,
    ordered,
)
from tick.cron.dialects.walks import ClockRule, walk_days
from tick.cron.grammar import quote
from tick.errors import InvalidCron

_READING = Reading(
    "quartz", stars="*?", weekday=(1, 7), star_weekday=(1, 7), backwards="wrap", shift=-1
)
_RULE = ClockRule("skip", "second")
_FIRST_YEAR, _LAST_YEAR = 1970, 2126
_STEPS = {"second": 59, "minute": 59, "hour": 23, "day": 31, "month": 12, "weekday": 7}


def read(expression: str) -> Spec:
    """Return what `CronExpression` reads."""
    texts = one_line("quartz", expression).upper().split()
    if len(texts) not in (6, 7):
        raise InvalidCron(
            f"quartz reads six or seven fields, seconds first, not {len(texts)}: "
            f"{quote(expression)}"
        )
    for field, text in zip(_STEPS, texts, strict=False):
        for step in re.findall(r"/(\d+)", text):
            if int(step) > _STEPS[field]:
                _READING.refuse(field, text, f"a step is at most {_STEPS[field]}")
    if (texts[3] == "?") == (texts[5] == "?"):
        raise InvalidCron(
            "quartz refuses a day of the month beside a day of the week: write ? for one of them"
        )
    seconds, minutes, hours = _READING.times(texts)
    months = frozenset(_READING.values("month", texts[4]))
    years = _years(texts[6]) if len(texts) == 7 else None
    by_day = _weekdays(texts[5]) if texts[3] == "?" else _dates(texts[3])

    def matches(day: date) -> bool:
        in_year = years is None or day.year in years
        return in_year and day.month in months and by_day(day)

    return Spec(seconds, minutes, hours, matches)


def _years(text: str) -> frozenset[int] | None:
    if text == "*":
        return None
    found: set[int] = set()
    for item in text.split(","):
        match = re.fullmatch(r"(\*|\d{4})(?:-(\d{4}))?(?:/(\d+))?", item)
        if match is None:
            _READING.refuse("year", text, "write years such as 2027-2030")
        first = _FIRST_YEAR if match[1] == "*" else int(match[1])
        last = int(match[2]) if match[2] else first
        if match[1] == "*" or (match[3] and not match[2]):
            last = _LAST_YEAR
        found.update(range(first, last + 1, max(int(match[3] or 1), 1)))
    return frozenset(found)


def _dates(text: str) -> DayTest:
    if match := re.fullmatch(r"L(?:-(\d+))?(W)?", text):
        before, working = int(match[1] or 0), match[2] is not None
        if before > 30:
            _READING.refuse("day", text, "it counts back at most 30 days")
        return lambda day: day.day == _from_end(day, before, working)
    if match := re.fullmatch(r"(\d+)W", text):
        wanted = _READING.number("day", text, match[1])
        return lambda day: day.day == _working(day, wanted)
    values = frozenset(_READING.values("day", text))
    return lambda day: day.day in values


def _from_end(day: date, before: int, working: bool) -> int | None:
    wanted = last_day(day) - before
    return _working(day, wanted) if working else wanted


def _working(day: date, wanted: int) -> int | None:
    return nearest_working_day(day, wanted)


def _weekdays(text: str) -> DayTest:
    if text == "L":
        return Weekdays(frozenset({6}))
    if match := re.fullmatch(r"(\w+?)(?:#([1-5])|L)", text):
        weekday = _READING.number("weekday", text, match[1]) - 1
        if match[2]:
            return Weekdays(nth=frozenset({(weekday, int(match[2]))}))
        return Weekdays(last=frozenset({weekday}))
    return Weekdays(frozenset(each - 1 for each in _weekly(text)))


def _weekly(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for item in text.split(","):
        match = re.fullmatch(r"(\w+)-(\w+)(?:/(\d+))?", item)
        first = match and _READING.number("weekday", item, match[1])
        last = match and _READING.number("weekday", item, match[2])
        if match and first is not None and last is not None and first > last:
            wrapped = range(first, last + 8, int(match[3] or 1))
            found += [(each - 1) % 7 + 1 for each in wrapped]
        else:
            found += _READING.values("weekday", item)
    return ordered(found)


def walk(spec: Spec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when a trigger fires."""
    return walk_days(spec, clock, after, _RULE, _RULE)
