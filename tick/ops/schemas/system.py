"""What is told of whatever does the work: jobs, workers, queues, windows, the scheduler, the audit.

Like `tick.ops.schemas.work`, for the JSON API and the command line alike.
"""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from tick.ops.schemas.work import Answer, Run
from tick.policy.windows import Phase
from tick.states import WorkerStatus, WorkerType


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


class Worker(Answer):
    """One process, by what it last said of itself."""

    id: str
    worker_type: WorkerType
    status: WorkerStatus
    hostname: str
    pid: int
    version: str
    started_at: datetime
    last_heartbeat_at: datetime
    stopped_at: datetime | None
    abilities: Any = Field(description="what it can do")
    activity: str | None = Field(description="what it is doing")


class Queue(Answer):
    """A queue that has something to do, a limit, or a pause."""

    name: str
    queued: int
    running: int
    limit: int | None = Field(description="the most runs at one time")
    paused_since: datetime | None
    paused_by: str | None
    paused_reason: str | None
    revision: str = Field(description="changes when somebody pauses or resumes it; for If-Match")


class AuditEntry(Answer):
    """One change."""

    id: int
    at: datetime
    actor: str = Field(description="a person, `token:NAME`, `cli:NAME` or `system`")
    action: str
    subject: str = Field(description="the id of what was changed")
    before: Any
    after: Any
    reason: str | None
    request_id: str | None


class MaintenanceWindow(Answer):
    """A time [starts_at, ends_at) in which nothing fires."""

    id: int
    starts_at: datetime
    ends_at: datetime | None = Field(description="null: the scheduler is stopped")
    phase: Phase
    reason: str
    created_by: str
    created_at: datetime
    ended_by: str | None = Field(description="who ended it before its time, or called it off")
    revision: str = Field(description="changes when somebody ends it; for If-Match")


class WindowAdded(Answer):
    """A window that was planned."""

    window_id: int


class TickSource(Answer):
    """One of those who tick, by its latest ticks."""

    source: str
    last_at: datetime
    usual_seconds: float = Field(description="the usual distance between two of its ticks")
    learned: bool = Field(description="false while it ticked too little to know what is usual")
    late: bool = Field(description="its last tick is older than three of those")


class SchedulerStatus(Answer):
    """How the system does. Counts stop at 1001, which means: more than 1000."""

    now: datetime
    last_tick_at: datetime | None
    last_tick_source: str | None
    last_tick_error: str | None
    usual_seconds: float = Field(description="the usual distance between two ticks")
    learned: bool = Field(description="false while there were too few ticks to know it")
    synced_at: datetime | None = Field(
        description="when a sync decided what was due, as long as nothing has ticked"
    )
    ticks_are_late: bool = Field(description="the last tick is older than three of those")
    sources: tuple[TickSource, ...] = Field(description="who ticked lately, the latest first")
    ahead_to: datetime | None = Field(
        description="a clock was ahead: up to then schedules count as decided, and do not fire"
    )
    stands: bool = Field(description="it is stopped or in a maintenance window: nothing fires")
    stands_because: str | None = Field(description="since when, by whom and why")
    revision: str = Field(description="changes when somebody stops or starts it; for If-Match")
    workers: int = Field(description="living job workers")
    running: int
    queued: int
    processes: tuple[Worker, ...] = Field(
        description="the living loops, HTTP triggers and workers, at most 100"
    )


class BroughtBack(Answer):
    """What was brought back after a clock had been ahead."""

    schedules: tuple[str, ...] = Field(description="those that fire at their instants again")
    ticks: int = Field(description="ticks from the future that left the log")


class Violation(Answer):
    """Something that the promises rule out."""

    model_config = ConfigDict(frozen=True)

    schedule_id: str
    at: datetime
    message: str


class Proof(Answer):
    """What a proof found for the instants after `start`, up to `end`."""

    ok: bool = Field(description="no instant fired twice, and none is unaccounted for")
    start: datetime
    end: datetime
    pruned_to: datetime | None = Field(description="before that nothing can be proven any more")
    schedules: int
    instants: int
    outcomes: dict[str, int]
    waiting: int = Field(description="instants that the next tick decides")
    off: int = Field(description="instants that passed while their schedule is off")
    violations: tuple[Violation, ...] = Field(description="at most 100")


class ProofPart(Proof):
    """The proof of a part, up to `end`; the whole holds when every part does."""

    next: str | None = Field(description="where the proof goes on; null at its end")
