"""The registry's jobs with what became of their latest runs."""

import json
from collections.abc import Iterable
from functools import cache

import sqlalchemy as sa

from tick.ops.queries.runs import RunRow
from tick.states import UNFINISHED_RUNS
from tick.store.sql import json_rows, literal_state
from tick.store.tables import job_run

_r = job_run.c
MOST_UNFINISHED = 100


def latest_run_by_job(connection: sa.Connection, names: Iterable[str]) -> dict[str, RunRow]:
    """The newest run of each job that ever ran; one statement, one index look-up a job."""
    rows = [{"name": name} for name in names]
    found = connection.execute(_latest(connection.dialect.name), {"names": json.dumps(rows)})
    return {row.job_name: RunRow(**row._mapping) for row in found}


def unfinished_of_jobs(connection: sa.Connection, names: Iterable[str]) -> tuple[RunRow, ...]:
    """The runs of these jobs that wait or are at work, oldest first, at most MOST_UNFINISHED."""
    columns = [_r[name] for name in RunRow.__dataclass_fields__ if name in _r]
    query = (
        sa.select(*columns)
        .where(literal_state(_r.status, *UNFINISHED_RUNS), _r.job_name.in_(list(names)))
        .order_by(_r.id)
        .limit(MOST_UNFINISHED)
    )
    return tuple(RunRow(**row._mapping) for row in connection.execute(query))


@cache
def _latest(dialect: str) -> sa.Select[tuple[object, ...]]:
    asked = json_rows(dialect, "names", [sa.column("name", sa.String)], "asked")
    newest = (
        sa.select(_r.id)
        .where(_r.job_name == asked.c.name)
        .order_by(_r.id.desc())
        .limit(1)
        .correlate(asked)
        .scalar_subquery()
    )
    latest = job_run.alias("latest")
    columns = [latest.c[name] for name in RunRow.__dataclass_fields__ if name in latest.c]
    return sa.select(*columns).join_from(asked, latest, latest.c.id == newest)
