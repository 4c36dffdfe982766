"""Decides from where on a rule goes by other zone data. Pure."""

from datetime import UTC, datetime, timedelta

from tick.cron.local_times import WallTimes
from tick.cron.zone_data import Zone
from tick.cron.zones import ZonePeriod, as_zone, periods_from
from tick.policy.instants import wall_times
from tick.policy.rule import Rule

_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def zone_of(rule: Rule) -> str | None:
    """Return the zone whose data decide the rule's instants; None when they follow UTC alone."""
    follows_utc = rule.timezone == "UTC" or (rule.cron is None and rule.step is None)
    return None if follows_utc else rule.timezone


def go_on_after(old: Rule, new: Rule, decided_to: datetime) -> datetime:
    """Return from where on `new` decides: the same rule as `old`, read with other zone data."""
    # A decided wall time must not come again at another instant: where the clocks now show it
    # later, `new` begins after it. A wall time that the clocks now show earlier is due.
    if (fields := wall_times(new)) is None or fields.follows_real_time:
        return decided_to
    offset = timedelta(seconds=new.offset_seconds)
    wall = _decided_wall(old, (decided_to - offset).astimezone(UTC).replace(tzinfo=None))
    return max(decided_to, _instant_of(new, fields, wall) + offset)


def moved_on_after(old: Rule, new: Rule, decided_to: datetime) -> datetime:
    """Return from where on `new` decides: the same wall time as `old`, at another instant."""
    if new.at is not None and old.at is not None:
        # Decided already: a new instant that lies later must not fire the same wall time again.
        return decided_to if old.at > decided_to else max(decided_to, new.at)
    if new.anchor is not None and old.anchor is not None:
        return decided_to + max(new.anchor - old.anchor, timedelta())
    return decided_to


def _decided_wall(rule: Rule, at: datetime) -> datetime:
    """Return the wall time up to which everything is decided at that instant, both naive."""
    period = next(periods_from(_zone(rule), at))
    wall = at + period.offset
    if rule.fold == "first" and wall < period.repeated_until:
        return period.repeated_until - _SECOND
    if rule.fold == "second" and wall >= period.repeats_from:
        return period.repeats_from - _SECOND
    return wall


def _instant_of(rule: Rule, fields: WallTimes, wall: datetime) -> datetime:
    """Return when the rule has fired for that wall time and for all before it."""
    local = wall.replace(tzinfo=_zone(rule).tzinfo)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if rule.fold == "second" else first
    # The clocks leap over it, which makes up for what is left out: that would be this wall time
    # again, unless there is a later one to make up for.
    leap = _first_leap(rule, second.replace(tzinfo=None))
    valid, start = leap.start + leap.offset, leap.start.replace(tzinfo=UTC)
    return start - _SECOND if fields.count(wall + _SECOND, valid + _MINUTE) else start


def _first_leap(rule: Rule, after: datetime) -> ZonePeriod:
    """Return the first period that begins with a leap after that instant."""
    periods = periods_from(_zone(rule), after)
    return next(each for each in periods if each.gap and each.start > after)


def _zone(rule: Rule) -> Zone:
    return as_zone(rule.timezone if rule.zone is None else rule.zone)
