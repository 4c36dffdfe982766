"""Reads how long the runs of a job usually take, and runs as input for a forecast of their end."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.policy.expected_end import ForecastRun
from tick.policy.histogram import TOOK_BOUNDS, quantile
from tick.states import UNFINISHED_RUNS, RunStatus
from tick.store.sql import AnyRow
from tick.store.tables import buckets, job_run, job_run_dependency, run_hour

LEARNED_FROM = timedelta(days=14)
MAX_FORECAST_RUNS = 5000
_r, _d, _h = job_run.c, job_run_dependency.c, run_hour.c
_COUNTS = [sa.func.sum(_h[name]).label(name) for name in buckets("took", TOOK_BOUNDS)]


def usual_seconds(
    connection: sa.Connection,
    jobs: Collection[str],
    now: datetime,
    *,
    within: timedelta = LEARNED_FROM,
) -> dict[str, float]:
    """Return the median length of each of the jobs that ran `within` that time; one statement."""
    rows = connection.execute(
        sa.select(_h.job_name, *_COUNTS)
        .where(_h.hour >= now - within, _h.job_name.in_(jobs))
        .group_by(_h.job_name)
    )
    medians = {name: quantile(list(map(int, counts)), TOOK_BOUNDS, 0.5) for name, *counts in rows}
    return {name: median for name, median in medians.items() if median is not None}


def read_forecast_runs(
    connection: sa.Connection, occurrence_ids: Collection[int], now: datetime
) -> dict[int, dict[int, ForecastRun]]:
    """Return runs by id, by occurrence: at most MAX_FORECAST_RUNS, and no occurrence in part."""
    if not occurrence_ids:
        return {}
    waits_for: dict[int, list[int]] = {}
    rows: list[AnyRow] = []
    for row in connection.execute(_RUNS_AND_EDGES, {"ids": sorted(occurrence_ids)}):
        if row.id not in waits_for:
            waits_for[row.id] = []
            rows.append(row)
        if row.depends_on_id is not None:
            waits_for[row.id].append(row.depends_on_id)
    if len(rows) > MAX_FORECAST_RUNS:
        # A forecast from a part of the runs would be too early: wait until others have ended.
        rows = [row for row in rows if row.occurrence_id != rows[-1].occurrence_id]
    found: dict[int, dict[int, ForecastRun]] = {row.occurrence_id: {} for row in rows}
    if not found:
        return {}
    usual = usual_seconds(connection, {row.job_name for row in rows}, now)
    for row in rows:
        is_live = row.status in UNFINISHED_RUNS
        found[row.occurrence_id][row.id] = ForecastRun(
            job_name=row.job_name,
            available_at=row.available_at,
            started_at=row.started_at if row.status == RunStatus.RUNNING else None,
            ended_at=None if is_live else row.finished_at or row.queued_at,
            usual_seconds=usual.get(row.job_name, _seconds_by_progress(row, now)),
            waits_for=waits_for[row.id],
        )
    return found


def _seconds_by_progress(row: AnyRow, now: datetime) -> float | None:
    """Return how long a run takes if it goes on as fast as until now; None without progress."""
    if row.status != RunStatus.RUNNING or row.started_at is None or not row.progress:
        return None
    return float((now - row.started_at).total_seconds() / row.progress)


_IDS: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
_RUN_COLUMNS = ("id", "occurrence_id", "job_name", "status", "progress")
_RUN_TIMES = ("available_at", "queued_at", "started_at", "finished_at")
_LIMITED = (
    sa.select(*(_r[name] for name in (*_RUN_COLUMNS, *_RUN_TIMES)))
    .where(_r.occurrence_id.in_(_IDS))
    .order_by(_r.occurrence_id, _r.id)
    .limit(MAX_FORECAST_RUNS + 1)
    .subquery("limited")
)
# A row for each edge, and one for a run without any: the page of an occurrence may ask eight times.
_RUNS_AND_EDGES = (
    sa.select(_LIMITED, _d.depends_on_id)
    .outerjoin(job_run_dependency, _d.run_id == _LIMITED.c.id)
    .order_by(_LIMITED.c.occurrence_id, _LIMITED.c.id, _d.depends_on_id)
)
