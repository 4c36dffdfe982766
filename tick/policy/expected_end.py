"""Forecasts when runs will have ended, from how long their jobs usually take. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import TopologicalSorter


@dataclass(frozen=True)
class ForecastRun:
    """Holds a run. `usual_seconds`: how long it takes, None if that is not known."""

    job_name: str
    available_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    usual_seconds: float | None
    waits_for: Sequence[int] = ()


@dataclass(frozen=True)
class Expected:
    """Holds when all runs will have ended, and the unfinished ones that decide it, in order."""

    ends_at: datetime
    critical: tuple[int, ...]


def expect_end(works: Mapping[int, ForecastRun], now: datetime) -> Expected | None:
    """Return the forecast for the runs, by id; None if all have ended."""
    ends: dict[int, datetime] = {}
    before: dict[int, int | None] = {}
    # Runs that are not read (there is a limit) count as ended.
    graph = {id: [each for each in work.waits_for if each in works] for id, work in works.items()}
    for id in TopologicalSorter(graph).static_order():
        before[id] = max(graph[id], key=lambda other: ends[other], default=None)
        awaited = before[id]
        ends[id] = _end_of(works[id], now, now if awaited is None else ends[awaited])
    unfinished = [id for id, work in works.items() if work.ended_at is None]
    if not unfinished:
        return None
    last = max(unfinished, key=lambda id: ends[id])
    return Expected(ends[last], _chain(last, before, works))


def _end_of(work: ForecastRun, now: datetime, awaited: datetime) -> datetime:
    if work.ended_at is not None:
        return work.ended_at
    # As if a worker were free. A run that already took longer ends now, and one without a usual
    # length takes no time: the forecast is the earliest end, so that no alert comes too soon.
    start = work.started_at or max(now, work.available_at, awaited)
    return max(now, start + timedelta(seconds=work.usual_seconds or 0))


def _chain(
    last: int, before: Mapping[int, int | None], works: Mapping[int, ForecastRun]
) -> tuple[int, ...]:
    chain = []
    step: int | None = last
    while step is not None and works[step].ended_at is None:
        chain.append(step)
        step = before[step]
    return tuple(reversed(chain))
