"""What a rule's instants to come will come to: by maintenance windows and by its limit. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tick.policy import instants, missed
from tick.policy.rule import Rule
from tick.policy.windows import Window, covering, split_by_windows
from tick.states import MissedPolicy


@dataclass(frozen=True)
class NextInstant:
    """One instant to come, and the window in which it will not fire."""

    at: datetime
    window: Window | None = None


def cut_at_limit(
    found: Iterable[datetime], windows: Sequence[Window], left: int | None
) -> Iterator[NextInstant]:
    """The instants up to the last that may fire; those in a window use up none of what is left."""
    for at in found:
        if left is not None and left <= 0:
            return
        window = covering(windows, at) if windows else None
        if left is not None and window is None:
            left -= 1
        yield NextInstant(at, window)


def runs_left(
    rule: Rule,
    fired: int,
    decided_to: datetime,
    now: datetime,
    windows: Sequence[Window],
) -> int | None:
    """How many of the instants after `now` may fire; None when that is not limited.

    What is due and waits for a tick takes its share first: one, if it may still fire, or each
    that is caught up.
    """
    if rule.max_runs is None:
        return None
    return max(rule.max_runs - fired - _count_owed(rule, decided_to, now, windows), 0)


def count_firing(rule: Rule, after: datetime, until: datetime, windows: Sequence[Window]) -> int:
    """How many instants lie in (after, until], and in no window."""
    parts = split_by_windows(windows, after, until)
    return sum(
        instants.count(rule, part.after, part.until) for part in parts if part.window is None
    )


def _count_owed(rule: Rule, decided_to: datetime, now: datetime, windows: Sequence[Window]) -> int:
    newest = instants.latest_until(rule, decided_to, now)
    if newest is None or covering(windows, newest) is not None:
        return 0
    if rule.missed is MissedPolicy.CATCH_UP_ALL:
        return min(count_firing(rule, decided_to, now, windows), rule.max_catch_up_runs)
    waits = (now - newest).total_seconds() <= missed.grace_seconds(rule, 0)
    return int(waits or rule.missed is not MissedPolicy.SKIP)
