"""The instants of a rule, where they are decided: nominal ones, or where a calendar moves them.

Aware datetimes in, UTC out. Pure.
"""

from datetime import datetime, timedelta

from tick.policy import moves, nominal
from tick.policy.nominal import EPOCH, LAST, just_before, wall_times
from tick.policy.rule import Rule
from tick.utc import in_utc

__all__ = ["EPOCH", "just_before", "wall_times"]

_SHORT = timedelta(hours=6)


def first_after(rule: Rule, after: datetime) -> datetime | None:
    """Return the first instant strictly later than `after`, or None when there is none."""
    found = between(rule, after, None, limit=1)
    return found[0] if found else None


def latest_until(rule: Rule, after: datetime, until: datetime) -> datetime | None:
    """Return the newest instant in (after, until], or None when there is none."""
    if rule.is_moved:
        return moves.latest_until(rule, after, until)
    return nominal.latest_until(rule, after, until)


def is_instant(rule: Rule, at: datetime) -> bool:
    """Return whether `at` is an instant of the rule."""
    return count(rule, just_before(at), at) > 0


def between(rule: Rule, after: datetime, until: datetime | None, limit: int) -> list[datetime]:
    """Return the first `limit` instants in (after, until], or after `after`."""
    if rule.is_moved:
        return moves.between(rule, after, until or LAST, limit)
    return nominal.between(rule, after, until, limit)


def count(rule: Rule, after: datetime, until: datetime) -> int:
    """Return how many instants lie in (after, until]."""
    if rule.is_moved:
        return moves.count(rule, after, until)
    return nominal.count(rule, after, until)


def all_between(rule: Rule, after: datetime, until: datetime) -> list[datetime]:
    """Return all instants in (after, until], listed by the day."""
    if rule.is_moved:
        return moves.all_between(rule, after, until)
    return nominal.all_between(rule, after, until)


def nth(rule: Rule, after: datetime, until: datetime, index: int) -> datetime:
    """Return the instant number `index` (from 0) in (after, until]. Raises IndexError."""
    # By halving: a walk over a year of minutes would take half a million steps.
    after, until = in_utc(after), in_utc(until)
    while until - after > _SHORT:
        middle = after + (until - after) / 2
        here = count(rule, after, middle)
        if index < here:
            until = middle
        else:
            after, index = middle, index - here
    return between(rule, after, until, index + 1)[index]
