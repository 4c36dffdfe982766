"""Which instants move when other zone data, code or days off decide them. Pure."""

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from zoneinfo import ZoneInfo

from tick.policy.closed_times import firing_between
from tick.policy.rule import Rule

AHEAD = timedelta(days=366)
# A year of hours; of a schedule that fires more often the next weeks tell enough.
MOST_COMPARED = 10_000
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Forecast:
    """All instants of a schedule in (after, until]."""

    after: datetime
    until: datetime
    instants: Sequence[datetime]

    def between(self, after: datetime, until: datetime) -> "Forecast":
        """Return the part of it that lies in (after, until]."""
        after, until = max(after, self.after), min(until, self.until)
        return Forecast(after, until, [at for at in self.instants if after < at <= until])


@dataclass(frozen=True)
class Move:
    """An instant before and after; None on one side where it has no counterpart."""

    before: datetime | None
    after: datetime | None


def forecast(rule: Rule, after: datetime, until: datetime) -> Forecast:
    """Return what the rule fires in (after, until]; less of it if that is very much."""
    found = firing_between(rule, after, until, MOST_COMPARED)
    return Forecast(after, found[-1] if len(found) == MOST_COMPARED else until, found)


def moves(before: Forecast, after: Forecast, zone: ZoneInfo) -> list[Move]:
    """Return the instants that only one side has, in order; each beside the other's of its day.

    Only the time that both sides cover is compared. `zone` decides what is a day.
    """
    start, end = max(before.after, after.after), min(before.until, after.until)
    old, new = before.between(start, end).instants, after.between(start, end).instants
    lost, gained = sorted({*old} - {*new}), sorted({*new} - {*old})
    days: dict[date, tuple[list[datetime], list[datetime]]] = defaultdict(lambda: ([], []))
    for side, instants in enumerate((lost, gained)):
        for at in instants:
            days[at.astimezone(zone).date()][side].append(at)
    return [Move(*pair) for day in sorted(days) for pair in zip_longest(*days[day])]


def pack(instants: Sequence[datetime]) -> bytes:
    """Return instants in order as few bytes: a year of hours takes less than a hundred."""
    return zlib.compress(b" ".join(b"%d" % step for step in _steps(instants)))


def unpack(packed: bytes) -> list[datetime]:
    """Return the instants that `pack` was given."""
    found, at = [], _EPOCH
    for step in zlib.decompress(packed).split():
        at += int(step) * _MICROSECOND
        found.append(at)
    return found


def _steps(instants: Sequence[datetime]) -> Iterator[int]:
    before = _EPOCH
    for at in instants:
        yield (at - before) // _MICROSECOND
        before = at
