"""The jobs of the registry, each with its latest run."""

import json
from collections.abc import Iterable, Sequence
from functools import cache

import sqlalchemy as sa
from pydantic import Field

from tick.define.registry import Registry
from tick.errors import NotFound
from tick.ops.queries.runs import Run
from tick.ops.schemas import Page, Schema
from tick.states import UNFINISHED_RUNS
from tick.store.sql import AnyRow, json_rows, literal_state
from tick.store.tables import job_run

_r = job_run.c
MOST_UNFINISHED = 100
PAGE_JOBS = 100


class Job(Schema):
    """A job with its policy, and its latest run."""

    name: str
    group: str
    description: str
    depends_on: tuple[str, ...]
    always: bool = Field(description="runs whatever became of what it depends on")
    timeout_seconds: float
    retries: int
    idempotent: bool = Field(description="may run again after a crash")
    queue: str
    priority: int
    source: str = Field(description="file and line")
    latest_run: Run | None = None


class JobPage(Page[Job]):
    """Jobs by name."""


def list_jobs(
    connection: sa.Connection,
    registry: Registry,
    *,
    group: str | None = None,
    after: str | None = None,
) -> JobPage:
    """Return a page of jobs by name, with their latest runs; `next` is the last name."""
    known = sorted(job.name for job in registry.jobs.values() if group in (None, job.group))
    rest = [name for name in known if name > (after or "")]
    kept = rest[:PAGE_JOBS]
    more = kept[-1] if len(rest) > len(kept) else None
    return JobPage(items=tuple(_jobs(connection, registry, kept)), next=more)


def read_job(connection: sa.Connection, registry: Registry, name: str) -> Job:
    """Return a job with its latest run. Raises NotFound."""
    if name not in registry.jobs:
        raise NotFound(f"No job is called {name!r}; `tick jobs` lists those there are.")
    return _jobs(connection, registry, [name])[0]


def _jobs(connection: sa.Connection, registry: Registry, names: Sequence[str]) -> list[Job]:
    latest = latest_run_by_job(connection, names)
    return [
        Job.model_validate(registry.jobs[name]).model_copy(update={"latest_run": latest.get(name)})
        for name in names
    ]


def latest_run_by_job(connection: sa.Connection, names: Iterable[str]) -> dict[str, Run]:
    """Return the newest run of each job that ever ran; one statement."""
    rows = [{"name": name} for name in names]
    found = connection.execute(_latest(connection.dialect.name), {"names": json.dumps(rows)})
    return {row.job_name: _run(row) for row in found}


def unfinished_of_jobs(connection: sa.Connection, names: Iterable[str]) -> tuple[Run, ...]:
    """Return the unfinished runs of these jobs, oldest first, at most MOST_UNFINISHED."""
    columns = [_r[name] for name in Run.model_fields if name in _r]
    query = (
        sa.select(*columns)
        .where(literal_state(_r.status, *UNFINISHED_RUNS), _r.job_name.in_(list(names)))
        .order_by(_r.id)
        .limit(MOST_UNFINISHED)
    )
    return tuple(_run(row) for row in connection.execute(query))


def _run(row: AnyRow) -> Run:
    return Run(schedule_name=None, lacks=None, **row._mapping)


@cache
def _latest(dialect: str) -> sa.Select[tuple[object, ...]]:
    asked = json_rows(dialect, "names", [sa.column("name", sa.String)], "asked")
    # One look-up in the index of jobs for each name: grouping would read the runs of all time.
    newest = (
        sa.select(_r.id)
        .where(_r.job_name == asked.c.name)
        .order_by(_r.id.desc())
        .limit(1)
        .correlate(asked)
        .scalar_subquery()
    )
    latest = job_run.alias("latest")
    columns = [latest.c[name] for name in Run.model_fields if name in latest.c]
    return sa.select(*columns).join_from(asked, latest, latest.c.id == newest)
