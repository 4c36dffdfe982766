"""The days on which a clock change touches a schedule's time, and months that have none. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge

from tick.cron.zones import ZonePeriod, as_zone, periods_from
from tick.policy import instants
from tick.policy.month_steps import MonthStep
from tick.policy.rule import Rule

_DAY = timedelta(days=1)
_GAP = {
    "first_valid": "the clock leaps over its time: it fires at the first valid minute",
    "skip": "the clock leaps over its time: it does not fire",
}
_EMPTY = "the clock leaps over all its times of {:%Y-%m-%d}: it does not fire that day"
_FOLD = {
    "first": "the clock shows its time twice: it fires the first time",
    "second": "the clock shows its time twice: it fires the second time",
    "both": "the clock shows its time twice: it fires both times",
}


def clock_changes(rule: Rule, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield the clock changes in (after, until] that touch the rule's times, with the effect."""
    if instants.wall_times(rule) is None:
        return
    for period in periods_from(rule.timezone, after.astimezone(UTC).replace(tzinfo=None)):
        at = period.start.replace(tzinfo=UTC)
        if at > until:
            return
        if at <= after:
            continue
        # A change matters where the choices for it lead to different instants.
        if _around(replace(rule, gap="first_valid"), at) != _around(replace(rule, gap="skip"), at):
            yield at, _GAP[rule.gap]
        else:
            yield from ((at, _EMPTY.format(day)) for day in _empty_days(rule, period))
        if _around(replace(rule, fold="first"), at) != _around(replace(rule, fold="both"), at):
            yield at, _FOLD[rule.fold]


def changes_ahead(rule: Rule, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield what is unusual in (after, until], in order: clock changes, and months left out."""
    return merge(clock_changes(rule, after, until), months_left_out(rule, after, until))


def months_left_out(rule: Rule, after: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield the months in (after, until] in which it has no day to fire on, with the words."""
    if not isinstance(rule.step, MonthStep):
        return
    zone = as_zone(rule.timezone).tzinfo
    first, last = (at.astimezone(zone).date() for at in (after, until))
    for month in rule.step.months_without(first, last):
        begins = datetime.combine(month, time(), zone).astimezone(UTC)
        if after < begins and _is_within(rule, begins):
            yield begins, f"{month:%B %Y} has no such day: it does not fire in that month"


def _empty_days(rule: Rule, period: ZonePeriod) -> Iterator[date]:
    """Yield the local days that have times on the wall, all of which the clock leaps over."""
    at, valid = period.start.replace(tzinfo=UTC), period.start + period.offset
    if not period.gap or not _is_within(rule, at):
        return
    # Jitter could move an instant of the day before into this one, and hide that it is empty.
    plain = replace(rule, offset_seconds=0.0, starts_at=None, ends_at=None)
    before = period.offset - period.gap
    fires_on = {
        (instant + (period.offset if instant >= at else before)).date()
        for instant in _around(plain, at)
    }
    walls, day = instants.wall_times(rule), (valid - period.gap).replace(hour=0, minute=0, second=0)
    while walls is not None and day < valid:
        if day.date() not in fires_on and walls.count(day, day + _DAY):
            yield day.date()
        day += _DAY


def _is_within(rule: Rule, at: datetime) -> bool:
    return (rule.starts_at is None or rule.starts_at <= at) and (
        rule.ends_at is None or at <= rule.ends_at
    )


def _around(rule: Rule, at: datetime) -> list[datetime]:
    return instants.all_between(rule, at - 2 * _DAY, at + 2 * _DAY)
