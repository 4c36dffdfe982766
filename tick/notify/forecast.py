"""When live occurrences will probably have ended, for those that have a deadline."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from tick.engine.statistics.durations import usual_seconds
from tick.policy.expected_end import ForecastRun, expect_end
from tick.states import RunStatus
from tick.store.tables import job_run, job_run_dependency

_r, _d = job_run.c, job_run_dependency.c
MOST_RUNS = 5000


def expected_ends(
    connection: sa.Connection, occurrence_ids: Collection[int], now: datetime
) -> dict[int, datetime]:
    """By occurrence; as their jobs usually go, along their dependencies. Three statements."""
    if not occurrence_ids:
        return {}
    runs = connection.execute(_RUNS, {"ids": sorted(occurrence_ids)}).all()
    waits_for: dict[int, list[int]] = {run.id: [] for run in runs}
    for edge in connection.execute(_EDGES, {"ids": sorted(occurrence_ids)}):
        waits_for.setdefault(edge.run_id, []).append(edge.depends_on_id)
    usual = usual_seconds(connection, {run.job_name for run in runs}, now)
    works: dict[int, dict[int, ForecastRun]] = {}
    for run in runs:
        works.setdefault(run.occurrence_id, {})[run.id] = ForecastRun(
            available_at=run.available_at,
            started_at=run.started_at if run.status == RunStatus.RUNNING else None,
            ended_at=run.finished_at,
            usual_seconds=usual.get(run.job_name),
            waits_for=waits_for[run.id],
        )
    found = {id: expect_end(each, now) for id, each in works.items()}
    return {id: expected.ends_at for id, expected in found.items() if expected is not None}


_RUNS = (
    sa.select(
        *(_r[name] for name in ("id", "occurrence_id", "job_name", "status", "available_at")),
        _r.started_at,
        _r.finished_at,
    )
    .where(_r.occurrence_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(_r.id)
    .limit(MOST_RUNS)
)
_EDGES = (
    sa.select(job_run_dependency.c.run_id, _d.depends_on_id)
    .join(job_run, _r.id == _d.run_id)
    .where(_r.occurrence_id.in_(sa.bindparam("ids", expanding=True)))
)
