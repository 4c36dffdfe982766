"""The Gantt chart of an occurrence: a bar for each run, and lines along dependencies. Pure.

Each run is a row whose height only the browser knows, so a line is cut at the rows that it passes:
places across are percent of the width, places down percent of the row, or the middle of its bar.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from typing import NamedTuple

from tick.ops.queries.neighbours import Neighbour
from tick.ops.queries.runs import Run

MOST_SEGMENTS = 2000
_LEAST_PERCENT = 0.4
_TOP, _BAR, _BOTTOM = "0", "22", "100%"


@dataclass(frozen=True)
class TimelineBar:
    """The times for which a run waited for others, then for a worker, then worked; in percent."""

    wait_x: float
    wait_width: float
    ready_x: float
    ready_width: float
    work_x: float
    work_width: float


def timeline(
    runs: Sequence[Run], upstream: Mapping[int, Sequence[Neighbour]], now: datetime
) -> dict[int, TimelineBar]:
    """Return a bar for each run id, on a common scale from the first queueing to the last end."""
    if not runs:
        return {}
    ends = {run.id: _end(run, now) for run in runs}
    start = min(run.queued_at for run in runs)
    span = max((max(ends.values()) - start).total_seconds(), 0.001)

    def percent(instant: datetime) -> float:
        return round(min(max((instant - start).total_seconds() / span * 100, 0), 100), 2)

    def ready(run: Run) -> datetime:
        awaited = [ends[other.run_id] for other in upstream.get(run.id, ()) if other.run_id in ends]
        return max([run.queued_at, *awaited])

    return {run.id: _bar(percent, run, ready(run), now) for run in runs}


def critical_path(
    runs: Sequence[Run], upstream: Mapping[int, Sequence[Neighbour]], now: datetime
) -> tuple[int, ...]:
    """Return the ids of the runs that made the occurrence as long as it is, first to last."""
    # From the run that ended last back to the latest end that it waited for, and so on. Runs that
    # never started delayed nothing.
    ends = {run.id: _end(run, now) for run in runs if run.started_at is not None}
    path: list[int] = []
    step = max(ends, key=lambda number: ends[number], default=None)
    while step is not None:
        path.append(step)
        before = [other.run_id for other in upstream.get(step, ()) if other.run_id in ends]
        step = max(before, key=lambda number: ends[number], default=None)
    return tuple(reversed(path))


def _end(run: Run, now: datetime) -> datetime:
    return run.finished_at or (now if run.is_live else run.started_at or run.queued_at)


def _bar(
    percent: Callable[[datetime], float], run: Run, ready_at: datetime, now: datetime
) -> TimelineBar:
    worked = run.took_seconds(now) is not None and run.started_at is not None
    end = percent(_end(run, now))
    started = percent(run.started_at) if worked and run.started_at else end
    queued = percent(run.queued_at)
    ready = min(max(percent(ready_at), queued), started)
    return TimelineBar(
        wait_x=queued,
        wait_width=round(ready - queued, 2),
        ready_x=ready,
        ready_width=round(max(started - ready, 0), 2),
        work_x=started,
        # However short it was, a bar is there to be seen and pointed at.
        work_width=max(round(end - started, 2), _LEAST_PERCENT) if worked else 0,
    )


@dataclass(frozen=True)
class Segment:
    """A piece of the lines that lead to run `to`, inside one row."""

    to: int
    origin: int | None  # upright ones are shared by all origins
    critical: bool
    x1: float
    x2: float
    y1: str
    y2: str


class Lines(NamedTuple):
    """The segments by row; `complete` is false if they are the critical path's alone."""

    by_row: dict[int, list[Segment]]
    complete: bool


def lines(
    bars: Mapping[int, TimelineBar],
    upstream: Mapping[int, Sequence[Neighbour]],
    critical: Sequence[int],
) -> Lines:
    """Return the lines along dependencies; `bars` are in the order of the rows."""
    rows = {run_id: place for place, run_id in enumerate(bars)}
    awaited = {
        to: origins
        for to in rows
        if (origins := [other.run_id for other in upstream.get(to, ()) if other.run_id in rows])
    }
    by_row: dict[int, list[Segment]] = {run_id: [] for run_id in bars}

    def reach(to: int, origins: Sequence[int]) -> tuple[int, int]:
        met = [rows[run_id] for run_id in (to, *origins)]
        return min(met), max(met)

    def draw(to: int, origins: Sequence[int], critical: bool) -> None:
        x = bars[to].ready_x
        for origin in origins:
            end = min(round(bars[origin].work_x + bars[origin].work_width, 2), 100)
            by_row[origin].append(Segment(to, origin, critical, end, x, _BAR, _BAR))
        # One upright line for all origins, through every row in between.
        first, last = reach(to, origins)
        for place, run_id in islice(enumerate(bars), first, last + 1):
            y1, y2 = _BAR if place == first else _TOP, _BAR if place == last else _BOTTOM
            by_row[run_id].append(Segment(to, None, critical, x, x, y1, y2))

    # Each segment is an element of the page, and a wide graph of 500 runs has tens of thousands.
    reaches = [reach(to, origins) for to, origins in awaited.items()]
    complete = sum(last - first + 1 for first, last in reaches) <= MOST_SEGMENTS
    for to, origins in awaited.items() if complete else ():
        draw(to, origins, False)
    for decisive, to in pairwise(critical):
        draw(to, [decisive], True)
    return Lines(by_row, complete)
