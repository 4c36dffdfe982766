"""Statistics of success, punctuality and length; by job, schedule and period.

A run that failed, and succeeded when somebody retried it, is one failure and one success.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field

from tick.cron.zone_data import find_zone
from tick.cron.zones import check_zone
from tick.engine.statistics.count import Sums
from tick.ops.queries import stats as queries
from tick.ops.queries.snapshot import snapshot
from tick.ops.queries.stats import Names, Span, Table
from tick.ops.reports.rates import (
    FiringFigures,
    RunFigures,
    bucket_counts,
    firing_figures,
    run_figures,
)
from tick.ops.schemas import Schema
from tick.policy.histogram import TOOK_BOUNDS, quantile
from tick.store.database import Database

DAY = timedelta(days=1)
Key = TypeVar("Key", bound=Hashable)


class Window(StrEnum):
    """How far statistics look back, and thereby how long their periods are."""

    DAY = "24h"
    """24 hours."""
    WEEK = "7d"
    """7 days and today."""
    MONTH = "30d"
    """30 days and today."""
    QUARTER = "90d"
    """13 weeks, today the last day of the last."""


class JobStatistics(RunFigures):
    """The runs of one job. `trend`: how much longer they take than in the window's first half."""

    job_name: str
    trend: float | None


class ScheduleStatistics(FiringFigures):
    """The instants of one schedule; all firings by hand have an empty id."""

    schedule_id: str
    name: str
    trend: float | None


class Period(Schema):
    """An hour, a day or a week."""

    start: datetime
    end: datetime
    runs: RunFigures
    firings: FiringFigures


class Statistics(Schema):
    """Everything about a window, or one job's or schedule's part of it."""

    window: Window
    timezone: str
    start: datetime
    end: datetime
    schedules_on: int
    schedules_off: int
    runs: RunFigures
    firings: FiringFigures
    last_day: Period = Field(description="the latest 24 hours, whatever the window")
    jobs: tuple[JobStatistics, ...] = Field(description="by name")
    schedules: tuple[ScheduleStatistics, ...] = Field(description="the most often fired first")
    periods: tuple[Period, ...] = Field(description="oldest first")


class FiringPeriod(Schema):
    """What became of a schedule's instants in an hour, a day or a week."""

    start: datetime
    end: datetime
    firings: FiringFigures


class StatisticsOfSchedule(FiringFigures):
    """What became of a schedule's instants in a window."""

    schedule_id: str
    window: Window
    timezone: str
    start: datetime
    end: datetime
    trend: float | None = Field(description="how much longer than in the window's first half")
    last_day: FiringPeriod = Field(description="the latest 24 hours, whatever the window")
    periods: tuple[FiringPeriod, ...] = Field(description="oldest first")


def gather(
    database: Database,
    now: datetime,
    *,
    window: Window = Window.MONTH,
    timezone: str = "UTC",
    job_name: str | None = None,
    schedule_id: str | None = None,
) -> Statistics:
    """Return statistics of the window that ends now, in periods of the zone.

    Of one job's runs alone, or one schedule's instants alone, if they are named. Raises InvalidCron
    for a zone that does not exist.
    """
    check_zone(timezone)
    spans = spans_of(window, now, find_zone(timezone))
    asked = [*spans, Span(now - DAY, spans[-1].end)]
    # In one snapshot, or a tick in between would have something counted twice, or not at all.
    with snapshot(database) as connection:
        runs = {} if schedule_id else queries.sum_runs(connection, asked, job_name)
        occurrences = {} if job_name else queries.sum_occurrences(connection, asked, schedule_id)
        names = queries.schedule_names(connection)
    return _statistics(window, timezone, asked, runs, occurrences, names)


def of_schedule(
    database: Database, now: datetime, schedule_id: str, *, window: Window, timezone: str
) -> StatisticsOfSchedule:
    """Return the statistics of one schedule's instants. Raises InvalidCron, as `gather` does."""
    found = gather(database, now, window=window, timezone=timezone, schedule_id=schedule_id)
    own = next(iter(found.schedules), None)
    return StatisticsOfSchedule(
        window=window,
        timezone=timezone,
        start=found.start,
        end=found.end,
        schedule_id=schedule_id,
        trend=None if own is None else own.trend,
        last_day=_of_firings(found.last_day),
        periods=tuple(map(_of_firings, found.periods)),
        **dict(found.firings),
    )


