"""Days and wall times of a rule, in its own time zone and before its jitter. Pure."""

from datetime import UTC, date, datetime, time, timedelta

from tick.cron.local_times import minute_after
from tick.cron.zone_data import Zone
from tick.cron.zones import as_zone, periods_from
from tick.policy.nominal import just_before
from tick.policy.rule import Rule

_SECOND = timedelta(seconds=1)


def wall_of(rule: Rule, at: datetime) -> datetime:
    """Return the wall time that decides: that of the instant before its jitter."""
    return (at - _jitter(rule)).astimezone(_zone(rule).tzinfo)


def before_wall(rule: Rule, day: date, at: time) -> datetime:
    """Return the moment before a wall time, moved by the rule's jitter."""
    begins = datetime.combine(day, at, _zone(rule).tzinfo).astimezone(UTC)
    return just_before(begins) + _jitter(rule)


def instant_of(rule: Rule, day: date, at: time) -> datetime:
    """Return the instant of a wall time, moved by the rule's jitter.

    One that the clock leaps over is at the first valid minute; one that it shows twice is there
    where the rule's own times are.
    """
    local = datetime.combine(day, at, _zone(rule).tzinfo)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > second:
        period = next(periods_from(_zone(rule), first.replace(tzinfo=None)))
        valid = minute_after(period.start + period.offset - _SECOND) - period.offset
        return valid.replace(tzinfo=UTC) + _jitter(rule)
    return (second if rule.fold == "second" else first) + _jitter(rule)


def _zone(rule: Rule) -> Zone:
    return as_zone(rule.timezone if rule.zone is None else rule.zone)


def _jitter(rule: Rule) -> timedelta:
    return timedelta(seconds=rule.offset_seconds)
