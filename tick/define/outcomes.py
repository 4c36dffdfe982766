"""The values that a job may return to steer its own run. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """Run again `in_seconds` from now; counts as an attempt, and fails when none is left."""

    in_seconds: float = 0.0
    reason: str = "the job asked for a retry"


@dataclass(frozen=True)
class Cancel:
    """End as CANCELLED; what depends on the run is skipped."""

    reason: str


@dataclass(frozen=True)
class Snooze:
    """Run again `in_seconds` from now, without using up an attempt."""

    in_seconds: float
    reason: str = "the job snoozed"


@dataclass(frozen=True)
class Skip:
    """End as SKIPPED: there was nothing to do. What depends on the run is skipped."""

    reason: str
