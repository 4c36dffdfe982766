"""Decides whether a run whose attempt ended is tried again, and when. Pure."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from tick.states import RunStatus


class AttemptOutcome(StrEnum):
    """How an attempt ended."""

    RETURNED = "returned"
    RAISED = "raised"
    TIMED_OUT = "timed out"
    DIED = "died"
    """Its process ended before the job did."""
    REFUSED = "refused"
    """The job could not be called with its parameters; another attempt would not help."""
    ASKED_RETRY = "asked for a retry"
    ASKED_SNOOZE = "asked for a snooze"
    ASKED_CANCEL = "asked to be cancelled"
    ASKED_SKIP = "asked to be skipped"
    CANCELLED = "cancelled"
    """A person asked for it."""
    RELEASED = "released"
    """The worker gave it back unfinished, through no fault of the job."""


@dataclass(frozen=True)
class AttemptEnd:
    """The end of an attempt; its texts are bounded where they are made."""

    how: AttemptOutcome
    result: str | None = None
    """The value that the job returned, as JSON text."""
    reason: str | None = None
    in_seconds: float = 0.0
    """When to run again, for RETRY, SNOOZE and RELEASED."""
    error_type: str | None = None
    error_message: str | None = None
    error_traceback: str | None = None


@dataclass(frozen=True)
class Backoff:
    """The pause before a retry: `first_seconds`, doubling up to `longest_seconds`."""

    first_seconds: float
    longest_seconds: float


@dataclass(frozen=True)
class RetryDecision:
    """The run's next status; `delay_seconds` counts when it is QUEUED."""

    status: RunStatus
    delay_seconds: float = 0.0
    gives_attempt_back: bool = False
    reason: str | None = None


def judge(
    end: AttemptEnd, *, run_id: int, attempt: int, max_attempts: int, backoff: Backoff
) -> RetryDecision:
    """Return the decision on attempt number `attempt` (from 1) of `max_attempts`."""
    match end.how:
        case AttemptOutcome.RETURNED:
            return RetryDecision(RunStatus.SUCCESS)
        case AttemptOutcome.ASKED_CANCEL | AttemptOutcome.CANCELLED:
            return RetryDecision(RunStatus.CANCELLED, reason=end.reason)
        case AttemptOutcome.ASKED_SKIP:
            return RetryDecision(RunStatus.SKIPPED, reason=end.reason)
        case AttemptOutcome.ASKED_SNOOZE | AttemptOutcome.RELEASED:
            # The attempt is given back: the job did not fail, and may wait as often as it wants.
            return RetryDecision(RunStatus.QUEUED, end.in_seconds, True, end.reason)
        case AttemptOutcome.REFUSED:
            return RetryDecision(RunStatus.FAILED, reason=end.reason)
    asked = end.how is AttemptOutcome.ASKED_RETRY
    if attempt >= max_attempts:
        left = f"{end.reason}; no attempt is left after {attempt}" if asked else end.reason
        return RetryDecision(RunStatus.FAILED, reason=left)
    if asked:
        return RetryDecision(RunStatus.QUEUED, end.in_seconds, reason=end.reason)
    ended = "failed" if end.how is AttemptOutcome.RAISED else end.how.value
    pause = retry_delay(backoff, run_id=run_id, attempt=attempt)
    again = f"attempt {attempt} of {max_attempts} {ended}"
    return RetryDecision(RunStatus.QUEUED, pause, reason=again)


def retry_delay(backoff: Backoff, *, run_id: int, attempt: int) -> float:
    """Return the seconds from attempt number `attempt` to the next: half of the pause, or more."""
    # Hashed from the run and the attempt: runs that failed together do not come back together, and
    # a repeated decision gives the same pause.
    digest = hashlib.sha256(f"{run_id}:{attempt}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    whole = min(backoff.longest_seconds, backoff.first_seconds * 2.0 ** (attempt - 1))
    return whole * (0.5 + share / 2)
