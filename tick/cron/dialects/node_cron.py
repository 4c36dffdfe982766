"""node-cron (npm): both day fields must match, and of a repeated hour one pass is silent."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import product

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading
from tick.cron.dialects.spec import Dates, Spec, Weekdays, days

_READING = Reading(
    "node-cron", seconds=True, open_step="refuse", star_weekday=(0, 6), backwards="wrap"
)
_LONG_NAMES = re.compile(
    "(jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)(uary|ruary|ch|il|e|y|ust|tember|ober|ember)|"
    "(sun|mon|tue|wed|thu|fri|sat)(day|sday|nesday|rsday|urday)",
    re.IGNORECASE,
)
# So the library itself: an expression without a match is given up.
_MOST_DAYS = 366 * 100


def read(expression: str) -> Spec:
    """Return what node-cron reads."""
    texts = _READING.split(expression)
    texts[3], texts[5] = (texts[3].replace("?", "*"), texts[5].replace("?", "*"))
    texts[4:] = [_LONG_NAMES.sub(_short, text) for text in texts[4:]]
    seconds, minutes, hours = _READING.times(texts)
    months = _READING.values("month", texts[4])
    matches = days(months, _dates(texts[3]), _weekdays(texts[5]), all)
    return Spec(seconds, minutes, hours, matches)


def _short(match: re.Match[str]) -> str:
    return match[0][:3]


def _dates(text: str) -> Dates:
    before_last, nearest, working = [], [], []

    def special(item: str) -> bool:
        upper = item.upper()
        if match := re.fullmatch(r"L(?:-(\d\d?))?", upper):
            before_last.append(int(match[1] or 0))
        elif upper == "LW":
            working.append(item)
        elif match := re.fullmatch(r"(\d\d?)W", upper):
            nearest.append(_READING.number("day", item, match[1]))
        else:
            return False
        return True

    numbers = _READING.values("day", text, special)
    return Dates(
        frozenset(numbers), frozenset(before_last), frozenset(nearest), last_working=bool(working)
    )


def _weekdays(text: str) -> Weekdays:
    nth, last = [], []

    def special(item: str) -> bool:
        match = re.fullmatch(r"(\w+?)(?:#([1-5])|L)", item, re.IGNORECASE)
        if match is None or item.upper().endswith("JUL"):
            return False
        weekday = _READING.number("weekday", item, match[1]) % 7
        if match[2]:
            nth.append((weekday, int(match[2])))
        else:
            last.append(weekday)
        return True

    weekly = _READING.values("weekday", text, special)
    return Weekdays(frozenset(each % 7 for each in weekly), frozenset(nth), frozenset(last))


def walk(spec: Spec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when node-cron fires."""
    times = [time(*each) for each in product(spec.hours, spec.minutes, spec.seconds)]
    instant = after.replace(microsecond=0)
    while (found := _next(spec, clock, instant, times)) is not None:
        yield found
        instant = found


def _next(spec: Spec, clock: LocalClock, after: datetime, times: list[time]) -> datetime | None:
    start = clock.wall(after)
    for ahead in range(_MOST_DAYS):
        try:
            day = start.date() + timedelta(days=ahead)
        except OverflowError:
            return None
        if not spec.matches_day(day):
            continue
        for each in times:
            # The rest of the first day is what the wall has not shown: after a step back over
            # an hour, the times of its first pass count as past.
            if ahead == 0 and each <= start.time():
                continue
            found = _instant(clock, day, each)
            if found is not None and found > after:
                return found
    return None


def _instant(clock: LocalClock, day: date, at: time) -> datetime | None:
    """Return the instant of a wall time: of a repeated one, as seen from the same time in UTC."""
    wall = datetime.combine(day, at)
    offset = clock.offset(wall)
    first = wall - offset
    other = clock.offset(first)
    found = [each for each in (first, wall - other) if clock.wall(each) == wall]
    return found[0] if found else None
