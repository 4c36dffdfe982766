"""The clock changes of a time zone, as periods of time with one offset from UTC each."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from tick.cron.grammar import quote
from tick.cron.zone_data import Zone, current
from tick.errors import InvalidCron

# Here and in timetable.py instants are naive UTC and wall times naive local: Python's arithmetic on
# aware datetimes of one zone goes by the wall, and would be wrong beside a clock change.

FIRST_YEAR, LAST_YEAR = 1900, 2199

_NO_PLACES = {"localtime", "Factory"}
_SECOND = timedelta(seconds=1)
_PROBE = timedelta(days=3)
# The longest clock change on record is a day: two days show all that reaches into a year.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class ZonePeriod:
    """The instants in [start, end) without a clock change; the wall shows UTC plus `offset`.

    Wall times before `repeated_until` were on the wall once before, those from `repeats_from` will
    be once more. The clock leapt over `gap` at `start`.
    """

    start: datetime
    end: datetime
    offset: timedelta
    repeated_until: datetime
    repeats_from: datetime
    gap: timedelta


@cache
def zone_names() -> frozenset[str]:
    """Return the names of the IANA database, without those that hold a machine's own setting."""
    return frozenset(available_timezones() - _NO_PLACES)


@cache
def _packaged() -> frozenset[str]:
    # Asked before `zone_names`, which walks folders: a tick that begins afresh is quicker by it.
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - _NO_PLACES


def check_zone(timezone: object) -> None:
    """Raise InvalidCron unless the name is a time zone's."""
    if isinstance(timezone, Zone):
        return
    if isinstance(timezone, str) and (timezone in _packaged() or timezone in zone_names()):
        return
    close = get_close_matches(str(timezone)[:60], zone_names(), 1) or ["Europe/Paris"]
    raise InvalidCron(f"unknown time zone {quote(timezone)}: write a name such as {close[0]!r}")


def periods_from(timezone: str | Zone, instant: datetime) -> Iterator[ZonePeriod]:
    """Yield the periods from the one that holds the instant on, until the end of LAST_YEAR."""
    zone = as_zone(timezone)
    for year in range(max(instant.year, FIRST_YEAR), LAST_YEAR + 1):
        for period in _periods(zone, year):
            if period.end > instant:
                yield period


def periods_back_from(timezone: str | Zone, instant: datetime) -> Iterator[ZonePeriod]:
    """Yield the periods from the one that holds the instant back, until FIRST_YEAR begins."""
    zone = as_zone(timezone)
    for year in range(min(instant.year, LAST_YEAR), FIRST_YEAR - 1, -1):
        for period in reversed(_periods(zone, year)):
            if period.start <= instant:
                yield period


def as_zone(timezone: str | Zone) -> Zone:
    """Return the zone of that name by this process's data; a zone itself is returned as it is."""
    return timezone if isinstance(timezone, Zone) else current().zone(timezone)


@lru_cache(maxsize=4096)
def _periods(rules: Zone, year: int) -> tuple[ZonePeriod, ...]:
    """Return the periods of one year UTC, cut at its ends."""
    zone = rules.tzinfo
    first, end = datetime(year, 1, 1), datetime(year + 1, 1, 1)
    changes = _changes(zone, first - _MARGIN, end + _MARGIN)
    edges = [first - _MARGIN, *changes, end + _MARGIN]
    return tuple(
        _period(zone, start, stop, first, end)
        for start, stop in pairwise(edges)
        if start < end and stop > first
    )


def _period(
    zone: ZoneInfo, start: datetime, stop: datetime, first: datetime, end: datetime
) -> ZonePeriod:
    """Return the period between two clock changes, cut to [first, end)."""
    before, offset = _offset(zone, start - _SECOND), _offset(zone, start)
    # A period that began in an earlier year is cut here, without a change.
    leap = offset - before if start >= first else timedelta(0)
    return ZonePeriod(
        start=max(start, first),
        end=min(stop, end),
        offset=offset,
        repeated_until=start + max(before, offset),
        repeats_from=stop + min(offset, _offset(zone, stop)),
        gap=max(leap, timedelta(0)),
    )


def _changes(zone: ZoneInfo, first: datetime, end: datetime) -> list[datetime]:
    """Return the instants at which the offset changes."""
    # No zone has had two changes within three days: a probe sees each.
    found = []
    while first < end:
        following = first + _PROBE
        if _offset(zone, first) != _offset(zone, following):
            found.append(_change(zone, first, following))
        first = following
    return found


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the one change in (before, after], to the second."""
    seconds = range(int((after - before).total_seconds()))
    old = _offset(zone, before)
    return before + _SECOND * bisect_right(
        seconds, 0, key=lambda second: _offset(zone, before + _SECOND * second) != old
    )


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) - instant
