"""robfig/cron, the parser inside Kubernetes: steps of the clock, whole hours at a time."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading
from tick.cron.dialects.spec import Dates, Spec, Weekdays, days

_READING = Reading("robfig-cron", stars="*?", weekday=(0, 6), star_weekday=(0, 6))
_MOST_YEARS = 5


def read(expression: str) -> Spec:
    """Return what `ParseStandard` reads."""
    texts = _READING.split(expression)
    seconds, minutes, hours = _READING.times(texts)
    dates = Dates(frozenset(_READING.values("day", texts[3])))
    weekdays = Weekdays(frozenset(_READING.values("weekday", texts[5])))
    either = not _starred(texts[3]) and not _starred(texts[5])
    matches = days(_READING.values("month", texts[4]), dates, weekdays, any if either else all)
    return Spec(seconds, minutes, hours, matches)


def _starred(text: str) -> bool:
    """Return whether an item is a star without a step: */2 restricts a field."""
    stars = {sign + step for sign in _READING.stars for step in ("", "/1")}
    return any(item in stars for item in text.split(","))


def walk(spec: Spec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when its scheduler fires."""
    instant = after
    while (found := _next(spec, clock, instant)) is not None:
        yield found
        instant = found


def _next(spec: Spec, clock: LocalClock, after: datetime) -> datetime | None:
    instant = after.replace(microsecond=0) + timedelta(seconds=1)
    last_year = clock.wall(instant).year + _MOST_YEARS
    moved = False
    while clock.wall(instant).year <= last_year:
        while not spec.matches_day(clock.wall(instant).date()):
            instant = _next_day(clock, instant, moved)
            moved = True
            if clock.wall(instant).year > last_year:
                return None
        for unit, wanted, size in (
            ("hour", spec.hours, 3600),
            ("minute", spec.minutes, 60),
            ("second", spec.seconds, 1),
        ):
            # What is above a unit is looked at again only where that comes to 0.
            found = _step(clock, instant, unit, wanted, timedelta(seconds=size), moved)
            stepped, instant = found != instant, found
            moved = moved or stepped
            if stepped and getattr(clock.wall(instant), unit) == 0:
                break
        else:
            return instant
    return None


def _step(
    clock: LocalClock,
    instant: datetime,
    unit: str,
    wanted: tuple[int, ...],
    size: timedelta,
    moved: bool,
) -> datetime:
    """Return the next instant whose unit is wanted, or at which it is 0."""
    wall = clock.wall(instant)
    if getattr(wall, unit) in wanted:
        return instant
    if not moved:
        rounded = wall.replace(minute=0) if unit == "hour" else wall
        rounded = wall if unit == "second" else rounded.replace(second=0)
        instant = _go_date(clock, rounded) if unit == "hour" else instant - (wall - rounded)
    while getattr(wall, unit) not in wanted:
        instant += size
        wall = clock.wall(instant)
        if getattr(wall, unit) == 0:
            break
    return instant


def _next_day(clock: LocalClock, instant: datetime, moved: bool) -> datetime:
    wall = clock.wall(instant)
    if not moved:
        wall = clock.wall(_go_date(clock, wall.replace(hour=0, minute=0, second=0)))
    found = _go_date(clock, wall + timedelta(days=1))
    # Where midnight is missing it goes back, or on, by whole hours: minutes stay as they are.
    hour = clock.wall(found).hour
    return found + timedelta(hours=24 - hour if hour > 12 else -hour)


def _go_date(clock: LocalClock, wall: datetime) -> datetime:
    """Return the instant that Go makes of a wall time: by the offset that it first guesses."""
    offset = clock.offset(wall)
    if clock.offset(wall - offset) != offset:
        offset = clock.offset(wall - offset)
    return wall - offset
