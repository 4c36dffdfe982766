"""fugit (Ruby): it walks the wall hour by hour, and leaves out a time that repeats the last one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading
from tick.cron.dialects.spec import last_day, weekday_of

_READING = Reading("fugit", seconds=True, open_step="end", backwards="wrap")
_MOST_STEPS = 2048
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEK_ONE = date(2019, 1, 1)
_Weekday = tuple[int, int, tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class FugitSpec:
    """Values; empty dates or weekdays restrict nothing. Dates below 1 count from the end."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    dates: frozenset[int]
    months: frozenset[int]
    # Each with its nth of the month (0: every one), or with a count of weeks.
    weekdays: tuple[_Weekday, ...]

    def matches_day(self, day: date) -> bool:
        """Return whether a day fits: either field, where both are restricted."""
        if self.dates and self.weekdays:
            return self._date(day) or self._weekday(day)
        return (not self.dates or self._date(day)) and (not self.weekdays or self._weekday(day))

    def _date(self, day: date) -> bool:
        return day.day in self.dates or day.day - last_day(day) - 1 in self.dates

    def _weekday(self, day: date) -> bool:
        # Only the first entry of a weekday is looked at.
        found = next((each for each in self.weekdays if each[0] == weekday_of(day)), None)
        if found is None:
            return False
        _, nth, modulo = found
        if modulo is not None:
            weeks = (day - _WEEK_ONE).days // 7 + 1
            return (weeks + modulo[1]) % modulo[0] == 0
        from_end = (last_day(day) - day.day) // 7 + 1
        return nth in (0, (day.day + 6) // 7, -from_end)


def read(expression: str) -> FugitSpec:
    """Return what `Fugit::Cron.parse` reads."""
    if expression.strip() == "@noon":
        expression = "0 12 * * *"
    texts = _READING.split(expression)
    seconds, minutes, hours = _READING.times([*texts[:2], re.sub(r"\b24\b", "0", texts[2])])
    dates = frozenset() if _is_star(texts[3]) else frozenset(_dates(texts[3]))
    months = frozenset(_READING.values("month", texts[4]))
    if dates and not _is_star(texts[4]):
        # Months that have none of the days are left out, for the weekdays too.
        months = frozenset(each for each in months if min(dates) <= _LONGEST[each - 1])
    if not months:
        _READING.refuse("day", texts[3], "it never comes in these months")
    return FugitSpec(seconds, minutes, hours, dates, months, _weekdays(texts[5]))


def _is_star(text: str) -> bool:
    return any(item in ("*", "*/1") for item in text.split(","))


def _dates(text: str) -> list[int]:
    found: list[int] = []

    def special(item: str) -> bool:
        match = re.fullmatch(r"(?:(l|last)|(-\d+))", item, re.IGNORECASE)
        if match:
            found.append(-1 if match[1] else int(match[2]))
        return match is not None

    return _READING.values("day", text, special) + found


def _weekdays(text: str) -> tuple[_Weekday, ...]:
    found: set[tuple[int, int, tuple[int, int]]] = set()
    none = (0, 0)
    for item in text.split(","):
        if match := re.fullmatch(r"(\w+)#(-?[1-5]|l|last)", item, re.IGNORECASE):
            nth = -1 if match[2][0] in "Ll" else int(match[2])
            found.add((_READING.number("weekday", item, match[1]) % 7, nth, none))
        elif match := re.fullmatch(r"(\w+)%(\d+)(?:\+(\d+))?", item):
            modulo = (int(match[2]), int(match[3] or 0))
            found.add((_READING.number("weekday", item, match[1]) % 7, 0, modulo))
        elif match := re.fullmatch(r"(\w+)/(\d+)", item):
            # A single weekday with a step is that day alone.
            found.add((_READING.number("weekday", item, match[1]) % 7, 0, none))
        elif match := re.fullmatch(r"\*/(\d+)", item):
            found.update((each, 0, none) for each in range(0, 7, max(int(match[1]), 1)))
        elif item != "*":
            found.update((each % 7, 0, none) for each in _READING.values("weekday", item))
    return tuple((day, nth, modulo if modulo[0] else None) for day, nth, modulo in sorted(found))


def walk(spec: FugitSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when it fires, asked in the zone of the schedule."""
    instant = after.replace(microsecond=0)
    while (found := _next(spec, clock, instant)) is not None:
        yield found
        instant = found


def _next(spec: FugitSpec, clock: LocalClock, after: datetime) -> datetime | None:
    instant, asked = after, after
    for _ in range(_MOST_STEPS):
        wall = clock.wall(instant)
        if instant == asked:
            instant += timedelta(seconds=1)
        elif wall.month not in spec.months:
            following = (wall.replace(day=1) + timedelta(days=31)).replace(
                day=1, hour=0, minute=0, second=0
            )
            shown = clock.instants(following)
            if len(shown) != 1:
                return None  # it raises an error here
            instant = shown[0]
        elif not spec.matches_day(wall.date()):
            instant = _next_day(clock, instant)
        elif wall.hour not in spec.hours:
            instant += timedelta(seconds=3600 - wall.minute * 60 - wall.second)
        elif wall.minute not in spec.minutes:
            instant += timedelta(seconds=60 - wall.second)
        elif wall.second not in spec.seconds:
            later = [each for each in spec.seconds if each > wall.second]
            ahead = later[0] if later else 60 + spec.seconds[0]
            instant += timedelta(seconds=ahead - wall.second)
        elif wall == clock.wall(asked) and clock.offset(instant) != clock.offset(asked):
            asked = instant
        else:
            return instant
    return None


def _next_day(clock: LocalClock, instant: datetime) -> datetime:
    wall = clock.wall(instant)
    seconds = (24 - wall.hour) * 3600 - wall.minute * 60 - wall.second
    found = instant + timedelta(seconds=seconds)
    wall = clock.wall(found)
    if wall.hour == 0:
        return found
    if wall.hour < 12:
        midnight = clock.instants(wall.replace(hour=0, minute=0, second=0))
        if len(midnight) == 1:
            return midnight[0]
    return found + timedelta(hours=24 - wall.hour)
