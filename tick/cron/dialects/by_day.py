"""The instants of the other side and of ours, by the day: clock changes as walked, the rest plain.

On a day without a clock change an expression fires at its wall times; only around the others the
engine itself is walked, from the last instant before them. So a year of minutes takes no minute.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise, takewhile

from tick.cron import timetable
from tick.cron.dialects import Dialect
from tick.cron.dialects.local_clock import LocalClock
from tick.cron.dialects.plain_days import Plain, plain
from tick.cron.local_times import Dst
from tick.cron.zone_data import Zone
from tick.cron.zones import as_zone, periods_from

_DAY = timedelta(days=1)
# More than the days between two instants of one that fires each year.
_FAR = 400
# What an engine remembers of a clock change is gone by then.
_BEFORE, _AFTER = timedelta(hours=3), timedelta(hours=30)


Run = tuple[date, date]


@dataclass(frozen=True)
class Span:
    """The instants in (start, end] of a zone, aware UTC; whole days, those of clock changes apart.

    `unsettled` are runs of local days around a clock change, each by its first and last day.
    """

    start: datetime
    end: datetime
    zone: str | Zone

    @staticmethod
    def around(instant: datetime, zone: str | Zone) -> "Span":
        """Return the days beside an instant (naive UTC)."""
        at = instant.replace(tzinfo=UTC)
        return Span(at - 3 * _DAY, at + 3 * _DAY, zone)

    @cached_property
    def clock(self) -> LocalClock:
        """The clock on the wall."""
        return LocalClock(as_zone(self.zone).tzinfo)

    @cached_property
    def unsettled(self) -> list[Run]:
        """The runs of days around clock changes, in order; those that touch are one."""
        first, last = _naive(self.start) - _AFTER, _naive(self.end) + _BEFORE
        periods = takewhile(lambda each: each.start <= last, periods_from(self.zone, first))
        found: list[Run] = []
        for before, period in pairwise(periods):
            # A period also ends with its year.
            if before.offset == period.offset:
                continue
            begin = self.clock.wall(period.start - _BEFORE).date()
            stop = self.clock.wall(period.start + _AFTER).date()
            if found and begin <= found[-1][1] + _DAY:
                found[-1] = (found[-1][0], stop)
            else:
                found.append((begin, stop))
        return found

    def runs(self, named: Plain) -> list[Run]:
        """Return the same runs, each up to the next day that matches: an engine may lose that."""
        found: list[Run] = []
        for first, last in self.unsettled:
            ahead = (last + _DAY * number for number in range(1, _FAR))
            stop = next((day for day in ahead if named.matches_day(day)), last)
            if found and first <= found[-1][1] + _DAY:
                found[-1] = (found[-1][0], max(stop, found[-1][1]))
            else:
                found.append((first, stop))
        return found

    def settled(self, runs: list[Run]) -> list[date]:
        """Return the days that are in none of the runs, in order."""
        first = self.clock.wall(_naive(self.start)).date()
        last = self.clock.wall(_naive(self.end)).date()
        days = (first + _DAY * number for number in range((last - first).days + 1))
        return [day for day in days if not any(a <= day <= b for a, b in runs)]

    def midnight(self, day: date) -> datetime:
        """Return the first instant of a local day, naive UTC."""
        return self.clock.earlier(datetime.combine(day, time()))

    def bounds(self, run: Run) -> tuple[datetime, datetime]:
        """Return the instants of a run of days as [first, end), naive UTC."""
        return self.midnight(run[0]), self.midnight(run[1] + _DAY)


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def on_settled_day(asked: Plain, span: Span, day: date) -> list[datetime]:
    """Return the instants of a day without a clock change, naive UTC, in the span."""
    if not asked.matches_day(day):
        return []
    midnight = span.midnight(day)
    found = [midnight + timedelta(seconds=_seconds(each)) for each in asked.times]
    start, end = _naive(span.start), _naive(span.end)
    return (
        found
        if start < midnight and midnight + _DAY <= end
        else [each for each in found if start < each <= end]
    )


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


# Each candidate of ours is compared with the same ones.
@lru_cache(maxsize=64)
def theirs_around(engine: Dialect, expression: str, span: Span, run: Run) -> tuple[datetime, ...]:
    """Return what an engine fires on days around a clock change, naive UTC, in the span."""
    spec = engine.parse(expression)
    named = plain(spec)
    first, end = span.bounds(run)
    start = _last_before(named, span, run[0]) or first - timedelta(seconds=1)
    # The next one would be searched for far beyond, by some a minute at a time.
    last = span.midnight(run[1]) + timedelta(seconds=_seconds(named.times[-1]))
    found: list[datetime] = []
    for each in engine.walk(spec, span.clock, start):
        if each < end and each >= first and _inside(span, each):
            found.append(each)
        if each >= last:
            break
    return tuple(found)


def _last_before(named: Plain, span: Span, day: date) -> datetime | None:
    """Return the last instant before a day, on the way back to the clock change before."""
    if not named.times:
        return None
    for earlier in range(1, _FAR):
        tried = day - _DAY * earlier
        if any(a <= tried <= b for a, b in span.unsettled):
            return None
        if named.matches_day(tried):
            return span.midnight(tried) + timedelta(seconds=_seconds(named.times[-1]))
    return None


def ours_around(expression: str, dst: Dst, span: Span, run: Run) -> list[datetime]:
    """Return what our rule names on those days."""
    first, end = (each.replace(tzinfo=UTC) for each in span.bounds(run))
    moment = timedelta(seconds=1)
    found = timetable.all_between(expression, span.zone, first - moment, end - moment, dst=dst)
    return [each for each in map(_naive, found) if _inside(span, each)]


def _inside(span: Span, instant: datetime) -> bool:
    return _naive(span.start) < instant <= _naive(span.end)
