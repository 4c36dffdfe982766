"""Jobs: what the definitions hold, and running it now."""

from pydantic import Field, JsonValue

from tick.ops.actions import control
from tick.ops.reports import composed
from tick.ops.schemas.system import Job
from tick.ops.schemas.work import Started
from webapp.api import caller
from webapp.api.models import Body, Name, OptionalReason, Page, Query, continued
from webapp.api.occurrences import started
from webapp.api.operations import Resource
from webapp.services import now, reading, runtime

resource = Resource("jobs", "Jobs: Python functions with their policy, as the definitions say.")


class JobPage(Page[Job]):
    """Jobs by name."""


class JobQuery(Query):
    """Which jobs."""

    group: Name | None = None
    after: Name | None = Field(None, description="only those after this name: use `next`")


class RunJob(Body):
    """How to run a job."""

    params: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="keyword arguments of the job's function; those left out keep its defaults",
    )
    reason: OptionalReason = None


class RunJobs(Body):
    """How to run several jobs."""

    params: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="keyword arguments: each job takes those that its function names; "
        "one that no job takes is refused",
    )
    reason: OptionalReason = None


@resource.get("/jobs")
def list_jobs(query: JobQuery) -> JobPage:
    """List the jobs with their latest runs."""
    with reading() as connection:
        page = composed.list_jobs(
            connection, runtime().registry, group=query.group, after=query.after
        )
    return JobPage(items=page.items, next=continued(after=page.next))


@resource.get("/jobs/<job_name>")
def read_job(job_name: str) -> Job:
    """Read a job with its policy and its latest run."""
    with reading() as connection:
        return composed.read_job(connection, runtime().registry, job_name)


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
        reason=body.reason,
        params=body.params,
    )
    return started(occurrence_id)


@resource.post("/groups/<group>/run", status=202)
def run_group(group: str, body: RunJobs, key: str | None) -> Started:
    """Run the jobs of a group now, in dependency order."""
    occurrence_id = control.run_group(
        runtime().database,
        runtime().registry,
        group,
        now=now(),
        author=caller.author(),
        key=key,
        reason=body.reason,
        params=body.params,
    )
    return started(occurrence_id)


@resource.post("/jobs/run", status=202)
def run_all_jobs(body: RunJobs, key: str | None) -> Started:
    """Run all jobs now, in dependency order."""
    occurrence_id = control.run_all(
        runtime().database,
        runtime().registry,
        now=now(),
        author=caller.author(),
        key=key,
        reason=body.reason,
        params=body.params,
    )
    return started(occurrence_id)
