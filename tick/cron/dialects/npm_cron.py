"""cron (npm): it walks the wall as if it were UTC, then mends what a clock change makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.luxon_time import LuxonTime
from tick.cron.dialects.reading import FIVE, NAMES, Reading
from tick.cron.dialects.spec import sunday_zero, weekday_of

_READING = Reading(
    "cron",
    seconds=True,
    aliases=("@yearly", "@monthly", "@weekly", "@daily", "@hourly"),
)
_PRESETS = {
    "@minutely": "0 * * * * *",
    "@secondly": "* * * * * *",
    "@weekdays": "0 0 0 * * 1-5",
    "@weekends": "0 0 0 * * 0,6",
}
# Of a repeated time the library first takes the pass that has the offset of the day of asking;
# the rows were measured on this one.
_ASKED = datetime(2026, 11, 29, 12)
_MOST_YEARS = 8
_HALF_HOUR, _HOUR = timedelta(minutes=30), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NpmSpec:
    """The values of each field, Sunday as 0."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    dates: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def matches_day(self, day: datetime) -> bool:
        """Return whether a day fits: either field, where both are restricted."""
        by_date, by_weekday = day.day in self.dates, weekday_of(day) in self.weekdays
        if len(self.dates) < 31 and len(self.weekdays) < 7:
            return by_date or by_weekday
        return by_date and by_weekday


def read(expression: str) -> NpmSpec:
    """Return what cron reads; names of months and days stand for their number anywhere."""
    texts = _READING.split(_PRESETS.get(expression.strip().lower(), expression))
    numbered = [_numbers(text) for text in texts]
    values = [
        frozenset(_READING.values(*each)) for each in zip(("second", *FIVE), numbered, strict=True)
    ]
    seconds, minutes, hours, dates, months, weekdays = values
    return NpmSpec(seconds, minutes, hours, dates, months, sunday_zero(weekdays))


def _numbers(text: str) -> str:
    for names in NAMES.values():
        for name, number in names.items():
            text = text.lower().replace(name, str(number))
    return text


def walk(spec: NpmSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield what it answers to the question after the answer before."""
    start, last = after, after + timedelta(days=366 * _MOST_YEARS)
    while (wall := _next_wall(spec, clock.wall(start).replace(microsecond=0), last)) is not None:
        found = _instant(clock, wall, start)
        # An answer that does not go on would be given for ever.
        if found <= start:
            return
        yield found
        start = found


def _next_wall(spec: NpmSpec, start: datetime, last: datetime) -> datetime | None:
    wall = start
    while wall <= last:
        if wall.month not in spec.months:
            following = wall.replace(day=1) + timedelta(days=31)
            wall = following.replace(day=1, hour=0, minute=0, second=0)
        elif not spec.matches_day(wall):
            wall = (wall + timedelta(days=1)).replace(hour=0, minute=0, second=0)
        elif wall.hour not in spec.hours:
            wall = (wall + _HOUR).replace(minute=0, second=0)
        elif wall.minute not in spec.minutes:
            wall = (wall + timedelta(minutes=1)).replace(second=0)
        elif wall == start or wall.second not in spec.seconds:
            wall += timedelta(seconds=1)
        else:
            return wall
    return None


def _instant(clock: LocalClock, wall: datetime, start: datetime) -> datetime:
    asked = clock.offset(_ASKED)
    found = LuxonTime(clock, clock.near(wall, asked))
    new_year = wall.replace(month=1, day=1, hour=0, minute=0, second=0)
    standard = clock.offset(clock.near(new_year, asked))
    moved = (found.wall.hour, found.wall.minute) != (wall.hour, wall.minute)
    if moved and found.offset != standard:
        # The minutes of summer time are walked back to the first of them.
        while found.plus(-60).offset != standard:
            found = found.plus(-60)
        return found.instant
    hour, two_hours = found.plus(-3600), found.plus(-7200)
    repeats = hour.wall.hour in (found.wall.hour, two_hours.wall.hour)
    if repeats and hour.instant > start:
        found = hour
    half = found.plus(-1800)
    if half.wall.minute in (found.wall.minute, hour.wall.minute) and half.instant > start:
        found = half
    return found.instant
