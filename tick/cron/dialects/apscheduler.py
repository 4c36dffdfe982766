"""APScheduler: Monday is 0, both day fields at once, and steps that a clock change throws off."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading

_READING = Reading(
    "APScheduler", weekday=(0, 6), star_weekday=(0, 6), aliases=(), long_step=False, shift=1
)
_UNITS = ("year", "month", "day", "weekday", "hour", "minute", "second")
_LEAST = {"year": 1970, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
_LAST_YEAR = 8999
# What follows a name or a range of names is not looked at: mon#2 is every Monday.
_AFTER_NAMES = re.compile(r"\b([a-z]+(?:-[a-z]+)?)[^,]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ApsSpec:
    """The values of each unit; `last_day` adds the last of the month."""

    values: dict[str, tuple[int, ...]]
    last_day: bool = False

    def next_value(self, now: datetime, unit: str) -> int | None:
        """Return the least value that fits and is not less than now's."""
        if unit == "year":
            return now.year
        fits = [each for each in self.values[unit] if each >= _value(now, unit)]
        if unit == "day":
            last = monthrange(now.year, now.month)[1]
            fits = [each for each in fits if each <= last] + [last] * self.last_day
        return min(fits, default=None)


def read(expression: str) -> ApsSpec:
    """Return what `CronTrigger.from_crontab` reads."""
    texts = _READING.split(expression)
    texts[4:] = [_AFTER_NAMES.sub(r"\1", text) for text in texts[4:]]
    last: list[str] = []

    def special(item: str) -> bool:
        if item.lower() == "last":
            last.append(item)
            return True
        return False

    values = {"second": (0,), "day": tuple(_READING.values("day", texts[3], special))}
    for unit, text in zip(("minute", "hour"), texts[1:3], strict=True):
        values[unit] = tuple(_READING.values(unit, text))
    values["month"] = tuple(_READING.values("month", texts[4]))
    values["weekday"] = tuple(_READING.values("weekday", texts[5]))
    return ApsSpec(values, bool(last))


def walk(spec: ApsSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when its scheduler fires, asked right after each firing."""
    instant = after
    while True:
        start = instant.replace(microsecond=0, tzinfo=UTC) + timedelta(seconds=1)
        found = _next(spec, clock.zone, start.astimezone(clock.zone))
        if found is None:
            return
        instant = found.astimezone(UTC).replace(tzinfo=None)
        yield instant


def _next(spec: ApsSpec, zone: ZoneInfo, now: datetime) -> datetime | None:
    last_year = min(now.year + 100, _LAST_YEAR)
    place = 0
    while 0 <= place < len(_UNITS):
        if now.year > last_year:
            return None
        unit = _UNITS[place]
        wanted = spec.next_value(now, unit)
        if wanted is None:
            now, place = _increment(now, place - 1)
        elif wanted == _value(now, unit):
            place += 1
        elif unit == "weekday":
            now, place = _increment(now, place)
        else:
            lower: dict[str, Any] = {
                each: _LEAST[each] for each in _UNITS[place + 1 :] if each != "weekday"
            }
            now = now.replace(**{unit: wanted, **lower}, tzinfo=zone)
            place += 1
    return now if place >= 0 else None


def _value(now: datetime, unit: str) -> int:
    return now.weekday() if unit == "weekday" else int(getattr(now, unit))


def _increment(now: datetime, place: int) -> tuple[datetime, int]:
    """Return the start of the next value of a unit, and its place; time is added as elapsed."""
    while place >= 0:
        unit = _UNITS[place]
        if unit == "weekday" or _value(now, unit) == _greatest(now, unit):
            place -= 1
            continue
        lower: dict[str, Any] = {
            each: _LEAST[each] for each in _UNITS[place + 1 :] if each != "weekday"
        }
        wall = now.replace(tzinfo=None)
        target = wall.replace(**{unit: _value(now, unit) + 1, **lower})
        # The difference of two wall times, added to the instant: where the clock changes in
        # between, it lands an hour beside the start of the day.
        moved = now.astimezone(UTC) + (target - wall)
        return moved.astimezone(now.tzinfo), place
    return now, place


def _greatest(now: datetime, unit: str) -> int:
    if unit == "day":
        return monthrange(now.year, now.month)[1]
    return {"year": 9999, "month": 12, "hour": 23, "minute": 59, "second": 59}[unit]
