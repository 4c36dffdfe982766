"""Runs: what is to be done, is being done, was done; their logs; cancelling."""

from datetime import datetime
from typing import Any

from pydantic import Field

from tick.ops import control, retries
from tick.ops.queries import logs, runs
from tick.states import LogLevel, RunStatus, Trigger
from webapp.api import caller
from webapp.api.models import Answer, Body, Id, Listing, Name, Nothing, Query, continued
from webapp.api.operations import Resource
from webapp.services import now, reading, runtime

resource = Resource("runs", "Runs: one execution of one job each, with its log.")


class Run(Answer):
    """One execution of a job, perhaps in several attempts."""

    id: int
    occurrence_id: int
    schedule_id: str | None
    schedule_name: str | None
    scheduled_for: datetime | None
    job_name: str
    job_group: str
    status: RunStatus
    trigger: Trigger
    triggered_by: str | None
    attempt: int
    max_attempts: int
    available_at: datetime = Field(description="not claimed before")
    cancel_requested_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: float | None = Field(description="from 0 to 1")
    progress_text: str | None
    reason: str | None = Field(description="why it was skipped, cancelled or put back")
    error_type: str | None
    error_message: str | None


class RunDetail(Run):
    """Everything that is known about a run."""

    queue: str
    priority: int
    params: Any
    run_metadata: Any
    rescues: int = Field(description="how often its worker died")
    worker_id: str | None
    fencing_token: int
    deadline_at: datetime | None
    result: str | None = Field(description="JSON text, cut if it was too long")
    error_traceback: str | None


class Neighbour(Answer):
    """A run that another one waits for, or that waits for it."""

    run_id: int
    job_name: str
    status: RunStatus
    tolerant: bool = Field(description="the one that waits runs even if the other fails")


class RunWithNeighbours(Answer):
    """A run, what it waits for, and what waits for it."""

    run: RunDetail
    waits_for: tuple[Neighbour, ...]
    needed_by: tuple[Neighbour, ...]


class RunPage(Listing[Run]):
    """Runs, newest first."""


class LogLine(Answer):
    """One line that a run logged."""

    id: int
    attempt: int
    at: datetime
    level: LogLevel
    message: str
    fields: Any


class LogPage(Answer):
    """Consecutive lines, oldest first."""

    items: tuple[LogLine, ...]
    previous: str | None = Field(description="the lines before these; null at the top")
    next: str | None = Field(
        description="the lines after these, to be asked for again and again; "
        "null when the run has ended and these are its last"
    )
    status: RunStatus = Field(description="of the run")


class RunQuery(Query):
    """Which runs."""

    status: RunStatus | None = None
    trigger: Trigger | None = None
    job: Name | None = None
    group: Name | None = None
    schedule: Name | None = None
    before: Id | None = Field(None, description="only those with a lower id: use `next`")


class LogQuery(Query):
    """Which lines; without `after` and `before`, the newest 500."""

    after: int | None = Field(None, ge=0, le=2**63 - 1, description="lines after this id")
    before: Id | None = Field(None, description="lines before this id; not with `after`")
    level: LogLevel | None = None


class Retry(Body):
    """How to put back what ended badly."""

    override_overlap: bool = Field(False, description="even while another occurrence runs")


@resource.get("/runs")
def list_runs(query: RunQuery) -> RunPage:
    """List runs, newest first."""
    chosen = runs.RunFilter(
        status=query.status,
        trigger=query.trigger,
        job_name=query.job,
        job_group=query.group,
        schedule_id=query.schedule,
    )
    with reading() as connection:
        page = runs.list_runs(connection, chosen, before=query.before)
    return RunPage.model_validate({"items": page.rows, "next": continued(before=page.older)})


@resource.get("/runs/<id:run_id>")
def read_run(run_id: int) -> RunWithNeighbours:
    """Read a run, with what it waits for and what waits for it."""
    with reading() as connection:
        run = runs.get_run(connection, run_id)
        waits_for, needed_by = runs.neighbours(connection, run_id)
    return RunWithNeighbours.model_validate(
        {"run": run, "waits_for": waits_for, "needed_by": needed_by}
    )


@resource.get("/runs/<id:run_id>/logs")
def read_logs(run_id: int, query: LogQuery) -> LogPage:
    """Read what a run logged. To follow it, ask for `next` until that is null."""
    levels = () if query.level is None else (query.level,)
    with reading() as connection:
        # The state first: lines that come between the two reads are seen by this or the next page.
        run = runs.get_run(connection, run_id)
        if query.after is None:
            page = logs.last_lines(connection, run_id, before=query.before, levels=levels)
        else:
            page = logs.LogPage(logs.lines_after(connection, run_id, query.after, levels=levels))
    goes_on = run.is_live or query.before is not None or len(page.lines) == logs.LOG_ROWS
    last = page.last_id or query.after or 0
    return LogPage.model_validate(
        {
            "items": page.lines,
            "previous": continued(before=page.earlier),
            "next": continued(after=last if goes_on else None),
            "status": run.status,
        }
    )


@resource.post("/runs/<id:run_id>/cancel")
def cancel_run(run_id: int, body: Nothing) -> RunDetail:
    """Cancel a run: at once if it is queued, by asking its job if it runs."""
    control.cancel_run(runtime().database, run_id, now=now(), author=caller.author())
    with reading() as connection:
        return RunDetail.model_validate(runs.get_run(connection, run_id))


@resource.post("/runs/<id:run_id>/retry")
def retry_run(run_id: int, body: Retry) -> RunDetail:
    """Put a run that ended badly back into the queue; what was skipped because of it stays so."""
    retries.retry_run(
        runtime().database,
        runtime().registry,
        run_id,
        now=now(),
        author=caller.author(),
        override_overlap=body.override_overlap,
    )
    with reading() as connection:
        return RunDetail.model_validate(runs.get_run(connection, run_id))
