"""What happens when an instant is due while an earlier occurrence has not finished. Pure."""

from enum import Enum

from tick.states import OverlapPolicy


class Verdict(Enum):
    """What the tick does with the instant."""

    FIRE = "fire"
    SKIP = "skip"
    WAIT_FOR_BLOCKER = "wait for blocker"
    """Fire now; its runs wait until the blocker has finished."""
    REPLACE_BLOCKER = "replace blocker"
    """Cancel what runs, and fire; its runs wait until the blocker has stopped."""


def judge(policy: OverlapPolicy, live: int) -> Verdict:
    """The verdict when `live` earlier occurrences of the schedule have not finished."""
    if live == 0 or policy is OverlapPolicy.ALLOW:
        return Verdict.FIRE
    if policy is OverlapPolicy.REPLACE:
        return Verdict.REPLACE_BLOCKER
    if policy is OverlapPolicy.QUEUE_ONE and live == 1:
        return Verdict.WAIT_FOR_BLOCKER
    return Verdict.SKIP
