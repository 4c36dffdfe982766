"""What an instant does that is due while earlier occurrences have not finished."""

import pytest

from tick.policy.planner import OverlapDecision, judge_overlap
from tick.states import OverlapPolicy


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_with_nothing_unfinished_every_policy_fires(policy: OverlapPolicy) -> None:
    assert judge_overlap(policy, live=0) is OverlapDecision.FIRE


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_while_fewer_are_unfinished_than_may_be_every_policy_fires(policy: OverlapPolicy) -> None:
    assert judge_overlap(policy, live=2, most=3) is OverlapDecision.FIRE


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_a_policy_holds_from_as_many_on_as_may_be_unfinished(policy: OverlapPolicy) -> None:
    of_one = [judge_overlap(policy, live=1), judge_overlap(policy, live=2)]
    assert [judge_overlap(policy, live=3, most=3), judge_overlap(policy, live=4, most=3)] == of_one


@pytest.mark.parametrize(
    ("policy", "with_one", "with_two"),
    [
        (OverlapPolicy.SKIP, OverlapDecision.SKIP, OverlapDecision.SKIP),
        (OverlapPolicy.QUEUE_ONE, OverlapDecision.WAIT_FOR_BLOCKER, OverlapDecision.SKIP),
        (OverlapPolicy.REPLACE, OverlapDecision.REPLACE_BLOCKER, OverlapDecision.REPLACE_BLOCKER),
        (OverlapPolicy.ALLOW, OverlapDecision.FIRE, OverlapDecision.FIRE),
    ],
)
def test_each_policy_with_one_and_with_two_unfinished(
    policy: OverlapPolicy, with_one: OverlapDecision, with_two: OverlapDecision
) -> None:
    assert [judge_overlap(policy, live=1), judge_overlap(policy, live=2)] == [with_one, with_two]
