"""Celery: the next time on the wall after the last one, both day fields at once."""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import product

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading
from tick.cron.dialects.spec import Dates, Spec, Weekdays, days
from tick.cron.dialects.walks import LONGEST_WAIT

_READING = Reading(
    "celery",
    weekday=(0, 6),
    star_weekday=(0, 6),
    backwards="wrap",
    open_step="refuse",
    aliases=(),
)
# Of a name only three letters are looked at, so mon#2 is every Monday.
_NAME = re.compile(r"([a-z]{3})[^,/-]*", re.IGNORECASE)
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def read(expression: str) -> Spec:
    """Return what `crontab.from_string` reads."""
    texts = _READING.split(expression)
    texts[4:] = [_NAME.sub(r"\1", text) for text in texts[4:]]
    seconds, minutes, hours = _READING.times(texts)
    dates = Dates(frozenset(_READING.values("day", texts[3])))
    weekdays = Weekdays(frozenset(_READING.values("weekday", texts[5])))
    months = _READING.values("month", texts[4])
    if min(dates.numbers) > max(_LONGEST[month - 1] for month in months):
        _READING.refuse("day", texts[3], "it never comes in these months")
    matches = days(months, dates, weekdays, all)
    return Spec(seconds, minutes, hours, matches)


def walk(spec: Spec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when beat finds it due: a skipped time later, a repeated one in its first pass."""
    times = [time(*each) for each in product(spec.hours, spec.minutes, spec.seconds)]
    last, wall = after, clock.wall(after)
    while (found := _next_wall(spec, times, wall)) is not None:
        wall = found
        instant = clock.earlier(wall)
        if instant > last:
            yield instant
            # A time that spring skips has moved the wall on.
            last, wall = instant, clock.wall(instant)


def _next_wall(spec: Spec, times: list[time], wall: datetime) -> datetime | None:
    for ahead in range(LONGEST_WAIT.days):
        day = wall.date() + timedelta(days=ahead)
        if spec.matches_day(day):
            for each in times:
                if datetime.combine(day, each) > wall:
                    return datetime.combine(day, each)
    return None
