"""Whether the scheduler ticks, judged from its latest ticks by whoever looks. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from tick.policy.missed import usual_tick_seconds

LATE_AFTER_INTERVALS = 3
CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much a clock may be ahead of the shared one. No tick decides by one that is further."""
AHEAD_AFTER = timedelta(minutes=1)
"""How far in the future a decision may lie before it is a fault that people are told of."""
LEARNED_FROM = 20
LEAST_LEARNED_FROM = 3
"""With fewer ticks their usual distance is assumed."""


class Ticked(NamedTuple):
    """One tick: by whom, and when."""

    source: str
    at: datetime


class TickState(StrEnum):
    """How the ticking is."""

    OK = "ok"
    LATE = "late"
    """The last tick is older than three of the usual intervals."""
    NEVER = "never"
    """There was no tick yet."""
    AHEAD = "ahead"
    """A clock was ahead: what lies before its instant counts as decided, and does not fire."""


@dataclass(frozen=True)
class SourceHealth:
    """One that ticks: its last tick, and the usual distance between its ticks in seconds."""

    source: str
    last_at: datetime
    usual_seconds: float
    late: bool
    learned: bool = True
    """Whether there were ticks enough to know what is usual."""


@dataclass(frozen=True)
class TickHealth:
    """The ticking as a whole, and each source by itself; lengths are seconds."""

    state: TickState
    last_at: datetime | None
    last_source: str | None
    usual_seconds: float
    sources: tuple[SourceHealth, ...]
    learned: bool = False
    """Whether there were ticks enough to know what is usual."""
    ahead_to: datetime | None = None
    """The latest instant that a clock ahead has put into ticks or schedules, if there is one."""

    @property
    def late_at(self) -> datetime | None:
        """When the next tick is late; None before the first."""
        if self.last_at is None:
            return None
        return self.last_at + timedelta(seconds=LATE_AFTER_INTERVALS * self.usual_seconds)


def judge_ticks(
    ticks: Iterable[Ticked], now: datetime, latest: datetime | None = None
) -> TickHealth:
    """How the ticking is at `now`, by the latest ticks in any order.

    Sources may die as long as one ticks: only all together make it late. `latest` is the latest
    instant of any tick or cursor; in the future it is a fault that outweighs the others.
    """
    newest_first = sorted(ticks, key=lambda tick: tick.at, reverse=True)
    ahead_to = ahead_of(latest, now)
    if not newest_first:
        state = TickState.AHEAD if ahead_to else TickState.NEVER
        return TickHealth(state, None, None, usual_tick_seconds([]), (), ahead_to=ahead_to)
    last, usual = newest_first[0], _usual(newest_first)
    state = TickState.LATE if _is_late(last.at, usual, now) else TickState.OK
    if ahead_to is not None:
        state = TickState.AHEAD
    return TickHealth(
        state,
        last.at,
        last.source,
        usual,
        _by_source(newest_first, now),
        _is_learned(newest_first),
        ahead_to,
    )


def ahead_of(latest: datetime | None, now: datetime) -> datetime | None:
    """The instant, if it lies so far in the future that a clock must have been ahead."""
    return latest if latest is not None and latest - now > AHEAD_AFTER else None


def usual_distance(instants: Iterable[datetime]) -> float:
    """The learned distance in seconds between the latest of these ticks, in any order."""
    latest = sorted(instants, reverse=True)[:LEARNED_FROM]
    gaps = [(newer - older).total_seconds() for newer, older in pairwise(latest)]
    # Ticks within a second are one call and its repetition, not an interval.
    return usual_tick_seconds([gap for gap in gaps if gap >= 1])


def _by_source(newest_first: Sequence[Ticked], now: datetime) -> tuple[SourceHealth, ...]:
    found: dict[str, list[Ticked]] = {}
    for tick in newest_first:
        found.setdefault(tick.source, []).append(tick)
    return tuple(
        SourceHealth(
            source,
            mine[0].at,
            usual := _usual(mine),
            _is_late(mine[0].at, usual, now),
            _is_learned(mine),
        )
        for source, mine in found.items()
    )


def _is_learned(ticks: Sequence[Ticked]) -> bool:
    return len(ticks) >= LEAST_LEARNED_FROM


def _usual(ticks: Iterable[Ticked]) -> float:
    return usual_distance(tick.at for tick in ticks)


def _is_late(last: datetime, usual_seconds: float, now: datetime) -> bool:
    return (now - last).total_seconds() > LATE_AFTER_INTERVALS * usual_seconds
