"""The days on which a schedule's calendar drops its instants, in its own time zone. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from tick.cron.zones import as_zone
from tick.policy.business_days import BusinessDays
from tick.policy.instants import just_before
from tick.policy.month_steps import MonthStep
from tick.policy.rule import Rule
from tick.states import DayRule, Outcome, ReasonKind

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayOff:
    """Why instants of a day, or of a part of it, do not fire."""

    reason: str
    # Of the holiday; a plain weekend has none, and lists of what is to come leave it out.
    holiday: str | None = None
    outcome: Outcome = Outcome.BLACKOUT
    kind: ReasonKind = ReasonKind.CALENDAR

    def in_words(self) -> str:
        """Return why nothing fires, and by which calendar."""
        return self.reason


@dataclass(frozen=True)
class DaySegment:
    """The instants in (after, until]; `off` says why none of them fires."""

    after: datetime
    until: datetime
    off: DayOff | None


def day_off_at(rule: Rule, at: datetime) -> DayOff | None:
    """Return why an instant of the rule is dropped by its calendar; None if it is not."""
    if rule.calendar is None:
        return None
    wall = _local(rule, at)
    morning, evening, closes_at = _parts_of(rule.calendar, rule.day_rule, wall.date())
    return evening if closes_at is not None and wall.time() >= closes_at else morning


def doubt_at(rule: Rule, at: datetime) -> str | None:
    """Return why it is not certain what the calendar says of an instant; None if it is."""
    if rule.calendar is None:
        return None
    day = _local(rule, at).date()
    # The third business day is another one if the second was a holiday.
    days = rule.step.days_that_decide(day) if isinstance(rule.step, MonthStep) else (day,)
    return next(filter(None, map(rule.calendar.doubt, days)), None)


def split_by_days(rule: Rule, after: datetime, until: datetime) -> Iterator[DaySegment]:
    """Yield (after, until] cut where the calendar begins or ends to drop instants, in order."""
    if after >= until:
        return
    if rule.calendar is None:
        yield DaySegment(after, until, None)
        return
    begin, off = after, None
    for edge, following in _edges(rule, after, until):
        if edge > begin:
            if following == off:
                continue
            yield DaySegment(begin, edge, off)
            begin = edge
        off = following
    yield DaySegment(begin, until, off)


def _edges(
    rule: Rule, after: datetime, until: datetime
) -> Iterator[tuple[datetime, DayOff | None]]:
    """Yield after which moment something holds, and what, from `after` or before on."""
    assert rule.calendar is not None  # noqa: S101  (asked for rules with one)
    day, last = _local(rule, after).date(), _local(rule, until).date()
    while day <= last:
        morning, evening, closes_at = _parts_of(rule.calendar, rule.day_rule, day)
        edge = _instant(rule, day, time())
        if edge >= until:
            return
        yield max(edge, after), morning
        if closes_at is not None and (edge := _instant(rule, day, closes_at)) < until:
            yield max(edge, after), evening
        day += _DAY


@lru_cache(maxsize=65_536)
def _parts_of(
    days: BusinessDays, day_rule: DayRule, day: date
) -> tuple[DayOff | None, DayOff | None, time | None]:
    """Return what holds in the morning and in the evening of a day, and when that begins."""
    morning = _why_dropped(days, day_rule, day)
    closes_at = days.closes_at(day)
    if morning is not None or closes_at is None or day_rule is not DayRule.ONLY_BUSINESS_DAYS:
        return morning, morning, None
    said = f"calendar {days.calendar}: a half day, over at {closes_at:%H:%M}"
    return None, DayOff(said, holiday="half day"), closes_at


def _why_dropped(days: BusinessDays, day_rule: DayRule, day: date) -> DayOff | None:
    why, is_holiday = days.why_off(day), days.is_holiday(day)
    match day_rule:
        case DayRule.ONLY_BUSINESS_DAYS if why is not None:
            return DayOff(f"calendar {days.calendar}: {why}", why if is_holiday else None)
        case DayRule.SKIP_HOLIDAYS if is_holiday:
            return DayOff(f"calendar {days.calendar}: {why}", why)
        case DayRule.ONLY_HOLIDAYS if not is_holiday:
            return DayOff(f"calendar {days.calendar}: no holiday")
    return None


def _local(rule: Rule, at: datetime) -> datetime:
    """Return the wall time that decides: that of the instant before its jitter."""
    zone = as_zone(rule.timezone if rule.zone is None else rule.zone)
    return (at - timedelta(seconds=rule.offset_seconds)).astimezone(zone.tzinfo)


def _instant(rule: Rule, day: date, at: time) -> datetime:
    """Return the moment before a wall time, moved by the rule's jitter."""
    zone = as_zone(rule.timezone if rule.zone is None else rule.zone)
    begins = datetime.combine(day, at, zone.tzinfo).astimezone(UTC)
    return just_before(begins) + timedelta(seconds=rule.offset_seconds)
