"""The instants of another engine's expression as those of a schedule of ours. Pure.

They are a set: whoever asks, and from whichever instant, gets the same ones. On days without a
clock change they are the times that the expression names; around one the engine is walked from the
last of them before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from tick.cron.dialects.by_day import Run, Span, on_settled_day, theirs_around
from tick.cron.dialects.engines import NAMES, dialect
from tick.cron.dialects.plain_days import READ_BY_DAY, Plain, matching_days, plain
from tick.cron.grammar import quote
from tick.cron.local_times import DEFAULT, LocalTimes, WallClock
from tick.cron.zone_data import Zone
from tick.cron.zones import FIRST_YEAR, LAST_YEAR, as_zone, check_zone
from tick.errors import InvalidCron

_DAY = timedelta(days=1)
_QUARTZ_FIELDS_WITHOUT_YEAR = 6


@dataclass(frozen=True, slots=True)
class NamedTimes:
    """The wall times that an expression names, without those of any clock change."""

    named: Plain

    @property
    def follows_real_time(self) -> bool:
        """Never: what an engine does about clock changes is its own."""
        return False

    def count(self, first: datetime, end: datetime) -> int:
        """Return how many lie in [first, end)."""
        days = range(first.toordinal(), end.toordinal() + 1)
        return sum(
            first <= datetime.combine(day, each) < end
            for day in map(date.fromordinal, days)
            if self.named.matches_day(day)
            for each in self.named.times
        )


@dataclass(frozen=True, slots=True)
class DialectTimes(LocalTimes):
    """The instants of one expression of an engine in one zone, in naive UTC."""

    fields: NamedTimes
    engine: str
    expression: str

    def clock(self) -> WallClock:
        """Raise TypeError: an engine names instants, not wall times to be placed."""
        raise TypeError(f"{self.engine} has its own rule for clock changes")

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Yield all instants strictly later, in order."""
        day = self._wall_day(instant) - _DAY
        while day.year <= LAST_YEAR:
            found, run = self._around(day)
            yield from (each for each in found if each > instant)
            day = run[1] + _DAY

    def latest(self, instant: datetime) -> datetime | None:
        """Return the latest instant that is not later."""
        day = self._wall_day(instant) + _DAY
        while day.year >= FIRST_YEAR:
            found, run = self._around(day)
            if fits := [each for each in found if each <= instant]:
                return max(fits)
            day = run[0] - _DAY
        return None

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many instants lie in (after, until]."""
        day, last, found = self._wall_day(after) - _DAY, self._wall_day(until) + _DAY, 0
        while day <= last:
            instants, run = self._around(day)
            found += sum(after < each <= until for each in instants)
            day = run[1] + _DAY
        return found

    def _wall_day(self, instant: datetime) -> date:
        return Span.around(instant, self.timezone).clock.wall(instant).date()

    def _around(self, day: date) -> tuple[tuple[datetime, ...], Run]:
        """Return the instants of a day, or of the run of days that it is in; and those days."""
        for run in _runs(self, day.year):
            if run[0] <= day <= run[1]:
                return _walked(self, run), run
        if not self.fields.named.matches_day(day):
            return (), (day, day)
        span = Span.around(datetime(day.year, day.month, day.day), self.timezone)
        return tuple(on_settled_day(self.fields.named, span, day)), (day, day)


@lru_cache(maxsize=1024)
def _runs(times: DialectTimes, year: int) -> tuple[Run, ...]:
    """Return the runs of days around clock changes that reach into a year."""
    # A run may begin long before, where an expression fires once in a year.
    first, end = max(year - 3, FIRST_YEAR), min(year + 2, LAST_YEAR + 1)
    span = Span(datetime(first, 1, 1, tzinfo=UTC), datetime(end, 1, 1, tzinfo=UTC), times.timezone)
    return tuple(run for run in span.runs(times.fields.named) if run[0].year <= year <= run[1].year)


@lru_cache(maxsize=1024)
def _walked(times: DialectTimes, run: Run) -> tuple[datetime, ...]:
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in run)
    span = Span(start - 3 * _DAY, end + 3 * _DAY, times.timezone)
    return theirs_around(dialect(times.engine), times.expression, span, run)


def dialect_times(engine: str, expression: str, timezone: str | Zone) -> DialectTimes:
    """Return the instants. Raises InvalidCron for what can't be fired to the minute for ever."""
    check_zone(timezone)
    # By the data, not by the name: newer ones may come while a process runs.
    return _known_times(engine, expression, as_zone(timezone))


@lru_cache(maxsize=1024)
def _known_times(engine: str, expression: str, zone: Zone) -> DialectTimes:
    spec = dialect(engine).parse(expression)
    if type(spec) not in READ_BY_DAY:
        raise InvalidCron(
            f"no schedule fires as {engine} does; `tick import` and `tick cron next --dialect` "
            f"know it. Choose one of {', '.join(choices())}"
        )
    named = plain(spec)
    if named.seconds != (0,):
        raise InvalidCron(f"{quote(expression)} names seconds: a schedule fires on the minute")
    if engine == "quartz" and len(expression.split()) > _QUARTZ_FIELDS_WITHOUT_YEAR:
        raise InvalidCron(f"{quote(expression)} names years: give starts_at and ends_at instead")
    if not named.times or 1 not in matching_days(named.matches_day):
        raise InvalidCron(f"{quote(expression)} never fires as {engine} reads it")
    return DialectTimes(NamedTimes(named), zone, DEFAULT, engine, expression)


def choices() -> list[str]:
    """Return the engines as which a schedule can fire."""
    plain_ones = {"APScheduler", "busybox-crond", "celery", "cronie", "croner", "debian-cron"}
    plain_ones |= {"fugit", "node-cron", "quartz", "robfig-cron", "systemd"}
    return [name for name in NAMES if name in plain_ones]
