"""Shapes for server-side SVG: sparklines, timelines and lanes of instants, as numbers. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from tick.ops.queries.runs import Neighbour, RunRow
from tick.ops.queries.schedules import RecentOccurrence
from webapp.states import look

SPARK_HEIGHT = 24
_SPARK_STEP, _SPARK_WIDTH, _SPARK_LEAST = 6, 4, 4
_LEAST_PERCENT = 0.4


def sparkline(recent: Sequence[RecentOccurrence]) -> dict[str, str]:
    """An SVG path for each tone: bars from the oldest to the newest occurrence, higher if longer.

    What did not run is a low stub. One path for many bars keeps a page of fifty lines small.
    """
    longest = max((mark.took_seconds or 0 for mark in recent), default=0) or 1
    paths: dict[str, str] = {}
    for place, mark in enumerate(recent):
        part = (mark.took_seconds or 0) / longest
        height = round(_SPARK_LEAST + part * (SPARK_HEIGHT - _SPARK_LEAST))
        bar = f"M{place * _SPARK_STEP} {SPARK_HEIGHT}v-{height}h{_SPARK_WIDTH}v{height}z"
        tone = look(mark.outcome).tone
        paths[tone] = paths.get(tone, "") + bar
    return paths


@dataclass(frozen=True)
class TimelineBar:
    """Where a run waited and worked, in percent of the occurrence's width."""

    wait_x: float
    wait_width: float
    work_x: float
    work_width: float


def timeline(runs: Sequence[RunRow], now: datetime) -> dict[int, TimelineBar]:
    """One bar a run, by run id, on a common scale from the first queueing to the last end."""
    if not runs:
        return {}
    start = min(run.queued_at for run in runs)
    end = max(_end(run, now) for run in runs)
    span = max((end - start).total_seconds(), 0.001)

    def percent(instant: datetime) -> float:
        return round(min(max((instant - start).total_seconds() / span * 100, 0), 100), 2)

    return {run.id: _bar(percent, run, now) for run in runs}


def critical_path(
    runs: Sequence[RunRow], upstream: Mapping[int, Sequence[Neighbour]], now: datetime
) -> frozenset[int]:
    """The ids of the runs that made the occurrence as long as it is.

    From the run that ended last (one still at work ends `now`) back to whichever it waited for
    ended last, and so on. Runs that never started delayed nothing.
    """
    ends = {run.id: _end(run, now) for run in runs if run.started_at is not None}
    path: list[int] = []
    step = max(ends, key=lambda number: ends[number], default=None)
    while step is not None:
        path.append(step)
        before = [other.run_id for other in upstream.get(step, ()) if other.run_id in ends]
        step = max(before, key=lambda number: ends[number], default=None)
    return frozenset(path)


def _end(run: RunRow, now: datetime) -> datetime:
    return run.finished_at or (now if run.is_live else run.started_at or run.queued_at)


def _bar(percent: Callable[[datetime], float], run: RunRow, now: datetime) -> TimelineBar:
    end = percent(_end(run, now))
    queued = percent(run.queued_at)
    if run.took_seconds(now) is None or run.started_at is None:
        return TimelineBar(queued, max(end - queued, 0), end, 0)
    started = percent(run.started_at)
    return TimelineBar(queued, started - queued, started, max(end - started, _LEAST_PERCENT))


LANE_WIDTH = 1000
LANE_HEIGHT = 14


def lane_path(instants: Iterable[datetime], start: datetime, end: datetime) -> str:
    """An SVG path of upright strokes, one where each instant lies between `start` and `end`."""
    span = (end - start).total_seconds()
    places = {round((at - start).total_seconds() / span * LANE_WIDTH) for at in instants}
    return "".join(f"M{place} 0v{LANE_HEIGHT}" for place in sorted(places))


def axis(
    start: datetime, end: datetime, step: timedelta, zone: tzinfo
) -> list[tuple[float, datetime]]:
    """The full steps of a zone's wall clock inside (start, end), with their places in percent."""
    midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    number = int((end - start) / step) + int(timedelta(days=1) / step) + 1
    marks = [(midnight + count * step).astimezone(UTC) for count in range(number + 1)]
    span = end - start
    return [(round((at - start) / span * 100, 2), at) for at in marks if start < at < end]
