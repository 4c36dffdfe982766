"""Jobs: what the definitions hold, and running it now."""

from pydantic import Field, JsonValue

from tick.interface.inputs import Body, Name, OptionalReason, Query, continued_at
from tick.interface.occurrences import started
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import run_now
from tick.ops.queries import jobs
from tick.ops.queries.jobs import Job, JobPage
from tick.ops.schemas import Started

resource = Resource("jobs", "Jobs: Python functions with their policy, as the definitions say.")


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


# Not RunJob once more: of one job, each parameter has to be one of its function.
class RunJobs(Body):
    """How to run several jobs."""

    params: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="keyword arguments: each job takes those that its function names; "
        "one that no job takes is refused",
    )
    reason: OptionalReason = None


@resource.get("/jobs")
def list_jobs(context: Context, query: JobQuery) -> JobPage:
    """List the jobs with their latest runs."""
    page = context.read(jobs.list_jobs, context.registry, group=query.group, after=query.after)
    return continued_at(page, "after")


@resource.get("/jobs/<job_name>")
def read_job(context: Context, job_name: str) -> Job:
    """Read a job with its policy and its latest run."""
    return context.read(jobs.read_job, context.registry, job_name)


@resource.post("/jobs/<job_name>/run", Permission.JOB_RUN, status=202)
def run_job(context: Context, job_name: str, body: RunJob, key: str | None) -> Started:
    """Run one job now, without what it depends on."""
    act, registry = context.act(reason=body.reason, key=key), context.registry
    made = run_now.run_job(context.database, act, job_name, registry, params=body.params)
    return started(context, made)


@resource.post("/groups/<group>/run", Permission.JOB_RUN, status=202)
def run_group(context: Context, group: str, body: RunJobs, key: str | None) -> Started:
    """Run the jobs of a group now, in dependency order."""
    act, registry = context.act(reason=body.reason, key=key), context.registry
    made = run_now.run_group(context.database, act, group, registry, params=body.params)
    return started(context, made)


@resource.post("/jobs/run", Permission.JOB_RUN, status=202)
def run_all_jobs(context: Context, body: RunJobs, key: str | None) -> Started:
    """Run all jobs now, in dependency order."""
    act, registry = context.act(reason=body.reason, key=key), context.registry
    made = run_now.run_all(context.database, act, registry, params=body.params)
    return started(context, made)
