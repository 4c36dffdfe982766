"""What an instant does that is due while earlier occurrences have not finished."""

import pytest

from tick.policy.overlap import Verdict, judge
from tick.states import OverlapPolicy


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_with_nothing_unfinished_every_policy_fires(policy: OverlapPolicy) -> None:
    assert judge(policy, live=0) is Verdict.FIRE


@pytest.mark.parametrize(
    ("policy", "with_one", "with_two"),
    [
        (OverlapPolicy.SKIP, Verdict.SKIP, Verdict.SKIP),
        (OverlapPolicy.QUEUE_ONE, Verdict.WAIT_FOR_BLOCKER, Verdict.SKIP),
        (OverlapPolicy.REPLACE, Verdict.REPLACE_BLOCKER, Verdict.REPLACE_BLOCKER),
        (OverlapPolicy.ALLOW, Verdict.FIRE, Verdict.FIRE),
    ],
)
def test_each_policy_with_one_and_with_two_unfinished(
    policy: OverlapPolicy, with_one: Verdict, with_two: Verdict
) -> None:
    assert [judge(policy, live=1), judge(policy, live=2)] == [with_one, with_two]
