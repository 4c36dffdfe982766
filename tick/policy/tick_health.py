"""Judges from the latest ticks whether the scheduler ticks. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from tick.policy.missed import usual_tick_seconds

LATE_AFTER_INTERVALS = 3
# Hosts without a time service differ by minutes; a tick by a clock further ahead would decide what
# is not due, which nobody can take back.
CLOCKS_DIFFER = timedelta(minutes=5)
# How far in the future a decision may lie before people are told.
AHEAD_AFTER = timedelta(minutes=1)
LEARNED_FROM = 20
# With fewer ticks their usual distance is assumed.
LEAST_LEARNED_FROM = 3


class Ticked(NamedTuple):
    """A tick's source and instant."""

    source: str
    at: datetime


class TickState(StrEnum):
    """The state of the ticking."""

    OK = "ok"
    LATE = "late"
    """The last tick is older than three of the usual intervals."""
    NEVER = "never"
    """There was no tick yet."""
    AHEAD = "ahead"
    """A clock was ahead: what lies before its instant counts as decided, and does not fire."""


@dataclass(frozen=True)
class SourceHealth:
    """A source of ticks: its last one, and the usual distance between them in seconds."""

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
    """Return the state of the ticking; `latest` is the latest instant of any tick or cursor."""
    newest_first = sorted(ticks, key=lambda tick: tick.at, reverse=True)
    ahead_to = ahead_of(latest, now)
    last, usual = next(iter(newest_first), None), _usual(newest_first)
    if ahead_to is not None:
        state = TickState.AHEAD  # worse than silence: nothing fires until then
    elif last is None:
        state = TickState.NEVER
    else:
        # Sources may die as long as one ticks: only all together are late.
        state = TickState.LATE if _is_late(last.at, usual, now) else TickState.OK
    return TickHealth(
        state=state,
        last_at=last and last.at,
        last_source=last and last.source,
        usual_seconds=usual,
        sources=_by_source(newest_first, now),
        learned=_is_learned(newest_first),
        ahead_to=ahead_to,
    )


def ahead_of(latest: datetime | None, now: datetime) -> datetime | None:
    """Return the instant, if it lies so far in the future that a clock must have been ahead."""
    return latest if latest is not None and latest - now > AHEAD_AFTER else None


def usual_distance(instants: Iterable[datetime]) -> float:
    """Return the learned distance in seconds between the latest of these ticks, in any order."""
    latest = sorted(instants, reverse=True)[:LEARNED_FROM]
    gaps = [(newer - older).total_seconds() for newer, older in pairwise(latest)]
    # Ticks within a second are one call and its repetition, not an interval.
    return usual_tick_seconds([gap for gap in gaps if gap >= 1])


def _by_source(newest_first: Sequence[Ticked], now: datetime) -> tuple[SourceHealth, ...]:
    found: dict[str, list[Ticked]] = {}
    for tick in newest_first:
        found.setdefault(tick.source, []).append(tick)
    health = []
    for source, mine in found.items():
        last, usual = mine[0].at, _usual(mine)
        is_late = _is_late(last, usual, now)
        health.append(SourceHealth(source, last, usual, is_late, _is_learned(mine)))
    return tuple(health)


def _is_learned(ticks: Sequence[Ticked]) -> bool:
    return len(ticks) >= LEAST_LEARNED_FROM


def _usual(ticks: Iterable[Ticked]) -> float:
    return usual_distance(tick.at for tick in ticks)


def _is_late(last: datetime, usual_seconds: float, now: datetime) -> bool:
    return (now - last).total_seconds() > LATE_AFTER_INTERVALS * usual_seconds
