"""The outcome that the runs give an occurrence."""

from dataclasses import dataclass

import pytest

from tick.policy.outcome import cases
from tick.states import Outcome


@dataclass
class Tally:
    """An occurrence's runs, counted."""

    unfinished: int = 0
    started: int = 0
    failed: int = 0
    tolerated: int = 0
    left_out: int = 0
    expired: int = 0
    cancelled: int = 0


@pytest.mark.parametrize(
    ("count", "outcome"),
    [
        (Tally(), Outcome.SUCCESS),
        (Tally(unfinished=1), Outcome.QUEUED),
        (Tally(unfinished=1, started=1, failed=1, left_out=1), Outcome.RUNNING),
        (Tally(failed=1), Outcome.FAILED),
        (Tally(failed=2, tolerated=1, cancelled=1), Outcome.FAILED),
        (Tally(failed=1, tolerated=1), Outcome.PARTIAL),
        (Tally(failed=1, tolerated=1, left_out=1), Outcome.FAILED),
        (Tally(left_out=1), Outcome.FAILED),
        (Tally(left_out=1, cancelled=1), Outcome.FAILED),
        (Tally(cancelled=1), Outcome.CANCELLED),
        (Tally(cancelled=2, expired=2), Outcome.FAILED),
        (Tally(failed=1, tolerated=1, expired=1), Outcome.FAILED),
    ],
)
def test_the_worst_that_happened_decides(count: Tally, outcome: Outcome) -> None:
    decided = [outcome for holds, outcome in cases(count) if holds]
    assert [*decided, Outcome.SUCCESS][0] is outcome
