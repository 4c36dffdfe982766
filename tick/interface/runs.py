"""Runs: what is to be done, is being done, was done; their logs; cancelling."""

from pydantic import Field

from tick.interface.inputs import (
    Body,
    Id,
    Instant,
    Name,
    OptionalReason,
    Query,
    continued_at,
    onward,
)
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import cancellation, retries
from tick.ops.queries import logs, neighbours, runs
from tick.ops.queries.logs import LogPage
from tick.ops.queries.neighbours import RunWithNeighbours
from tick.ops.queries.runs import RetriedRun, RunDetail, RunPage
from tick.states import LogLevel, RunStatus, Trigger

resource = Resource("runs", "Runs: one execution of one job each, with its log.")


class RunQuery(Query):
    """Which runs."""

    status: RunStatus | None = None
    trigger: Trigger | None = None
    job: Name | None = None
    group: Name | None = None
    schedule: Name | None = None
    worker: Name | None = None
    since: Instant | None = Field(None, description="queued then or later")
    until: Instant | None = Field(None, description="queued before")
    text: Name | None = Field(None, description="found in its name, error, reason or progress")
    before: Id | None = Field(None, description="only those with a lower id: use `next`")


class LogQuery(Query):
    """Which lines; without `after` and `before`, the newest 500."""

    after: int | None = Field(None, ge=0, le=2**63 - 1, description="lines after this id")
    before: Id | None = Field(None, description="lines before this id; not with `after`")
    level: LogLevel | None = None
    # Less than proxies before a console usually give a request.
    wait: int = Field(0, ge=0, le=30, description="seconds to wait for a line while there is none")


class Cancel(Body):
    """Why it is cancelled."""

    reason: OptionalReason = None


class Retry(Body):
    """How to put back what ended badly."""

    reason: OptionalReason = None
    override_overlap: bool = Field(False, description="even while another occurrence runs")


class RetryRun(Retry):
    """How to put one run back."""

    only: bool = Field(
        False, description="without what was skipped because of it; then its occurrence has failed"
    )


@resource.get("/runs")
def list_runs(context: Context, query: RunQuery) -> RunPage:
    """List runs, newest first."""
    chosen = runs.RunFilter(**query.model_dump(exclude={"before"}))
    page = context.read(runs.list_runs, chosen, before=query.before)
    return continued_at(page, "before")


@resource.get("/runs/<id:run_id>")
def read_run(context: Context, run_id: int) -> RunWithNeighbours:
    """Read a run, with what it waits for and what waits for it."""
    return context.read(neighbours.read_run, run_id)


@resource.get("/runs/<id:run_id>/logs", waits=True)
def read_logs(context: Context, run_id: int, query: LogQuery) -> LogPage:
    """Read what a run logged. To follow it, ask for `next` until that is null.

    With `wait` a question that finds no new line is answered when there is one, when the run ends,
    or after so many seconds; at once if too many others wait already.
    """
    levels = () if query.level is None else (query.level,)
    page = context.read(
        logs.read_log, run_id, after=query.after, before=query.before, levels=levels
    )
    # Two ways on, so that `continued_at` does not do: to older lines, and to those yet to come.
    places = {"previous": onward(before=page.previous), "next": onward(after=page.next)}
    return page.model_copy(update=places)


@resource.post("/runs/<id:run_id>/cancel", Permission.RUN_CANCEL)
def cancel_run(context: Context, run_id: int, body: Cancel) -> RunDetail:
    """Cancel a run: at once if it is queued, by asking its job if it runs."""
    cancellation.cancel_run(context.database, context.act(reason=body.reason), run_id)
    # After its transaction: the answer shows what is stored.
    return context.read(runs.get_run, run_id)


@resource.post("/runs/<id:run_id>/retry", Permission.RUN_RETRY)
def retry_run(context: Context, run_id: int, body: RetryRun) -> RetriedRun:
    """Put a run that ended badly back into the queue, and what was skipped because of it."""
    act, how = context.act(reason=body.reason), body.model_dump(exclude={"reason"})
    ids = retries.retry_run(context.database, act, run_id, context.registry, **how)
    return context.read(runs.read_retried, run_id, ids)
