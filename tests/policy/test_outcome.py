"""The outcome that the runs give an occurrence."""

import pytest

from tick.policy.outcome import Tally, outcome_of
from tick.states import Outcome


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
    ],
)
def test_the_worst_that_happened_decides(count: Tally, outcome: Outcome) -> None:
    assert outcome_of(count) is outcome
