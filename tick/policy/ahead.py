"""Forecasts which instants to come will fire, by maintenance windows and the rule's limit. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tick.policy import instants, missed
from tick.policy.closed_times import closed_at, count_firing, latest_firing
from tick.policy.day_rules import DayOff
from tick.policy.holds import HoldingTime, StoodFor, held_at, holding_times, on_time_from
from tick.policy.moves import moved_from
from tick.policy.rule import Rule
from tick.policy.windows import AnyWindow, Window
from tick.states import MissedPolicy


@dataclass(frozen=True)
class NextInstant:
    """An instant to come, and the window or the day off in which it will not fire, if any."""

    at: datetime
    window: Window | DayOff | StoodFor | None = None
    held: HoldingTime | None = None
    """The windows after which it fires, if any."""
    nominal_for: datetime | None = None
    """The rule's own instant, where a calendar moves it here."""


def cut_at_limit(
    rule: Rule, found: Iterable[datetime], windows: Sequence[AnyWindow], left: int | None
) -> Iterator[NextInstant]:
    """Yield the instants up to the last that may fire."""
    for at in found:
        if left is not None and left <= 0:
            return
        item = forecast(rule, at, windows)
        if left is not None and item.window is None:  # one in a window uses up nothing
            left -= 1
        yield item


def forecast(rule: Rule, at: datetime, windows: Sequence[AnyWindow]) -> NextInstant:
    """Return what windows and the calendar will do to an instant."""
    closed, nominal = closed_at(rule, windows, at), moved_from(rule, at)
    if closed is not None or not windows or (held := held_at(windows, at)) is None:
        return NextInstant(at, closed, nominal_for=nominal)
    if (newer := _newer(rule, at, held, windows)) is not None:
        return NextInstant(at, StoodFor(held, newer), nominal_for=nominal)
    return NextInstant(at, None, held, nominal)


def _newer(
    rule: Rule, at: datetime, held: HoldingTime, windows: Sequence[AnyWindow]
) -> datetime | None:
    """Return the newest instant that is due once the held one may fire, and stands for it."""
    if rule.missed is MissedPolicy.CATCH_UP_ALL or held.ends_at is None:
        return None
    return latest_firing(rule, at, held.ends_at, windows)


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
    held = holding_times(windows, newest, now)
    early = on_time_from(held, now, timedelta(seconds=missed.grace_seconds(rule, 0)))
    return int(newest >= early or rule.missed is not MissedPolicy.SKIP)
