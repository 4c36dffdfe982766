"""The registry's jobs with what became of their latest runs."""

import json
from collections.abc import Iterable
from functools import cache

import sqlalchemy as sa

from tick.db import json_rows
from tick.models import job_run
from tick.ops.queries.runs import RunRow

_r = job_run.c


def latest_run_by_job(connection: sa.Connection, names: Iterable[str]) -> dict[str, RunRow]:
    """The newest run of each job that ever ran; one statement, one index look-up a job."""
    rows = [{"name": name} for name in names]
    found = connection.execute(_latest(connection.dialect.name), {"names": json.dumps(rows)})
    return {row.job_name: RunRow(**row._mapping) for row in found}


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
