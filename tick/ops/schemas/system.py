"""What is told of whatever does the work: jobs, workers, queues, windows, the scheduler, the audit.

Like `tick.ops.schemas.work`, for the JSON API and the command line alike.
"""

from datetime import datetime

from pydantic import ConfigDict, Field

from tick.ops.schemas import Schema
from tick.ops.schemas.work import Run


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


class WindowAdded(Schema):
    """A window that was planned."""

    window_id: int


class BroughtBack(Schema):
    """What was brought back after a clock had been ahead."""

    schedules: tuple[str, ...] = Field(description="those that fire at their instants again")
    ticks: int = Field(description="ticks from the future that left the log")


class Violation(Schema):
    """Something that the promises rule out."""

    model_config = ConfigDict(frozen=True)

    schedule_id: str
    at: datetime
    message: str


class Proof(Schema):
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
