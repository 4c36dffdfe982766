"""When a cron expression fires in a time zone. Pure, and the only importer of croniter.

croniter walks naive wall-clock times. Debian's rule turns them into instants: a time that the
spring change skips fires at the first valid minute, a time that the autumn change repeats fires
once, and minutes or hours that begin with `*` follow real time.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile

from croniter import CroniterBadDateError, croniter

from tick.cron.fields import Expression, times_of_day
from tick.cron.grammar import parse, quote
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
    timetable, start = _timetable(expression, timezone, dst), _naive(after)
    if count == 1:
        return list(_next(timetable, start))
    return list(map(_aware, islice(timetable.after(start), count)))


def previous_time(
    expression: str, timezone: str | Zone, at_or_before: datetime, *, dst: Dst = DEFAULT
) -> datetime | None:
    """Return the latest instant that is not later than the given one; None before 1900."""
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
    """Return the first `limit` instants in (after, until]."""
    end = _naive(until)
    instants = _timetable(expression, timezone, dst).after(_naive(after))
    return list(map(_aware, islice(takewhile(lambda instant: instant <= end, instants), limit)))


def count_between(
    expression: str, timezone: str | Zone, after: datetime, until: datetime, *, dst: Dst = DEFAULT
) -> int:
    """Return how many instants lie in (after, until], counted by the day."""
    return _timetable(expression, timezone, dst).count(_naive(after), _naive(until))


def all_between(
    expression: str, timezone: str | Zone, after: datetime, until: datetime, *, dst: Dst = DEFAULT
) -> list[datetime]:
    """Return all instants in (after, until], listed by the day."""
    return list(_timetable(expression, timezone, dst).listed(_naive(after), _naive(until)))


@dataclass(frozen=True, slots=True)
class _Timetable:
    """The instants of one expression in one zone, in naive UTC."""

    fields: Expression
    timezone: Zone
    dst: Dst

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Yield all instants strictly later, in order."""
        walls = _WallClock(self.fields)
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
        """Return how many instants lie in (after, until]."""
        return sum(
            (substitute is not None) + self.fields.count(low, high)
            for substitute, _, low, high in self._parts(after, until)
        )

    def listed(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the instants in (after, until], aware."""
        times = times_of_day(self.fields.hours, self.fields.minutes)
        for substitute, offset, low, high in self._parts(after, until):
            if substitute is not None:
                yield _aware(substitute)
            for midnight in self._days(low, high):
                start = _aware(midnight - offset)
                instants = [start + time for time in times]
                # Only the first and the last day of a part can be cut.
                if midnight < low or midnight + _DAY > high:
                    lowest, highest = _aware(low - offset), _aware(high - offset)
                    instants = [each for each in instants if lowest <= each < highest]
                yield from instants

    def _parts(self, after: datetime, until: datetime) -> Iterator[_Part]:
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
            low = max(_minute_after(after + period.offset), first)
            yield substitute, period.offset, low, min(_minute_after(until + period.offset), end)

    def _days(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """Yield the midnights of the days that match and have a wall time in [low, high)."""
        if low < high:
            days = map(datetime.fromordinal, range(low.toordinal(), high.toordinal() + 1))
            yield from filter(self.fields.matches_day, days)

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
            return _minute_after(valid - _SECOND) - period.offset
        return None


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


# Many schedules share an expression and a zone, and in a tick all ask about the same instants.
@lru_cache(maxsize=16384)
def _next(timetable: _Timetable, after: datetime) -> tuple[datetime, ...]:
    return tuple(map(_aware, islice(timetable.after(after), 1)))


@lru_cache(maxsize=16384)
def _previous(timetable: _Timetable, at_or_before: datetime) -> datetime | None:
    found = timetable.latest(at_or_before)
    return found and _aware(found)


def _minute_after(instant: datetime) -> datetime:
    """Return the first whole minute that is strictly later."""
    return instant.replace(second=0, microsecond=0) + _MINUTE


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)


def _naive(instant: datetime) -> datetime:
    """Return an aware instant as naive UTC, cut to the years that have a calendar here."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: instants must be aware")
    return min(max(instant.astimezone(UTC).replace(tzinfo=None), _BEFORE_ALL), _AFTER_ALL)
