"""Jobs: what the definitions hold, and running it now."""

import json
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from tick.ops import control
from tick.ops.queries.jobs import latest_run_by_job
from webapp.api import caller
from webapp.api.models import Answer, Body, Listing, Name, Nothing, Query, continued
from webapp.api.occurrences import Started, started
from webapp.api.operations import Resource
from webapp.api.runs import Run
from webapp.services import now, reading, runtime

resource = Resource("jobs", "Jobs: Python functions with their policy, as the definitions say.")
PAGE_JOBS = 100


class Job(Answer):
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


class JobPage(Listing[Job]):
    """Jobs by name."""


class JobQuery(Query):
    """Which jobs."""

    group: Name | None = None
    after: Name | None = Field(None, description="only those after this name: use `next`")


def _storable(params: dict[str, JsonValue]) -> dict[str, JsonValue]:
    text = json.dumps(params, allow_nan=False)
    if "\\u0000" in text:
        raise ValueError("a NUL character cannot be stored")
    return params


class RunJob(Body):
    """How to run a job."""

    params: Annotated[dict[str, JsonValue], AfterValidator(_storable)] = Field(
        default_factory=dict, description="keyword arguments of the job's function"
    )


@resource.get("/jobs")
def list_jobs(query: JobQuery) -> JobPage:
    """List the jobs with their latest runs."""
    known = sorted(
        (job for job in runtime().registry.jobs.values() if query.group in (None, job.group)),
        key=lambda job: job.name,
    )
    rest = [job for job in known if job.name > (query.after or "")]
    kept = rest[:PAGE_JOBS]
    with reading() as connection:
        latest = latest_run_by_job(connection, [job.name for job in kept])
    items = [
        Job.model_validate(job).model_copy(update={"latest_run": _run(latest.get(job.name))})
        for job in kept
    ]
    more = kept[-1].name if len(rest) > len(kept) else None
    return JobPage(items=tuple(items), next=continued(after=more))


@resource.post("/jobs/<job_name>/run", status=202)
def run_job(job_name: str, body: RunJob, key: str | None) -> Started:
    """Run one job now, without what it depends on."""
    occurrence_id = control.run_job(
        runtime().database,
        runtime().registry,
        job_name,
        now=now(),
        author=caller.author(),
        key=key,
        params=body.params,
    )
    return started(occurrence_id)


@resource.post("/groups/<group>/run", status=202)
def run_group(group: str, body: Nothing, key: str | None) -> Started:
    """Run the jobs of a group now, in dependency order."""
    occurrence_id = control.run_group(
        runtime().database,
        runtime().registry,
        group,
        now=now(),
        author=caller.author(),
        key=key,
    )
    return started(occurrence_id)


@resource.post("/jobs/run", status=202)
def run_all_jobs(body: Nothing, key: str | None) -> Started:
    """Run all jobs now, in dependency order."""
    occurrence_id = control.run_all(
        runtime().database,
        runtime().registry,
        now=now(),
        author=caller.author(),
        key=key,
    )
    return started(occurrence_id)


def _run(row: object) -> Run | None:
    return None if row is None else Run.model_validate(row)
