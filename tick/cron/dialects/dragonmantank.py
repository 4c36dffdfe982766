"""dragonmantank/cron-expression (PHP, Laravel): fields moved one after the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import FIVE, Reading
from tick.cron.dialects.spec import Dates, DayTest, Weekdays, every_day, sunday_zero

_READING = Reading("dragonmantank", open_step="refuse", star_weekday=(0, 7), backwards="empty")
_MOST_STEPS = 1000
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PhpSpec:
    """Values in the order in which they are written; None is a lone star."""

    minutes: list[int] | None
    hours: list[int] | None
    months: frozenset[int]
    either: tuple[DayTest, ...]


def read(expression: str) -> PhpSpec:
    """Return what dragonmantank reads."""
    _, *texts = _READING.split(expression)
    values: dict[str, list[int] | None] = {
        field: None if text == "*" else _in_order(field, text)
        for field, text in zip(FIVE[:2], texts, strict=False)
    }
    months = frozenset(_READING.values("month", texts[3].replace("?", "*")))
    dates, weekdays = _dates(texts[2]), _weekdays(texts[4])
    either: tuple[DayTest, ...] = (dates, weekdays)
    if texts[2] in ("*", "?"):
        either = (weekdays,)
    elif texts[4] in ("*", "?"):
        either = (dates,)
    return PhpSpec(values["minute"], values["hour"], months, either)


def _in_order(field: str, text: str) -> list[int]:
    found: list[int] = []
    low, high = _READING.bounds(field)
    for item in text.split(","):
        step = int((re.search(r"/(\d+)$", item) or ["", "0"])[1])
        values = _READING.values(field, item)
        # A step past the end wraps around to one value.
        found += [low + step % (high - low + 1)] if step > high else values
    return found


def _dates(text: str) -> DayTest:
    if text in ("*", "?"):
        return every_day
    if text == "L":
        return Dates(before_last=frozenset({0}))
    if match := re.fullmatch(r"(\d+)W", text):
        return Dates(nearest=frozenset({_READING.number("day", text, match[1])}))
    return Dates(frozenset(_in_order("day", text)))


def _weekdays(text: str) -> DayTest:
    if text in ("*", "?"):
        return every_day
    nth, last = set(), set()

    def special(item: str) -> bool:
        match = re.fullmatch(r"(\w+?)(?:#([1-5])|L)", item)
        if match is None:
            return False
        weekday = _READING.number("weekday", item, match[1]) % 7
        if match[2]:
            nth.add((weekday, int(match[2])))
        else:
            last.add(weekday)
        return True

    # 7-2 begins on Sunday and 5-0 ends there; the name is 7, so that sun-sat holds nothing.
    text = re.sub(r"\b7-", "0-", re.sub(r"-0\b", "-7", text))
    text = re.sub("sun", "7", text, flags=re.IGNORECASE)
    weekly = _READING.values("weekday", text, special)
    return Weekdays(sunday_zero(weekly), frozenset(nth), frozenset(last))


def walk(spec: PhpSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield what `getNextRunDate` returns, asked with the answer before."""
    now = after.replace(second=0, microsecond=0)
    while True:
        found = [each for test in spec.either if (each := _next(spec, test, clock, now))]
        if not found:
            return
        # The two fields' answers are put in order by what the wall shows.
        chosen = min(found, key=clock.wall)
        if chosen <= now:
            return
        now = chosen
        yield now


def _next(spec: PhpSpec, test: DayTest, clock: LocalClock, now: datetime) -> datetime | None:
    at = now
    for _ in range(_MOST_STEPS):
        wall = clock.wall(at)
        if wall.month not in spec.months:
            following = (wall.replace(day=1) + timedelta(days=31)).replace(day=1)
            at = clock.earlier(following.replace(hour=0, minute=0))
        elif not test(wall.date()):
            at = clock.earlier((wall + timedelta(days=1)).replace(hour=0, minute=0))
        elif not _hour_fits(spec, clock, at):
            at = _to_hour(spec, clock, at)
        elif (spec.minutes is not None and wall.minute not in spec.minutes) or at == now:
            at = _to_minute(spec, clock, at)
        else:
            return at
    return None


def _hour_fits(spec: PhpSpec, clock: LocalClock, at: datetime) -> bool:
    hour = clock.wall(at).hour
    if spec.hours is None or hour in spec.hours:
        return True
    # Within an hour after a change, the hour beside counts as well.
    if clock.offset(at) == clock.offset(at - _HOUR):
        return False
    change = clock.offset(at + _HOUR) - clock.offset(at - _HOUR)
    if change >= _HOUR:
        return hour - 1 in spec.hours
    return change <= -_HOUR and hour + 1 in spec.hours


def _following(values: list[int], current: int) -> int:
    """Return the value that comes after the current one; the first, where none does."""
    for low, high in pairwise(values):
        if low <= current < high:
            return high
    return values[0]


def _to_hour(spec: PhpSpec, clock: LocalClock, at: datetime) -> datetime:
    wall = clock.wall(at)
    target, hour, found = _following(spec.hours or [wall.hour], wall.hour), wall.hour, at
    if hour >= target:
        found += timedelta(hours=24 - hour)
        shown = clock.wall(found)
        if shown.day != wall.day + 1 and shown.hour != 0:
            found += clock.offset(at) - clock.offset(found)
        hour = clock.wall(found).hour
    found += timedelta(hours=target - hour)
    found = clock.earlier(clock.wall(found).replace(minute=0, second=0))
    return found + _HOUR if found <= at else found


def _to_minute(spec: PhpSpec, clock: LocalClock, at: datetime) -> datetime:
    if spec.minutes is None:
        return at + timedelta(minutes=1)
    minute = clock.wall(at).minute
    target, found = _following(spec.minutes, minute), at
    if minute >= target:
        found += timedelta(minutes=60 - minute)
        minute = clock.wall(found).minute
    return found + timedelta(minutes=target - minute)
