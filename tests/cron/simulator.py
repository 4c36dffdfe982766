"""A cron daemon that walks every real minute by Debian's rules, to judge `tick.cron.timetable` by.

It shares nothing with the product but zoneinfo: its own reading of the fields, its own clock.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tick.cron.zone_data import find_zone

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NAMES = {
    3: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    4: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]


def wall_of(zone: ZoneInfo, instant: datetime) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def clock_changes(zone: str, year: int) -> list[datetime]:
    """The instants of one year at which the clock is moved, to the second."""
    return _clock_changes(find_zone(zone), year)


@cache
def _clock_changes(info: ZoneInfo, year: int) -> list[datetime]:
    found = []
    instant = datetime(year, 1, 1, tzinfo=UTC) - HOUR
    wall = wall_of(info, instant)
    while instant < datetime(year + 1, 1, 1, tzinfo=UTC) - HOUR:
        later = instant + HOUR
        before, wall = wall, wall_of(info, later)
        if wall - before != HOUR:
            while wall_of(info, instant + MINUTE) - wall_of(info, instant) == MINUTE:
                instant += MINUTE
            second = timedelta(seconds=1)
            while wall_of(info, instant + second) - wall_of(info, instant) == second:
                instant += second
            found.append(instant + second)
        instant = later
    return found


class Daemon:
    """A stretch of real time, minute by minute: what the clock on the wall showed and skipped.

    It is asked about what lies within `judged` of its middle; what it walks beyond that tells
    whether a wall time there is the first or the last of its kind.
    """

    def __init__(self, zone: str, middle: datetime, window: timedelta, judged: timedelta) -> None:
        passes: dict[datetime, list[datetime]] = defaultdict(list)
        self.leaps: list[tuple[datetime, list[datetime]]] = []
        before = None
        for instant, wall in _minutes(find_zone(zone), middle - window, middle + window):
            passes[wall].append(instant)
            if before is not None and wall > before + MINUTE:
                skipped = [before + MINUTE * n for n in range(1, (wall - before) // MINUTE)]
                self.leaps.append((instant, skipped))
            before = wall
        self._is_judged = lambda instant: abs(instant - middle) <= judged
        self.passes = {
            wall: instants
            for wall, instants in passes.items()
            if any(map(self._is_judged, instants))
        }

    def fires(
        self, expression: str, gap: str = "first_valid", fold: str = "first"
    ) -> list[datetime]:
        """Every judged instant at which the daemon starts the job."""
        matches = matcher(expression)
        minute, hour = expression.split()[:2]
        if minute.startswith("*") or hour.startswith("*"):
            gap, fold = "skip", "both"
        chosen = {"first": slice(0, 1), "second": slice(-1, None), "both": slice(None)}[fold]
        found = {
            instant
            for wall, instants in self.passes.items()
            if matches(wall)
            for instant in instants[chosen]
        }
        if gap == "first_valid":
            found |= {
                instant
                for instant, skipped in self.leaps
                if len(skipped) <= 180 and any(map(matches, skipped))
            }
        return sorted(filter(self._is_judged, found))


def _minutes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The real instants at which the clock on the wall shows a whole minute."""
    instant, wall = start, wall_of(zone, start)
    while instant < end:
        if wall.second == 0:
            yield instant, wall
            later = instant + MINUTE
            if (shown := wall_of(zone, later)) - wall == MINUTE:
                instant, wall = later, shown
                continue
        instant += timedelta(seconds=1)
        wall = wall_of(zone, instant)


def matcher(expression: str) -> Callable[[datetime], bool]:
    """Whether a wall time matches, field by field."""
    texts = expression.lower().split()
    minutes, hours, _, months, _ = (_values(n, text) for n, text in enumerate(texts))
    days: dict[date, bool] = {}

    def matches(wall: datetime) -> bool:
        if wall.minute not in minutes or wall.hour not in hours or wall.month not in months:
            return False
        day = wall.date()
        if day not in days:
            days[day] = _day_matches(texts[2], texts[4], day)
        return days[day]

    return matches


def _day_matches(day_text: str, weekday_text: str, day: date) -> bool:
    by_day = any(_is_day(item, day) for item in day_text.split(","))
    by_weekday = any(_is_weekday(item, day) for item in weekday_text.split(","))
    if "*" in (day_text, weekday_text):
        return by_day and by_weekday
    return by_day or by_weekday


def _is_day(item: str, day: date) -> bool:
    if item == "l":
        return day.day == monthrange(day.year, day.month)[1]
    return day.day in _values(2, item)


def _is_weekday(item: str, day: date) -> bool:
    weekday = day.isoweekday() % 7
    if item.startswith("l"):
        return weekday == int(item[1:]) and day.day + 7 > monthrange(day.year, day.month)[1]
    if "#" in item:
        wanted, nth = item.split("#")
        return weekday == int(wanted) and 7 * (int(nth) - 1) < day.day <= 7 * int(nth)
    return weekday in {value % 7 for value in _values(4, item)}


def _values(field: int, text: str) -> set[int]:
    found: set[int] = set()
    for item in text.split(","):
        if item[0] == "l" or "#" in item:
            continue
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        low, high = BOUNDS[field] if span == "*" else (_number(field, first), 0)
        high = high or (_number(field, last) if last else low)
        found.update(range(low, high + 1, int(step or 1)))
    return found


def _number(field: int, text: str) -> int:
    names = NAMES.get(field, [])
    return names.index(text) + BOUNDS[field][0] if text in names else int(text)
