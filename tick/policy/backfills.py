"""Decides how much of a backfill is queued at one time, and what it waits for. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tick.states import BackfillOverlap, OverlapPolicy, ScheduleState

AHEAD = 20
"""Instants that are queued beyond those that may run at once: work until the next tick."""
_NOT_GOING = {
    ScheduleState.PAUSED: "its schedule is paused",
    ScheduleState.ERROR: "its schedule is in ERROR",
    ScheduleState.REMOVED: "its schedule was removed, and is not back",
}


@dataclass(frozen=True)
class Surroundings:
    """What goes on beside a backfill: its schedule's state, a window, and its own firings.

    `live_id` is an unfinished occurrence that is not the backfill's. The instants of a schedule
    that fires come `every` so often, the next at `next_at`; None where it does not fire.
    """

    state: ScheduleState
    overlap: OverlapPolicy
    closed: str | None = None
    live_id: int | None = None
    next_at: datetime | None = None
    every: timedelta | None = None
    has_deadline: bool = False
    """Whether its firings have a time limit, which begins to run as they are queued."""


def waits_for(overlap: BackfillOverlap, beside: Surroundings) -> str | None:
    """Return why no further instant is queued just now; None if nothing is in the way."""
    if beside.state in _NOT_GOING:
        return _NOT_GOING[beside.state]
    if beside.closed is not None:
        return beside.closed
    if overlap is BackfillOverlap.WAIT and beside.live_id is not None:
        return f"occurrence {beside.live_id} of its schedule is not finished"
    return None


def count_to_queue(
    overlap: BackfillOverlap,
    max_parallel: int,
    unfinished: int,
    beside: Surroundings,
    usual: timedelta | None,
    now: datetime,
) -> int:
    """Return how many more instants to queue, `unfinished` of which are still under way.

    `usual` is how long one takes; None while nothing is known of that.
    """
    most = max_parallel + (0 if beside.has_deadline else AHEAD)
    if overlap is BackfillOverlap.WAIT:
        most = min(most, _fitting(max_parallel, beside, usual, now))
    return max(most - unfinished, 0)


def _fitting(
    max_parallel: int, beside: Surroundings, usual: timedelta | None, now: datetime
) -> int:
    """Return how many are over before the schedule's next own instant, by all that is known."""
    most = max_parallel + AHEAD
    # What is under way then would let that instant be skipped, or be cancelled for it.
    if beside.overlap is OverlapPolicy.ALLOW or beside.next_at is None or not usual:
        return most if usual or beside.next_at is None else max_parallel
    if beside.every is not None and beside.every <= usual:
        return max_parallel  # no gap between two of its instants is long enough to make way
    return max((beside.next_at - now) // usual, 0) * max_parallel
