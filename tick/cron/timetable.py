"""When a cron expression fires in a time zone. Pure, and the only importer of croniter.

croniter walks naive wall-clock times; which instants those are is decided here, by the rule of
Debian's cron: a time that the spring change skips fires at the first valid minute, a time that
the autumn change repeats fires once, and what runs by `*` minutes or hours follows real time.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile

from croniter import CroniterBadDateError, croniter

from tick.cron.fields import Expression
from tick.cron.grammar import parse, quote
from tick.cron.hashed_slots import resolve
from tick.cron.words import in_words
from tick.cron.zone_data import Zone
from tick.cron.zones import (
    FIRST_YEAR,
    LAST_YEAR,
    ZonePeriod,
    as_zone,
    check_zone,
    periods_back_from,
    periods_from,
)
from tick.errors import InvalidCron

__all__ = [
    "DEFAULT",
    "Dst",
    "all_between",
    "count_between",
    "describe",
    "next_times",
    "previous_time",
    "resolve",
    "times_between",
    "validate",
]

# Debian's cron takes a larger leap for a corrected clock and makes up for nothing.
_LONGEST_SUBSTITUTED_GAP = timedelta(hours=3)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_BEFORE_ALL, _AFTER_ALL = datetime(FIRST_YEAR - 1, 1, 1), datetime(LAST_YEAR + 1, 1, 1)
_GAPS = ("first_valid", "skip")
_FOLDS = ("first", "second", "both")


@dataclass(frozen=True, slots=True)
class Dst:
    """What becomes of a fixed time that a clock change skips (gap) or repeats (fold).

    `gap` is "first_valid" (at the first valid minute, if no more than 3 hours are skipped) or
    "skip", `fold` is "first", "second" or "both". The default is Debian's rule. Expressions
    whose minute or hour begins with `*` follow real time whatever stands here.
    """

    gap: str = "first_valid"
    fold: str = "first"

    def __post_init__(self) -> None:
        if self.gap not in _GAPS:
            raise InvalidCron(f"dst gap {quote(self.gap)}: write one of {', '.join(_GAPS)}")
        if self.fold not in _FOLDS:
            raise InvalidCron(f"dst fold {quote(self.fold)}: write one of {', '.join(_FOLDS)}")


DEFAULT = Dst()


def validate(expression: str, timezone: str) -> None:
    """Raise InvalidCron unless the expression fires at some time and the time zone exists."""
    _timetable(expression, timezone, DEFAULT)


def describe(expression: str, timezone: str) -> str:
    """When it fires, in plain English with 24-hour times and the zone. Raises InvalidCron."""
    validate(expression, timezone)
    return f"{in_words(parse(expression))} ({timezone})"


def next_times(
    expression: str, timezone: str | Zone, after: datetime, count: int = 1, *, dst: Dst = DEFAULT
) -> list[datetime]:
    """The first `count` instants strictly later than the aware `after`, in aware UTC.

    Fewer only at the end of the year 2199. Raises InvalidCron for the expression or the zone.
    """
    timetable, start = _timetable(expression, timezone, dst), _naive(after)
    if count == 1:
        return list(_next(timetable, start))
    return list(map(_aware, islice(timetable.after(start), count)))


def previous_time(
    expression: str, timezone: str | Zone, at_or_before: datetime, *, dst: Dst = DEFAULT
) -> datetime | None:
    """The latest instant not later than the aware one given, in aware UTC; None before 1900."""
    return _previous(_timetable(expression, timezone, dst), _naive(at_or_before))


def times_between(
    expression: str,
    timezone: str | Zone,
    after: datetime,
    until: datetime,
    limit: int = 1000,
    *,
    dst: Dst = DEFAULT,
) -> list[datetime]:
    """The instants in (after, until], at most the first `limit` of them, in aware UTC."""
    end = _naive(until)
    instants = _timetable(expression, timezone, dst).after(_naive(after))
    return list(map(_aware, islice(takewhile(lambda instant: instant <= end, instants), limit)))


def count_between(
    expression: str, timezone: str | Zone, after: datetime, until: datetime, *, dst: Dst = DEFAULT
) -> int:
    """How many instants lie in (after, until]; counted by the day, not one by one."""
    return _timetable(expression, timezone, dst).count(_naive(after), _naive(until))


def all_between(
    expression: str, timezone: str | Zone, after: datetime, until: datetime, *, dst: Dst = DEFAULT
) -> list[datetime]:
    """All instants in (after, until], in aware UTC; listed by the day, for many of them."""
    return list(_timetable(expression, timezone, dst).listed(_naive(after), _naive(until)))


@dataclass(frozen=True, slots=True)
class _Timetable:
    """The instants of one expression in one zone; all arguments and results are naive UTC."""

    fields: Expression
    timezone: Zone
    dst: Dst

    def after(self, instant: datetime) -> Iterator[datetime]:
        """All instants strictly later, in order."""
        walls = _WallClock(self.fields)
        for period in periods_from(self.timezone, instant):
            substitute = self._gap_substitute(period)
            if substitute is not None and substitute > instant:
                yield substitute
                instant = substitute
            first, end = self._wall_times_of(period)
            wall = walls.after(max(instant + period.offset, first - _SECOND))
            while wall < end:
                yield wall - period.offset
                wall = walls.after(wall)

    def latest(self, instant: datetime) -> datetime | None:
        """The latest instant that is not later."""
        walls = _WallClock(self.fields)
        for period in periods_back_from(self.timezone, instant):
            first, end = self._wall_times_of(period)
            wall = walls.before(min(_minute_after(instant + period.offset), end))
            if wall >= first:
                return wall - period.offset
            substitute = self._gap_substitute(period)
            if substitute is not None and substitute <= instant:
                return substitute
        return None

    def count(self, after: datetime, until: datetime) -> int:
        """How many instants lie in (after, until]."""
        total = 0
        for period in periods_from(self.timezone, after):
            if period.start > until:
                break
            substitute = self._gap_substitute(period)
            if substitute is not None and after < substitute <= until:
                total += 1
                after = substitute
            first, end = self._wall_times_of(period)
            total += self.fields.count(
                max(_minute_after(after + period.offset), first),
                min(_minute_after(until + period.offset), end),
            )
        return total

    def listed(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The instants in (after, until], aware."""
        for period in periods_from(self.timezone, after):
            if period.start > until:
                return
            substitute = self._gap_substitute(period)
            if substitute is not None and after < substitute <= until:
                yield _aware(substitute)
                after = substitute
            first, end = self._wall_times_of(period)
            low = max(_minute_after(after + period.offset), first)
            high = min(_minute_after(until + period.offset), end)
            for midnight in self._days(low, high):
                start = _aware(midnight - period.offset)
                instants = [start + time for time in self.fields.times_of_day()]
                if midnight < low or midnight + _DAY > high:
                    lowest, highest = _aware(low - period.offset), _aware(high - period.offset)
                    instants = [each for each in instants if lowest <= each < highest]
                yield from instants

    def _days(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """The days that match and have a wall time in [low, high), as their midnights."""
        if low < high:
            days = map(datetime.fromordinal, range(low.toordinal(), high.toordinal() + 1))
            yield from filter(self.fields.matches_day, days)

    def _wall_times_of(self, period: ZonePeriod) -> tuple[datetime, datetime]:
        """The wall times [first, end) of a period at which it fires when they match."""
        first, end = period.start + period.offset, period.end + period.offset
        if self.fields.follows_real_time or self.dst.fold == "both":
            return first, end
        if self.dst.fold == "first":
            return max(first, period.repeated_until), end
        return first, min(end, period.repeats_from)

    def _gap_substitute(self, period: ZonePeriod) -> datetime | None:
        """The first valid minute, if the clock leapt over a time at which it had to fire."""
        if self.fields.follows_real_time or self.dst.gap == "skip":
            return None
        valid = period.start + period.offset
        if period.gap > _LONGEST_SUBSTITUTED_GAP or not self.fields.count(
            valid - period.gap, valid
        ):
            return None
        return _minute_after(valid - _SECOND) - period.offset


def _timetable(expression: str, timezone: str | Zone, dst: Dst) -> _Timetable:
    """Raises InvalidCron unless the expression fires at some time and the zone exists."""
    try:
        zone = as_zone(timezone)
        return _known_timetable(expression, zone, dst)
    except (TypeError, KeyError, AttributeError):
        # What can't be looked up: these two say so.
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
    """The matching wall times; keeps its last answer, so that a rare date is sought only once."""

    def __init__(self, fields: Expression) -> None:
        self._walker = copy(_walker(fields))
        self._asked = self._found = datetime.min

    def after(self, wall: datetime) -> datetime:
        """The first one strictly later."""
        if not self._asked <= wall < self._found:
            self._asked, self._found = wall, self._walker.get_next(datetime, wall)
        return self._found

    def before(self, wall: datetime) -> datetime:
        """The last one strictly earlier."""
        if not self._found < wall <= self._asked:
            self._asked, self._found = wall, self._walker.get_prev(datetime, wall)
        return self._found


@lru_cache(maxsize=4096)
def _walker(fields: Expression) -> croniter:
    """A parsed croniter, to be copied before use. Raises InvalidCron if it never finds a date."""
    walker = croniter(fields.plain, datetime(2000, 1, 1))
    try:
        walker.get_next()
    except CroniterBadDateError:
        days = f"day-of-month {quote(fields.texts[2])} in month {quote(fields.texts[3])}"
        raise InvalidCron(f"{days} never comes; write a day that the month has") from None
    return walker


# Many schedules share an expression and a zone, and in a tick all ask about the same instants.
@lru_cache(maxsize=16384)
def _next(timetable: _Timetable, after: datetime) -> tuple[datetime, ...]:
    return tuple(map(_aware, islice(timetable.after(after), 1)))


@lru_cache(maxsize=16384)
def _previous(timetable: _Timetable, at_or_before: datetime) -> datetime | None:
    found = timetable.latest(at_or_before)
    return found and _aware(found)


def _minute_after(instant: datetime) -> datetime:
    """The first whole minute that is strictly later."""
    return instant.replace(second=0, microsecond=0) + _MINUTE


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)


def _naive(instant: datetime) -> datetime:
    """An aware instant as naive UTC, cut to the years that have a calendar here."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: instants must be aware")
    return min(max(instant.astimezone(UTC).replace(tzinfo=None), _BEFORE_ALL), _AFTER_ALL)
