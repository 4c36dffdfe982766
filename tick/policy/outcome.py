"""The outcome that an occurrence's runs give it. Pure.

Written once, for numbers and for columns alike: the engine settles by it in one statement, and
whoever checks what the ledger says asks it again.
"""

from dataclasses import dataclass
from typing import Any

from tick.states import Outcome


@dataclass(frozen=True)
class Tally:
    """An occurrence's runs, counted.

    `started` have begun or are held by a worker. `tolerated` failed, and everything that waits for
    them was declared to tolerate that. `left_out` stay skipped for a run that did not succeed,
    although it succeeded when it was retried.
    """

    unfinished: int = 0
    started: int = 0
    failed: int = 0
    tolerated: int = 0
    left_out: int = 0
    cancelled: int = 0


def outcome_of(count: Tally) -> Outcome:
    """The outcome of an occurrence with these runs."""
    return next((outcome for holds, outcome in cases(count) if holds), Outcome.SUCCESS)


def cases(count: Any) -> tuple[tuple[Any, Outcome], ...]:
    """The conditions in order, the first that holds decides; SUCCESS where none does.

    `count` has a Tally's attributes, as numbers or as columns of a database.
    """
    return (
        ((count.unfinished > 0) & (count.started > 0), Outcome.RUNNING),
        (count.unfinished > 0, Outcome.QUEUED),
        ((count.failed > count.tolerated) | (count.left_out > 0), Outcome.FAILED),
        (count.failed > 0, Outcome.PARTIAL),
        (count.cancelled > 0, Outcome.CANCELLED),
    )
