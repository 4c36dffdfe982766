"""Forecasts which instants to come will fire, by maintenance windows and the rule's limit. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tick.policy import instants, missed
from tick.policy.closed_times import closed_at, count_firing
from tick.policy.day_rules import DayOff
from tick.policy.rule import Rule
from tick.policy.windows import AnyWindow, Window
from tick.states import MissedPolicy


@dataclass(frozen=True)
class NextInstant:
    """An instant to come, and the window or the day off in which it will not fire, if any."""

    at: datetime
    window: Window | DayOff | None = None


def cut_at_limit(
    rule: Rule, found: Iterable[datetime], windows: Sequence[AnyWindow], left: int | None
) -> Iterator[NextInstant]:
    """Yield the instants up to the last that may fire."""
    for at in found:
        if left is not None and left <= 0:
            return
        window = closed_at(rule, windows, at)
        if left is not None and window is None:  # an instant in a window uses up nothing
            left -= 1
        yield NextInstant(at, window)


def runs_left(
    rule: Rule, fired: int, decided_to: datetime, now: datetime, windows: Sequence[AnyWindow]
) -> int | None:
    """Return how many of the instants after `now` may fire; None if that is not limited."""
    if rule.max_runs is None:
        return None
    # Instants that are due and wait for a tick come before those to come.
    return max(rule.max_runs - fired - _count_owed(rule, decided_to, now, windows), 0)


def _count_owed(
    rule: Rule, decided_to: datetime, now: datetime, windows: Sequence[AnyWindow]
) -> int:
    # The next tick decides all of these at once: it fires one, unless each is to be caught up.
    newest = instants.latest_until(rule, decided_to, now)
    if newest is None or closed_at(rule, windows, newest) is not None:
        return 0
    if rule.missed is MissedPolicy.CATCH_UP_ALL:
        return min(count_firing(rule, decided_to, now, windows), rule.max_catch_up_runs)
    waits = (now - newest).total_seconds() <= missed.grace_seconds(rule, 0)
    return int(waits or rule.missed is not MissedPolicy.SKIP)
