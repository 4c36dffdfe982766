"""What other zone data mean for a rule that is in use. Pure."""

from datetime import datetime, timedelta

from tick.cron.grammar import parse
from tick.cron.zone_data import Zone
from tick.cron.zones import as_zone
from tick.policy.rule import Rule
from tick.states import ScheduleKind


def zone_of(rule: Rule) -> str | None:
    """The zone whose data decide the rule's instants; None when they follow UTC alone."""
    return rule.timezone if rule.kind is ScheduleKind.CRON and rule.timezone != "UTC" else None


def go_on_after(old: Rule, new: Rule, decided_to: datetime) -> datetime:
    """From where on `new` decides: the same rule, read with other zone data than `old`.

    A wall time that is decided must not come again at another instant: where the clocks now show
    it later, `new` begins after it. What the clocks now show earlier is due, however late.
    """
    if new.cron is None or parse(new.cron).follows_real_time:
        return decided_to
    offset = timedelta(seconds=new.offset_seconds)
    at = decided_to - offset
    wall = at + _offset(_zone(old), at)
    again = wall - _offset(_zone(new), at)
    again = wall - _offset(_zone(new), again)
    return max(decided_to, again + offset)


def moved_on_after(old: Rule, new: Rule, decided_to: datetime) -> datetime:
    """From where on `new` decides: the same wall time, at another instant than in `old`.

    Where it came later, what is decided does not come again; where it came earlier, it is due.
    """
    if new.at is not None and old.at is not None:
        return decided_to if old.at > decided_to else max(decided_to, new.at)
    if new.anchor is not None and old.anchor is not None:
        return decided_to + max(new.anchor - old.anchor, timedelta())
    return decided_to


def _zone(rule: Rule) -> Zone:
    return as_zone(rule.timezone if rule.zone is None else rule.zone)


def _offset(zone: Zone, at: datetime) -> timedelta:
    return at.astimezone(zone.tzinfo).utcoffset() or timedelta()
