"""The days on which a clock change touches a schedule's time. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tick.policy import instants
from tick.policy.cron_zones import stretches_from
from tick.policy.rule import Rule
from tick.states import ScheduleKind

_DAY = timedelta(days=1)
_MOST = 2000
_GAP = {
    "first_valid": "the clock leaps over its time: it fires at the first valid minute",
    "skip": "the clock leaps over its time: it does not fire",
}
_FOLD = {
    "first": "the clock shows its time twice: it fires the first time",
    "second": "the clock shows its time twice: it fires the second time",
    "both": "the clock shows its time twice: it fires both times",
}


@dataclass(frozen=True)
class ClockChange:
    """A clock change at `at` that touches a schedule's time, and what comes of it."""

    at: datetime
    effect: str


def clock_changes(rule: Rule, after: datetime, until: datetime) -> Iterator[ClockChange]:
    """The clock changes in (after, until] at which the rule's choices for them matter."""
    if rule.kind is not ScheduleKind.CRON:
        return
    for stretch in stretches_from(rule.timezone, after.astimezone(UTC).replace(tzinfo=None)):
        at = stretch.start.replace(tzinfo=UTC)
        if at > until:
            return
        if at <= after:
            continue
        if _around(replace(rule, gap="first_valid"), at) != _around(replace(rule, gap="skip"), at):
            yield ClockChange(at, _GAP[rule.gap])
        if _around(replace(rule, fold="first"), at) != _around(replace(rule, fold="both"), at):
            yield ClockChange(at, _FOLD[rule.fold])


def _around(rule: Rule, at: datetime) -> list[datetime]:
    return instants.between(rule, at - _DAY, at + _DAY, _MOST)
