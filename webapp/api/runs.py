"""Runs: what is to be done, is being done, was done; their logs; cancelling."""

import time

from pydantic import Field

from tick.ops.actions import control, retries
from tick.ops.queries import runs
from tick.ops.reports import composed
from tick.ops.schemas.work import LogPage, RetriedRun, Run, RunDetail, RunWithNeighbours
from tick.states import LogLevel, RunStatus, Trigger
from webapp.api import caller
from webapp.api.models import Body, Id, Instant, Name, OptionalReason, Page, Query, continued
from webapp.api.operations import Resource
from webapp.pages.logs import LOOK_EVERY_SECONDS, holding_a_thread
from webapp.services import now, reading, runtime

resource = Resource("runs", "Runs: one execution of one job each, with its log.")


class RunPage(Page[Run]):
    """Runs, newest first."""


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
def list_runs(query: RunQuery) -> RunPage:
    """List runs, newest first."""
    chosen = runs.RunFilter(
        status=query.status,
        trigger=query.trigger,
        job_name=query.job,
        job_group=query.group,
        schedule_id=query.schedule,
        worker_id=query.worker,
        since=query.since,
        until=query.until,
        text=query.text,
    )
    with reading() as connection:
        page = runs.list_runs(connection, chosen, before=query.before)
    return RunPage.model_validate({"items": page.rows, "next": continued(before=page.older)})


@resource.get("/runs/<id:run_id>")
def read_run(run_id: int) -> RunWithNeighbours:
    """Read a run, with what it waits for and what waits for it."""
    with reading() as connection:
        return composed.read_run(connection, run_id)


@resource.get("/runs/<id:run_id>/logs")
def read_logs(run_id: int, query: LogQuery) -> LogPage:
    """Read what a run logged. To follow it, ask for `next` until that is null.

    With `wait` a question that finds no new line is answered when there is one, when the run ends,
    or after so many seconds; at once if too many others wait already.
    """
    page = _read_log(run_id, query)
    if query.wait:
        with holding_a_thread() as may_wait:
            looks = int(query.wait / LOOK_EVERY_SECONDS) if may_wait else 0
            while looks and page.next is not None and not page.items:
                looks -= 1
                time.sleep(LOOK_EVERY_SECONDS)
                page = _read_log(run_id, query)
    places = {"previous": continued(before=page.previous), "next": continued(after=page.next)}
    return page.model_copy(update=places)


def _read_log(run_id: int, query: LogQuery) -> LogPage:
    levels = () if query.level is None else (query.level,)
    with reading() as connection:
        return composed.read_log(
            connection, run_id, after=query.after, before=query.before, levels=levels
        )


@resource.post("/runs/<id:run_id>/cancel")
def cancel_run(run_id: int, body: Cancel) -> RunDetail:
    """Cancel a run: at once if it is queued, by asking its job if it runs."""
    control.cancel_run(
        runtime().database, run_id, now=now(), author=caller.author(), reason=body.reason
    )
    with reading() as connection:
        return RunDetail.model_validate(runs.get_run(connection, run_id))


@resource.post("/runs/<id:run_id>/retry")
def retry_run(run_id: int, body: RetryRun) -> RetriedRun:
    """Put a run that ended badly back into the queue, and what was skipped because of it."""
    ids = retries.retry_run(
        runtime().database,
        runtime().registry,
        run_id,
        now=now(),
        author=caller.author(),
        reason=body.reason,
        override_overlap=body.override_overlap,
        only=body.only,
    )
    with reading() as connection:
        return composed.read_retried(connection, run_id, ids)
