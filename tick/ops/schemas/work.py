"""What the system tells of itself: the shapes that the JSON API and the command line give alike.

Each is made from a row's attributes (`Run.model_validate(row)`) or from JSON. Instants are UTC.
"""

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tick.ops.schemas import Schema
from tick.states import (
    LogLevel,
    MissedPolicy,
    Mode,
    OccurrenceKind,
    Outcome,
    OverlapPolicy,
    RunStatus,
    ScheduleState,
    Trigger,
)


def _parsed(text: object) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None


class Occurrence(Schema):
    """One row of the ledger: a firing, or instants that did not fire, with the reason."""

    id: int
    schedule_id: str | None
    name: str = Field(description="of the schedule, or what a manual firing was of")
    kind: OccurrenceKind
    scheduled_for: datetime | None = Field(description="the nominal instant; null if manual")
    scheduled_until: datetime | None = Field(description="the last instant of a range not fired")
    count: int = Field(description="how many instants this row stands for")
    outcome: Outcome
    reason: str | None
    blocked_by_id: int | None = Field(description="the occurrence that held this one back")
    late_seconds: float | None
    triggered_by: str | None
    decided_at: datetime
    first_started_at: datetime | None
    last_finished_at: datetime | None
    runs: int
    succeeded: int
    failed: int
    cancelled: int
    skipped: int


class Timing(Schema):
    """When a schedule fires, in words; `mistake` if its rule can no longer be read."""

    words: str
    expression: str | None
    timezone: str
    mistake: str | None


class Selected(Schema):
    """What a schedule runs: in words, and the jobs in dependency order."""

    words: str
    jobs: tuple[str, ...]


class Schedule(Schema):
    """A schedule: its definition in force, where it stands, its last firing."""

    id: str
    name: str
    description: str
    enabled: bool
    enabled_at: datetime | None
    enabled_by: str | None
    state: ScheduleState
    state_reason: str | None
    state_by: str | None
    state_until: datetime | None = Field(description="when a pause ends by itself")
    next_run_at: datetime | None
    run_count: int
    failure_count: int
    consecutive_failures: int
    last_error: str | None
    version: int | None
    version_since: datetime | None
    rule: Annotated[dict[str, Any] | None, BeforeValidator(_parsed)] = Field(
        description="when it fires, as the engine reads it; defaults are left out"
    )
    mode: Mode | None
    timing: Timing
    selected: Selected
    last: Occurrence | None = Field(description="the last occurrence that fired")
    revision: str = Field(description="changes when somebody changes it; for If-Match")


class Policy(Schema):
    """What becomes of a schedule's instants, as in effect: defaults are filled in."""

    missed: MissedPolicy
    overlap: OverlapPolicy
    grace_seconds: float = Field(description="set, or learned from how often it ticks")
    max_catch_up_age_seconds: float = Field(description="set, or that of the latest instant")
    max_catch_up_runs: int
    max_runs: int | None
    runs_left: int | None = Field(description="of max_runs")


class ScheduleWithInstants(Schema):
    """A schedule and its next instants, whether or not it is switched on."""

    schedule: Schedule
    policy: Policy | None = Field(description="null where its rule can't be read")
    upcoming: tuple[datetime, ...]
    undecided: int = Field(description="instants that passed while it was off or paused")

    @property
    def revision(self) -> str:
        """The schedule's."""
        return self.schedule.revision


class UpcomingInstant(Schema):
    """An instant to come."""

    at: datetime
    schedule_id: str
    name: str
    timezone: str
    fires: bool = Field(description="false while its schedule is off, paused or removed")
    blackout: str | None = Field(description="the window in which it will not fire")


class Fact(Schema):
    """One thing that bears on an answer."""

    name: str
    text: str


class Why(Schema):
    """Why a schedule fired at an instant, or why it did not."""

    schedule_id: str
    at: datetime
    sentence: str
    occurrence_id: int | None = Field(description="the row of the ledger behind it")
    facts: tuple[Fact, ...]


class Run(Schema):
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
    lacks: str | None = Field(description="why no worker can take it, while it is queued")
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


class RetriedRun(RunDetail):
    """A run that was put back, with all runs that went back by it."""

    put_back: tuple[int, ...] = Field(
        description="itself, and what was skipped because of it; none if it had not ended"
    )


class Neighbour(Schema):
    """A run that another one waits for, or that waits for it."""

    run_id: int
    job_name: str
    status: RunStatus
    tolerant: bool = Field(description="the one that waits runs even if the other fails")


class RunWithNeighbours(Schema):
    """A run, what it waits for, and what waits for it."""

    run: RunDetail
    waits_for: tuple[Neighbour, ...]
    needed_by: tuple[Neighbour, ...]


class OccurrenceWithRuns(Schema):
    """An occurrence, and its runs in dependency order (at most 500)."""

    occurrence: Occurrence
    runs: tuple[Run, ...]


class LogLine(Schema):
    """One line that a run logged."""

    id: int
    attempt: int
    at: datetime
    level: LogLevel
    message: str
    fields: Any


class LogPage(Schema):
    """Consecutive lines, oldest first."""

    items: tuple[LogLine, ...]
    previous: str | None = Field(description="the lines before these; null at the top")
    next: str | None = Field(
        description="the lines after these, to be asked for again and again; "
        "null when the run has ended and these are its last"
    )
    status: RunStatus = Field(description="of the run")
    cut: int = Field(0, description="how many lines of the log were too many to be kept")


class Started(Schema):
    """What was started; a worker does the work."""

    occurrence_id: int
    occurrence: str = Field(description="where to watch it")


class Cancelled(Schema):
    """How many runs had not ended, and were cancelled or asked to stop."""

    runs: int


class BatchDone(Schema):
    """What became of many runs: those it was done to, and why not to the others, by id."""

    done: tuple[int, ...] = Field(description="of a retry, with what was skipped because of them")
    refused: dict[int, str]


class Retried(Schema):
    """The runs that were put back; none when they are in the queue or run already."""

    run_ids: tuple[int, ...]


class SlotsStarted(Schema):
    """The occurrences that stand for the instants from now on."""

    occurrence_ids: tuple[int, ...]


class BackfillPlan(Schema):
    """What a backfill would run, oldest first; `done` instants of that time have run already."""

    wanted: tuple[datetime, ...]
    done: int


class Changed(Schema):
    """Whether it was otherwise before."""

    changed: bool
