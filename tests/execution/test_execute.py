"""What a job may ask for by what it returns."""

from math import inf, nan

import pytest

from tests.support.factories import a_job
from tests.worker.test_pool import RUN
from tick import Retry, Snooze
from tick.execution.context import CurrentRun
from tick.execution.ear import Ear
from tick.execution.execute import MAX_PAUSE_SECONDS, execute
from tick.policy.retry import How


@pytest.mark.parametrize("outcome", [Retry, Snooze])
@pytest.mark.parametrize("seconds", [-1, nan, inf, MAX_PAUSE_SECONDS + 1])
def test_a_pause_that_is_no_length_of_time_fails_the_run(
    outcome: type[Retry | Snooze], seconds: float
) -> None:
    end = execute(a_job("asks", function=lambda: outcome(seconds)), CurrentRun(RUN, Ear(RUN)))
    assert (end.how, end.error_type) == (How.RAISED, "ValueError")
