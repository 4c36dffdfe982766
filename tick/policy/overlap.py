"""Decides about an instant that is due while an earlier occurrence has not finished. Pure."""

from enum import Enum

from tick.states import OverlapPolicy


class OverlapDecision(Enum):
    """The tick's decision about the instant."""

    FIRE = "fire"
    SKIP = "skip"
    WAIT_FOR_BLOCKER = "wait for blocker"
    """Fire now; its runs wait until the blocker has finished."""
    REPLACE_BLOCKER = "replace blocker"
    """Cancel what runs, and fire; its runs wait until the blocker has stopped."""


def judge(policy: OverlapPolicy, live: int) -> OverlapDecision:
    """Return the decision when `live` earlier occurrences of the schedule have not finished."""
    if live == 0 or policy is OverlapPolicy.ALLOW:
        return OverlapDecision.FIRE
    if policy is OverlapPolicy.REPLACE:
        return OverlapDecision.REPLACE_BLOCKER
    if policy is OverlapPolicy.QUEUE_ONE and live == 1:
        return OverlapDecision.WAIT_FOR_BLOCKER
    # QUEUE_ONE as well, while one waits: a queue that grows would never be worked off.
    return OverlapDecision.SKIP
