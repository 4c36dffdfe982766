"""When wall times come in a time zone: the rule for clock changes, whatever names the times. Pure.

A time that the spring change skips comes at the first valid minute, one that the autumn change
repeats comes once; times that follow real time are left as the clock shows them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Protocol

from tick.cron.grammar import quote
from tick.cron.zone_data import Zone
from tick.cron.zones import (
    FIRST_YEAR,
    LAST_YEAR,
    ZonePeriod,
    periods_back_from,
    periods_from,
)
from tick.errors import InvalidCron

# Debian's cron takes a larger leap for a corrected clock and makes up for nothing.
_LONGEST_SUBSTITUTED_GAP = timedelta(hours=3)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_BEFORE_ALL, _AFTER_ALL = datetime(FIRST_YEAR - 1, 1, 1), datetime(LAST_YEAR + 1, 1, 1)
_GAPS = ("first_valid", "skip")
_FOLDS = ("first", "second", "both")


@dataclass(frozen=True, slots=True)
class Dst:
    """The choice for fixed times that a clock change skips (gap) or repeats (fold).

    `gap` is "first_valid" (if no more than 3 hours are skipped) or "skip"; `fold` is "first",
    "second" or "both". Expressions that follow real time ignore both.
    """

    gap: str = "first_valid"
    fold: str = "first"

    def __post_init__(self) -> None:
        if self.gap not in _GAPS:
            raise InvalidCron(f"dst gap {quote(self.gap)}: write one of {', '.join(_GAPS)}")
        if self.fold not in _FOLDS:
            raise InvalidCron(f"dst fold {quote(self.fold)}: write one of {', '.join(_FOLDS)}")


DEFAULT = Dst()
_Part = tuple[datetime | None, timedelta, datetime, datetime]


class WallTimes(Protocol):
    """Times on the wall, naive, without a zone."""

    @property
    def follows_real_time(self) -> bool:
        """Whether they come in both passes of a repeated hour, and not for a skipped one."""

    def count(self, first: datetime, end: datetime) -> int:
        """Return how many lie in [first, end)."""


class WallClock(Protocol):
    """Finds the next of some wall times."""

    def after(self, wall: datetime) -> datetime:
        """Return the first one strictly later."""

    def before(self, wall: datetime) -> datetime:
        """Return the last one strictly earlier; long ago if there is none."""


@dataclass(frozen=True, slots=True)
class LocalTimes(ABC):
    """The instants of some wall times in one zone, in naive UTC."""

    fields: WallTimes
    timezone: Zone
    dst: Dst

    @abstractmethod
    def clock(self) -> WallClock:
        """Return a clock for the wall times, to be asked in order."""

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Yield all instants strictly later, in order."""
        walls = self.clock()
        for period in periods_from(self.timezone, instant):
            substitute = self._gap_substitute(period)
            if substitute is not None and substitute > instant:
                yield substitute
                # The minute itself may match as well: it fires once.
                instant = substitute
            first, end = self._wall_times_of(period)
            wall = walls.after(max(instant + period.offset, first - _SECOND))
            while wall < end:
                yield wall - period.offset
                wall = walls.after(wall)

    def latest(self, instant: datetime) -> datetime | None:
        """Return the latest instant that is not later."""
        walls = self.clock()
        for period in periods_back_from(self.timezone, instant):
            first, end = self._wall_times_of(period)
            wall = walls.before(min(minute_after(instant + period.offset), end))
            if wall >= first:
                return wall - period.offset
            substitute = self._gap_substitute(period)
            if substitute is not None and substitute <= instant:
                return substitute
        return None

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many instants lie in (after, until]."""
        return sum(
            (substitute is not None) + self.fields.count(low, high)
            for substitute, _, low, high in self.parts(after, until)
        )

    def parts(self, after: datetime, until: datetime) -> Iterator[_Part]:
        """Yield of each period in (after, until] substitute, offset and wall times [low, high)."""
        for period in periods_from(self.timezone, after):
            if period.start > until:
                return
            substitute = self._gap_substitute(period)
            if substitute is not None and after < substitute <= until:
                after = substitute
            else:
                substitute = None
            first, end = self._wall_times_of(period)
            low = max(minute_after(after + period.offset), first)
            yield substitute, period.offset, low, min(minute_after(until + period.offset), end)

    def _wall_times_of(self, period: ZonePeriod) -> tuple[datetime, datetime]:
        """Return the wall times [first, end) of a period at which it may fire."""
        first, end = period.start + period.offset, period.end + period.offset
        if self.fields.follows_real_time or self.dst.fold == "both":
            return first, end
        if self.dst.fold == "first":
            return max(first, period.repeated_until), end
        return first, min(end, period.repeats_from)

    def _gap_substitute(self, period: ZonePeriod) -> datetime | None:
        """Return the first valid minute, if the clock leapt over a time at which it had to fire."""
        if self.fields.follows_real_time or self.dst.gap == "skip":
            return None
        valid = period.start + period.offset
        is_clock_change = period.gap <= _LONGEST_SUBSTITUTED_GAP
        if is_clock_change and self.fields.count(valid - period.gap, valid):
            return minute_after(valid - _SECOND) - period.offset
        return None


# Below, arguments are aware and results aware UTC. No instant lies beyond the years that `zones`
# has a calendar for, 1900 to 2199.


def next_times(times: LocalTimes, after: datetime, count: int = 1) -> list[datetime]:
    """Return the first `count` instants strictly later than `after`."""
    start = naive(after)
    if count == 1:
        return list(_next(times, start))
    return list(map(aware, islice(times.after(start), count)))


def previous_time(times: LocalTimes, at_or_before: datetime) -> datetime | None:
    """Return the latest instant that is not later than the given one; None before 1900."""
    return _previous(times, naive(at_or_before))


def times_between(
    times: LocalTimes, after: datetime, until: datetime, limit: int
) -> list[datetime]:
    """Return the first `limit` instants in (after, until]."""
    end = naive(until)
    instants = takewhile(lambda instant: instant <= end, times.after(naive(after)))
    return list(map(aware, islice(instants, limit)))


def count_between(times: LocalTimes, after: datetime, until: datetime) -> int:
    """Return how many instants lie in (after, until]."""
    return times.count(naive(after), naive(until))


# Many schedules share an expression and a zone, and in a tick all ask about the same instants.
@lru_cache(maxsize=16384)
def _next(times: LocalTimes, after: datetime) -> tuple[datetime, ...]:
    return tuple(map(aware, islice(times.after(after), 1)))


@lru_cache(maxsize=16384)
def _previous(times: LocalTimes, at_or_before: datetime) -> datetime | None:
    found = times.latest(at_or_before)
    return found and aware(found)


def minute_after(instant: datetime) -> datetime:
    """Return the first whole minute that is strictly later."""
    return instant.replace(second=0, microsecond=0) + _MINUTE


def aware(instant: datetime) -> datetime:
    """Return naive UTC as an aware instant."""
    return instant.replace(tzinfo=UTC)


def naive(instant: datetime) -> datetime:
    """Return an aware instant as naive UTC, cut to the years that have a calendar here."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: instants must be aware")
    return min(max(instant.astimezone(UTC).replace(tzinfo=None), _BEFORE_ALL), _AFTER_ALL)