def _of_firings(period: Period) -> FiringPeriod:
    return FiringPeriod(start=period.start, end=period.end, firings=period.firings)


def spans_of(window: Window, now: datetime, zone: ZoneInfo) -> list[Span]:
    """Return the window's periods, oldest first; the last holds `now`.

    Days begin at midnight in the zone, and hold the hours that begin in them.
    """
    if window is Window.DAY:
        end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        starts = [end - timedelta(hours=number) for number in range(24, -1, -1)]
    else:
        days, step = {Window.WEEK: (7, 1), Window.MONTH: (30, 1), Window.QUARTER: (90, 7)}[window]
        # By dates, since a day of a clock change has 23 or 25 hours.
        tomorrow = now.astimezone(zone).date() + DAY
        dates = [tomorrow - number * DAY for number in range(days // step * step + step, -1, -step)]
        midnights = [datetime(day.year, day.month, day.day, tzinfo=zone) for day in dates]
        starts = [midnight.astimezone(UTC) for midnight in midnights]
    return [Span(start, end) for start, end in pairwise(starts)]


def _statistics(
    window: Window, zone: str, asked: Sequence[Span], runs: Table, occurrences: Table, names: Names
) -> Statistics:
    """Return the tables as figures; the last span is not the window's but the last day."""
    last = len(asked) - 1
    by_period = [_grouped(table, lambda _, number: number) for table in (runs, occurrences)]
    periods = [
        Period(
            start=span.start,
            end=span.end,
            runs=run_figures(by_period[0].get(number, _NOTHING)),
            firings=firing_figures(by_period[1].get(number, _NOTHING)),
        )
        for number, span in enumerate(asked)
    ]
    runs, occurrences = (
        {key: sums for key, sums in table.items() if key[1] != last}
        for table in (runs, occurrences)
    )
    return Statistics(
        window=window,
        timezone=zone,
        start=asked[0].start,
        end=asked[-1].end,
        schedules_on=names.on,
        schedules_off=names.off,
        runs=run_figures(_sum_of(runs.values())),
        firings=firing_figures(_sum_of(occurrences.values())),
        last_day=periods[last],
        jobs=_by_job(runs, last // 2),
        schedules=_by_schedule(occurrences, last // 2, names),
        periods=tuple(periods[:last]),
    )


def _by_job(runs: Table, middle: int) -> tuple[JobStatistics, ...]:
    trends = _trends(runs, middle)
    by_name = _grouped(runs, lambda name, _: name)
    return tuple(
        JobStatistics(job_name=name, trend=trends.get(name), **dict(run_figures(by_name[name])))
        for name in sorted(by_name)
    )


def _by_schedule(occurrences: Table, middle: int, names: Names) -> tuple[ScheduleStatistics, ...]:
    trends = _trends(occurrences, middle)
    found = [
        ScheduleStatistics(
            schedule_id=id,
            name=names.by_id.get(id, id) or "By hand",
            trend=trends.get(id),
            **dict(firing_figures(sums)),
        )
        for id, sums in _grouped(occurrences, lambda name, _: name).items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.fired, each.name)))


def _trends(table: Table, middle: int) -> dict[str, float]:
    """Return by name what part the median is above that of the window's first half."""
    halves = _grouped(table, lambda name, number: (name, number >= middle))
    # By the same measure on both sides: an exact value is not held against an estimated one.
    medians = {
        key: quantile(bucket_counts(sums, "took", TOOK_BOUNDS), TOOK_BOUNDS, 0.5)
        for key, sums in halves.items()
    }
    found = {}
    for name in {name for name, _ in halves}:
        before, after = medians.get((name, False)), medians.get((name, True))
        if before and after is not None:
            found[name] = after / before - 1
    return found


def _grouped(table: Table, key: Callable[[str, int], Key]) -> dict[Key, Sums]:
    """Return the table's sums, added up by a key of name and period."""
    parts: dict[Key, list[Sums]] = {}
    for (name, number), sums in table.items():
        parts.setdefault(key(name, number), []).append(sums)
    return {each: _sum_of(some) for each, some in parts.items()}


def _sum_of(parts: Iterable[Sums]) -> Sums:
    total = Sums(int)
    for part in parts:
        for column, number in part.items():
            total[column] += number
    return total


_NOTHING = Sums(int)
