"""Shapes for server-side SVG: sparklines, timelines and lanes of instants, as numbers. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median

from tick.ops.queries.history import PastRow
from tick.ops.queries.runs import Neighbour, RunRow
from tick.ops.queries.schedules import RecentOccurrence
from webapp.states import look

SPARK_HEIGHT = 12
_SPARK_STEP, _SPARK_LEAST = 2, 2
_LEAST_PERCENT = 0.4


def sparkline(recent: Sequence[RecentOccurrence]) -> dict[str, str]:
    """An SVG path for each tone: bars from the oldest to the newest occurrence, higher if longer.

    What did not run is a low stub. Bars are strokes, each placed from the end of the one before:
    a page shows fifty lines of thirty bars, so every character counts.
    """
    longest = max((mark.took_seconds or 0 for mark in recent), default=0) or 1
    paths: dict[str, str] = {}
    pens: dict[str, tuple[int, int]] = {}
    for place, mark in enumerate(recent):
        part = (mark.took_seconds or 0) / longest
        height = round(_SPARK_LEAST + part * (SPARK_HEIGHT - _SPARK_LEAST))
        tone, x = look(mark.outcome).tone, place * _SPARK_STEP + 1
        last_x, last_y = pens.get(tone, (0, 0))
        paths[tone] = paths.get(tone, "") + f"m{x - last_x} {SPARK_HEIGHT - last_y}v-{height}"
        pens[tone] = x, SPARK_HEIGHT - height
    return paths


@dataclass(frozen=True)
class TimelineBar:
    """Where a run waited for others, then for a worker, then worked; in percent of the width."""

    wait_x: float
    wait_width: float
    ready_x: float
    ready_width: float
    work_x: float
    work_width: float


def timeline(
    runs: Sequence[RunRow], upstream: Mapping[int, Sequence[Neighbour]], now: datetime
) -> dict[int, TimelineBar]:
    """One bar a run, by run id, on a common scale from the first queueing to the last end."""
    if not runs:
        return {}
    ends = {run.id: _end(run, now) for run in runs}
    start = min(run.queued_at for run in runs)
    span = max((max(ends.values()) - start).total_seconds(), 0.001)

    def percent(instant: datetime) -> float:
        return round(min(max((instant - start).total_seconds() / span * 100, 0), 100), 2)

    def ready(run: RunRow) -> datetime:
        awaited = [ends[other.run_id] for other in upstream.get(run.id, ()) if other.run_id in ends]
        return max([run.queued_at, *awaited])

    return {run.id: _bar(percent, run, ready(run), now) for run in runs}


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


def _bar(
    percent: Callable[[datetime], float], run: RunRow, ready_at: datetime, now: datetime
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
        work_width=max(round(end - started, 2), _LEAST_PERCENT) if worked else 0,
    )


TREND_WIDTH, TREND_HEIGHT = 600, 100


@dataclass(frozen=True)
class Trend:
    """Lengths from the oldest to the newest: bars by tone, and what they come to, in seconds."""

    paths: Mapping[str, str]
    median_y: float
    median_seconds: float
    recent_seconds: float
    longest_seconds: float
    bar_pixels: int


def trend(past: Sequence[PastRow]) -> Trend | None:
    """The trend of what ran to an end, newest last; None for fewer than two."""
    lengths = [row.took_seconds or 0.0 for row in past]
    if len(lengths) < 2:
        return None
    longest, step = max(*lengths, 0.001), TREND_WIDTH / len(lengths)
    paths: dict[str, str] = {}
    for place, row in enumerate(past):
        height = max(round(lengths[place] / longest * TREND_HEIGHT), 2)
        bar = f"M{round((place + 0.5) * step)} {TREND_HEIGHT}v-{height}"
        tone = look(row.outcome).tone
        paths[tone] = paths.get(tone, "") + bar
    middle = median(lengths)
    recent = median(lengths[-max(len(lengths) // 4, 1) :])
    median_y = round(TREND_HEIGHT * (1 - middle / longest), 1)
    bar_pixels = min(max(240 // len(lengths), 4), 24)
    return Trend(paths, median_y, middle, recent, max(lengths), bar_pixels)


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
