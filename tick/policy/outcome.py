"""The outcome that an occurrence's runs give it. Pure."""

from dataclasses import dataclass
from typing import Any

from tick.states import Outcome


@dataclass(frozen=True)
class Tally:
    """An occurrence's runs, counted."""

    unfinished: int = 0
    started: int = 0
    """Begun, or held by a worker."""
    failed: int = 0
    tolerated: int = 0
    """Failed, and all that waits for them was declared to tolerate that."""
    left_out: int = 0
    """Skipped for a run that failed, and not run again when that was retried."""
    cancelled: int = 0


def outcome_of(count: Tally) -> Outcome:
    """Return the outcome of an occurrence with these runs."""
    return next((outcome for holds, outcome in cases(count) if holds), Outcome.SUCCESS)


def cases(count: Any) -> tuple[tuple[Any, Outcome], ...]:
    """Return the conditions in order; the first that holds decides, SUCCESS where none does."""
    # `count` has a Tally's attributes as numbers or as columns: the engine settles by them in one
    # statement, the proof checks by them in Python. `and` and `or` would not make SQL.
    return (
        ((count.unfinished > 0) & (count.started > 0), Outcome.RUNNING),
        (count.unfinished > 0, Outcome.QUEUED),
        ((count.failed > count.tolerated) | (count.left_out > 0), Outcome.FAILED),
        (count.failed > 0, Outcome.PARTIAL),
        (count.cancelled > 0, Outcome.CANCELLED),
    )
