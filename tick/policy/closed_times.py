"""Times in which a rule's instants do not fire, by its calendar or in a window. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tick.policy import instants
from tick.policy.day_rules import DayOff, day_off_at, split_by_days
from tick.policy.holds import holding_times
from tick.policy.instants import just_before
from tick.policy.rule import Rule
from tick.policy.windows import AnyWindow, Window, covering, skipping, split_by_windows
from tick.states import MissedPolicy

_MONTH, _FAR = timedelta(days=31), timedelta(days=366 * 12)


@dataclass(frozen=True)
class Segment:
    """The instants in (after, until], and what keeps all of them from firing, if anything does."""

    after: datetime
    until: datetime
    closed: Window | DayOff | None


def closed_at(rule: Rule, windows: Sequence[AnyWindow], at: datetime) -> Window | DayOff | None:
    """Return what keeps an instant of the rule from firing; None if nothing does."""
    return day_off_at(rule, at) or (covering(skipping(windows), at) if windows else None)


def split_by_closed_times(
    rule: Rule, windows: Sequence[AnyWindow], after: datetime, until: datetime
) -> Iterator[Segment]:
    """Yield (after, until] cut where something begins or ends that keeps instants from firing."""
    for part in split_by_days(rule, after, until):
        if part.off is not None:
            yield Segment(part.after, part.until, part.off)
            continue
        for each in split_by_windows(windows, part.after, part.until):
            yield Segment(each.after, each.until, each.window)


def list_ahead(rule: Rule, after: datetime, until: datetime | None, limit: int) -> list[datetime]:
    """Return the first `limit` instants in (after, until] that people want to see in a list."""
    # A holiday that drops one is news; plain weekends are not.
    return _ahead(rule, after, until, limit, lambda off: off is None or off.holiday is not None)


def firing_between(
    rule: Rule, after: datetime, until: datetime | None, limit: int
) -> list[datetime]:
    """Return the first `limit` instants in (after, until] that no calendar drops."""
    return _ahead(rule, after, until, limit, lambda off: off is None)


def first_firing_after(rule: Rule, after: datetime) -> datetime | None:
    """Return the first instant strictly later that no calendar drops, or None without one."""
    found = firing_between(rule, after, None, 1)
    return found[0] if found else None


def _ahead(
    rule: Rule,
    after: datetime,
    until: datetime | None,
    limit: int,
    is_wanted: Callable[[DayOff | None], bool],
) -> list[datetime]:
    if rule.calendar is None:
        return instants.between(rule, after, until, limit)
    found: list[datetime] = []
    end = after + _FAR if until is None else min(until, after + _FAR)
    while len(found) < limit and (following := instants.first_after(rule, after)) is not None:
        if following > end:
            break
        start, after = just_before(following), min(following + _MONTH, end)
        for part in split_by_days(rule, start, after):
            if is_wanted(part.off):
                found += instants.between(rule, part.after, part.until, limit - len(found))
    return found


def count_firing(rule: Rule, after: datetime, until: datetime, windows: Sequence[AnyWindow]) -> int:
    """Return how many instants lie in (after, until], and in no closed time."""
    found = _count_open(rule, after, until, windows)
    if rule.missed is MissedPolicy.CATCH_UP_ALL:
        return found
    # Of those that a window holds, one fires after it.
    for time in holding_times(windows, after, until) if windows else ():
        start, end = max(after, just_before(time.starts_at)), min(until, time.ends_at or until)
        if start < end:
            found -= max(_count_open(rule, start, end, windows) - 1, 0)
    return found


def _count_open(rule: Rule, after: datetime, until: datetime, windows: Sequence[AnyWindow]) -> int:
    parts = split_by_closed_times(rule, windows, after, until)
    return sum(
        instants.count(rule, part.after, part.until) for part in parts if part.closed is None
    )


def latest_firing(
    rule: Rule, after: datetime, until: datetime, windows: Sequence[AnyWindow]
) -> datetime | None:
    """Return the newest instant in (after, until] and in no closed time; None without one."""
    parts = [*split_by_closed_times(rule, windows, after, until)]
    found = (
        instants.latest_until(rule, part.after, part.until)
        for part in reversed(parts)
        if part.closed is None
    )
    return next((at for at in found if at is not None), None)
