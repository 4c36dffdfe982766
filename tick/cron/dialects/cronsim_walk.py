"""cronsim: Debian's rule for fixed times, steps of the clock for all others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.reading import Reading
from tick.cron.dialects.spec import Dates, DayTest, Spec, Weekdays, days

_READING = Reading("cronsim", seconds=True, aliases=())
_MOST_YEARS = 50
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class CronsimSpec:
    """What cronsim reads, and whether it is fixed: neither minutes nor hours begin with a star."""

    times: Spec
    months: frozenset[int]
    fixed: bool


def read(expression: str) -> CronsimSpec:
    """Return what cronsim reads."""
    texts = _READING.split(expression)
    seconds, minutes, hours = _READING.times(texts)
    months = frozenset(_READING.values("month", texts[4]))
    both = texts[3].startswith("*") or texts[5].startswith("*")
    dates, weekdays = _dates(texts[3]), _weekdays(texts[5])
    if both and dates.numbers and not dates.before_last and not dates.last_working:
        longest = max(_LONGEST[month - 1] for month in months)
        if min(dates.numbers) > longest:
            _READING.refuse("day", texts[3], f"these months have at most {longest} days")
    fixed = not texts[1].startswith("*") and not texts[2].startswith("*")
    spec = Spec(seconds, minutes, hours, days(months, dates, weekdays, all if both else any))
    return CronsimSpec(spec, months, fixed and len(expression.split()) == 5)


def _dates(text: str) -> Dates:
    last, working = [], []

    def special(item: str) -> bool:
        if item.upper() == "LW":
            working.append(item)
        elif item.upper() == "L":
            last.append(0)
        else:
            return False
        return True

    numbers = _READING.values("day", text, special)
    return Dates(frozenset(numbers), frozenset(last), last_working=bool(working))


def _weekdays(text: str) -> DayTest:
    nth, last = [], []

    def special(item: str) -> bool:
        match = re.fullmatch(r"(\w+)#([1-5])|(\d+)L", item, re.IGNORECASE)
        if match is None:
            return False
        if match[3]:
            last.append(_READING.number("weekday", item, match[3]) % 7)
        else:
            nth.append((_READING.number("weekday", item, match[1]) % 7, int(match[2])))
        return True

    weekly = _READING.values("weekday", text, special)
    return Weekdays(frozenset(each % 7 for each in weekly), frozenset(nth), frozenset(last))


def walk(spec: CronsimSpec, clock: LocalClock, after: datetime) -> Iterator[datetime]:
    """Yield when it fires."""
    start = after.replace(microsecond=0)
    zone = clock.zone
    now = start.replace(tzinfo=UTC).astimezone(zone)
    if spec.fixed:
        # The wall alone is walked; instants are made of its times at the end.
        now = now.replace(tzinfo=None)
    while (found := _advance(spec, _later(now, 1))) is not None:
        now = found
        if not spec.fixed:
            yield now.astimezone(UTC).replace(tzinfo=None)
            continue
        wall = now
        while not clock.instants(wall):
            wall += timedelta(minutes=1)
        now = wall
        yield clock.earlier(wall)


def _later(now: datetime, seconds: int) -> datetime:
    if now.tzinfo is None:
        return now + timedelta(seconds=seconds)
    return (now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(now.tzinfo)


def _advance(spec: CronsimSpec, now: datetime) -> datetime | None:
    times = spec.times
    last_year = now.year + _MOST_YEARS
    while now.year <= last_year:
        if now.month not in spec.months or not times.matches_day(now.date()):
            following = _next_day(spec, now.date(), last_year)
            now = datetime.combine(following, time(), tzinfo=now.tzinfo)
        elif now.hour not in times.hours:
            now = now.replace(minute=0, second=0)
            while now.hour not in times.hours:
                now = _later(now, 3600)
                if now.hour == 0:
                    break
        elif now.minute not in times.minutes:
            now = _to(now.replace(second=0), times.minutes, "minute", 60)
        elif now.second not in times.seconds:
            now = _to(now, times.seconds, "second", 1)
        else:
            return now
    return None


def _next_day(spec: CronsimSpec, day: date, last_year: int) -> date:
    while day.year <= last_year and not spec.times.matches_day(day):
        day += timedelta(days=1)
    return day


def _to(now: datetime, wanted: tuple[int, ...], unit: str, size: int) -> datetime:
    """Return the next time that has a wanted value, or the next hour (minute) before it."""
    if len(wanted) == 1:
        now = _later(now, (wanted[0] - getattr(now, unit)) % 60 * size)
    while getattr(now, unit) not in wanted:
        now = _later(now, size)
        if getattr(now, unit) == 0:
            break
    return now
