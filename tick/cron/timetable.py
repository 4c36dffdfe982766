"""When a cron expression fires in a time zone. Pure, and the only importer of croniter.

croniter walks naive wall-clock times; Debian's rule turns them into instants (`local_times.py`).
Minutes or hours that begin with `*` follow real time.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from croniter import CroniterBadDateError, croniter

from tick.cron import local_times
from tick.cron.fields import Expression, times_of_day
from tick.cron.grammar import parse, quote
from tick.cron.local_times import DEFAULT, Dst, LocalTimes, aware, naive
from tick.cron.words import in_words
from tick.cron.zone_data import Zone
from tick.cron.zones import as_zone, check_zone
from tick.errors import InvalidCron

_DAY = timedelta(days=1)


def validate(expression: str, timezone: str) -> None:
    """Raise InvalidCron unless the expression fires at some time and the time zone exists."""
    _timetable(expression, timezone, DEFAULT)


def describe(expression: str, timezone: str) -> str:
    """Return when it fires, in plain English with 24-hour times. Raises InvalidCron."""
    validate(expression, timezone)
    return f"{in_words(parse(expression))} ({timezone})"


# Below, arguments are aware and results aware UTC; each raises InvalidCron for the expression or
# the zone. No instant lies beyond the years that `zones` has a calendar for, 1900 to 2199.


def next_times(
    expression: str, timezone: str | Zone, after: datetime, count: int = 1, *, dst: Dst = DEFAULT
) -> list[datetime]:
    """Return the first `count` instants strictly later than `after`."""
    return local_times.next_times(_timetable(expression, timezone, dst), after, count)


def previous_time(
    expression: str, timezone: str | Zone, at_or_before: datetime, *, dst: Dst = DEFAULT
) -> datetime | None:
    """Return the latest instant that is not later than the given one; None before 1900."""
    return local_times.previous_time(_timetable(expression, timezone, dst), at_or_before)


def times_between(
    expression: str,
    timezone: str | Zone,
    after: datetime,
    until: datetime,
    limit: int = 1000,
    *,
    dst: Dst = DEFAULT,
) -> list[datetime]:
    """Return the first `limit` instants in (after, until]."""
    timetable = _timetable(expression, timezone, dst)
    return local_times.times_between(timetable, after, until, limit)


def count_between(
    expression: str, timezone: str | Zone, after: datetime, until: datetime, *, dst: Dst = DEFAULT
) -> int:
    """Return how many instants lie in (after, until], counted by the day."""
    return local_times.count_between(_timetable(expression, timezone, dst), after, until)


def all_between(
    expression: str, timezone: str | Zone, after: datetime, until: datetime, *, dst: Dst = DEFAULT
) -> list[datetime]:
    """Return all instants in (after, until], listed by the day."""
    return list(_timetable(expression, timezone, dst).listed(naive(after), naive(until)))


@dataclass(frozen=True, slots=True)
class _Timetable(LocalTimes):
    """The instants of one expression in one zone, in naive UTC."""

    fields: Expression

    def clock(self) -> "_WallClock":
        """Return a clock of its own: croniter remembers where it stands."""
        return _WallClock(self.fields)

    def listed(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the instants in (after, until], aware."""
        times = times_of_day(self.fields.hours, self.fields.minutes)
        for substitute, offset, low, high in self.parts(after, until):
            if substitute is not None:
                yield aware(substitute)
            for midnight in self._days(low, high):
                start = aware(midnight - offset)
                instants = [start + time for time in times]
                # Only the first and the last day of a part can be cut.
                if midnight < low or midnight + _DAY > high:
                    lowest, highest = aware(low - offset), aware(high - offset)
                    instants = [each for each in instants if lowest <= each < highest]
                yield from instants

    def _days(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """Yield the midnights of the days that match and have a wall time in [low, high)."""
        if low < high:
            days = map(datetime.fromordinal, range(low.toordinal(), high.toordinal() + 1))
            yield from filter(self.fields.matches_day, days)


def _timetable(expression: str, timezone: str | Zone, dst: Dst) -> _Timetable:
    """Return the timetable. Raises InvalidCron if it never fires or the zone is unknown."""
    try:
        return _known_timetable(expression, as_zone(timezone), dst)
    except (TypeError, KeyError, AttributeError):
        # A value of the wrong type, or an unknown zone: these two raise the error that says so.
        _walker(parse(expression))
        check_zone(timezone)
        raise


@lru_cache(maxsize=4096)
def _known_timetable(expression: str, zone: Zone, dst: Dst) -> _Timetable:
    fields = parse(expression)
    _walker(fields)
    check_zone(zone.name)
    return _Timetable(fields, zone, dst)


class _WallClock:
    """The matching wall times."""

    def __init__(self, fields: Expression) -> None:
        self._walker = copy(_walker(fields))
        # The last answer is kept: each period asks again, and a rare date costs a walk of years.
        self._asked = self._found = datetime.min

    def after(self, wall: datetime) -> datetime:
        """Return the first one strictly later."""
        if not self._asked <= wall < self._found:
            self._asked, self._found = wall, self._walker.get_next(datetime, wall)
        return self._found

    def before(self, wall: datetime) -> datetime:
        """Return the last one strictly earlier."""
        if not self._found < wall <= self._asked:
            self._asked, self._found = wall, self._walker.get_prev(datetime, wall)
        return self._found


@lru_cache(maxsize=4096)
def _walker(fields: Expression) -> croniter:
    """Return a parsed croniter. Raises InvalidCron if it never finds a date."""
    # Shared by the cache, and moved by each question: whoever asks copies it first.
    walker = croniter(fields.plain, datetime(2000, 1, 1))
    try:
        walker.get_next()
    except CroniterBadDateError:
        days = f"day-of-month {quote(fields.texts[2])} in month {quote(fields.texts[3])}"
        raise InvalidCron(f"{days} never comes; write a day that the month has") from None
    return walker
