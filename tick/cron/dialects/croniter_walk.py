"""croniter: it walks the wall, then looks whether the other offset has an earlier time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading
from tick.cron.dialects.spec import Dates, DayTest, Weekdays, every_day, ordered, sunday_zero

_READING = Reading("croniter", stars="*?", star_weekday=(0, 6), backwards="wrap")
_MOST_YEARS = 50
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class CroniterSpec:
    """Times of the day, and the tests of a day of which one has to fit."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    either: tuple[DayTest, ...]
    every_hour: bool


def read(expression: str) -> CroniterSpec:
    """Return what croniter reads, five fields."""
    _, *texts = _READING.split(expression)
    minutes, hours = ordered(_whole("minute", texts[0])), ordered(_whole("hour", texts[1]))
    months = frozenset(_whole("month", texts[3]))
    dates, weekdays = _dates(texts[2]), _weekdays(texts[4])
    either: tuple[DayTest, ...]
    if texts[2] in ("*", "?"):
        either = (weekdays,)
    elif texts[4] in ("*", "?"):
        either = (dates,)
    elif "#" in texts[4] or re.search("l", texts[4], re.IGNORECASE) or "w" in texts[2].lower():
        # Beside these the two fields are joined by and.
        either = (lambda day: dates(day) and weekdays(day),)
    else:
        either = (dates, weekdays)
    return CroniterSpec(minutes, hours, months, either, len(hours) == 24)


def _whole(field: str, text: str) -> list[int]:
    found: list[int] = []
    for item in text.split(","):
        match = re.fullmatch(r"(\w+)-(\w+)(/\d+)?", item)
        # A range of one value is the whole field.
        ends = [_READING.number(field, item, text) for text in match.groups()[:2]] if match else []
        if match and ends[0] == ends[1]:
            item = f"*{match[3] or ''}"
        found += _READING.values(field, item)
    return found


def _dates(text: str) -> DayTest:
    if text in ("*", "?"):
        return every_day
    if match := re.fullmatch(r"(\d+)w|w(\d+)", text, re.IGNORECASE):
        return Dates(nearest=frozenset({_READING.number("day", text, match[1] or match[2])}))
    last: list[int] = []

    def special(item: str) -> bool:
        if item.lower() == "l":
            last.append(0)
        return item.lower() == "l"

    return Dates(frozenset(_READING.values("day", text, special)), frozenset(last))


def _weekdays(text: str) -> DayTest:
    if text in ("*", "?"):
        return every_day
    nth: list[tuple[int, int]] = []
    last: list[int] = []

    def special(item: str) -> bool:
        if match := re.fullmatch(r"(.+)#([1-5])", item):
            days = _READING.values("weekday", match[1])
            nth.extend((each % 7, int(match[2])) for each in days)
        elif match := re.fullmatch(r"l(\d)", item, re.IGNORECASE):
            last.append(_READING.number("weekday", item, match[1]) % 7)
        else:
            return False
        return True

    weekly = _READING.values("weekday", text, special)
    if weekly and (nth or last):
        _READING.refuse("weekday", text, "plain weekdays can't stand beside # or L")
    return Weekdays(sunday_zero(weekly), frozenset(nth), frozenset(last))


def walk(spec: CroniterSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield what `get_next` returns, asked with an aware start."""
    now = after
    while True:
        found = [_next(spec, test, clock, now) for test in spec.either]
        instants = [each for each in found if each is not None]
        if not instants:
            return
        now = min(instants)
        yield now


def _next(spec: CroniterSpec, test: DayTest, clock: LocalClock, now: datetime) -> datetime | None:
    shown = clock.wall(now)
    wall = _next_wall(spec, test, shown)
    if wall is None:
        return None
    found, exists = _aware(clock, wall, now)
    if not exists and (found <= now or spec.every_hour):
        while not exists:
            wall = _next_wall(spec, test, wall)
            if wall is None:
                return None
            found, exists = _aware(clock, wall, now)
    change = clock.offset(found) - clock.offset(now)
    if not change:
        return found
    # There may be an earlier one, seen with the other offset.
    other_wall = _next_wall(spec, test, shown + change)
    if other_wall is None:
        return found
    other, exists = _aware(clock, other_wall, now)
    return other if exists and now < other < found else found


def _aware(clock: LocalClock, wall: datetime, now: datetime) -> tuple[datetime, bool]:
    exists = bool(clock.instants(wall))
    while not clock.instants(wall):
        wall += _MINUTE
    first = clock.earlier(wall)
    return (first if first > now or not exists else clock.later(wall)), exists


def _next_wall(spec: CroniterSpec, test: DayTest, wall: datetime) -> datetime | None:
    start = wall.replace(second=0, microsecond=0) + _MINUTE
    day, last_year = start.date(), start.year + _MOST_YEARS
    while day.year <= last_year:
        if day.month in spec.months and test(day):
            found = _time(spec, start.time() if day == start.date() else time())
            if found is not None:
                return datetime.combine(day, found)
        day += timedelta(days=1)
    return None


def _time(spec: CroniterSpec, least: time) -> time | None:
    for hour in spec.hours:
        for minute in spec.minutes:
            if (hour, minute) >= (least.hour, least.minute):
                return time(hour, minute)
    return None
