"""The days on which a schedule's calendar lets no instant fire, in its own time zone. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain

from tick.policy import moves
from tick.policy.business_days import BusinessDays
from tick.policy.local_days import before_wall, wall_of
from tick.policy.month_steps import MonthStep
from tick.policy.moves import Place
from tick.policy.rule import Rule
from tick.states import MOVING_DAY_RULES, DayRule, Outcome, ReasonKind

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
    """Return why an instant of the rule does not fire, by its calendar; None if it does."""
    if rule.calendar is None:
        return None
    if rule.is_moved:
        place = moves.place_at(rule, at)
        return None if place is None else _why_not_there(rule, rule.calendar, place)
    wall = wall_of(rule, at)
    parts = _parts_of(rule.calendar, rule.day_rule, wall.date())
    return [off for begins, off in parts if begins <= wall.time()][-1]


def move_in_words(rule: Rule, nominal: datetime) -> str:
    """Return from where a calendar moved an instant, and why."""
    assert rule.calendar is not None  # noqa: S101  (asked for what one moved)
    wall = wall_of(rule, nominal)
    why, _ = _why_closed(rule.calendar, wall.date(), wall.time())
    return f"moved from {nominal:%Y-%m-%d %H:%M} UTC by {why}"


def doubt_at(rule: Rule, at: datetime) -> str | None:
    """Return why it is not certain what the calendar says of an instant; None if it is."""
    if rule.calendar is None:
        return None
    nominal = moves.moved_from(rule, at) or at
    day = wall_of(rule, nominal).date()
    # The third business day is another one if the second was a holiday.
    known = rule.step.days_that_decide(day) if isinstance(rule.step, MonthStep) else (day,)
    first, last = sorted((day, wall_of(rule, at).date()))
    crossed = (first + number * _DAY for number in range((last - first).days + 1))
    return next(filter(None, map(rule.calendar.doubt, chain(known, crossed))), None)


def _why_not_there(rule: Rule, days: BusinessDays, place: Place) -> DayOff | None:
    if place.at == place.moved_to:
        return None
    wall = wall_of(rule, place.at)
    why, holiday = _why_closed(days, wall.date(), wall.time())
    if place.moved_to is None:
        return _goes_nowhere(why, holiday)
    whose = "the schedule's own instant"
    if place.stood_for_by not in (None, place.moved_to):
        whose = f"the instant of {place.stood_for_by:%Y-%m-%d %H:%M} UTC, moved there too,"
    said = (
        f"{why}; moved to {place.moved_to:%Y-%m-%d %H:%M} UTC, where {whose} fires for it as well"
    )
    return DayOff(said, holiday, Outcome.COALESCED)


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
    day, last = wall_of(rule, after).date(), wall_of(rule, until).date()
    while day <= last:
        for begins, off in _parts_of(rule.calendar, rule.day_rule, day):
            edge = before_wall(rule, day, begins)
            if edge >= until:
                return
            yield max(edge, after), off
        day += _DAY


@lru_cache(maxsize=65_536)
def _parts_of(
    days: BusinessDays, day_rule: DayRule, day: date
) -> tuple[tuple[time, DayOff | None], ...]:
    """Return from which times of a day on what holds, in order."""
    if day_rule in MOVING_DAY_RULES:
        return _moved_parts(days, day_rule, day)
    morning = _why_dropped(days, day_rule, day)
    closes_at = days.closes_at(day)
    if morning is not None or closes_at is None or day_rule is not DayRule.ONLY_BUSINESS_DAYS:
        return ((time(), morning),)
    why, holiday = _why_closed(days, day, closes_at)
    return ((time(), None), (closes_at, DayOff(why, holiday)))


def _moved_parts(
    days: BusinessDays, day_rule: DayRule, day: date
) -> tuple[tuple[time, DayOff | None], ...]:
    """Return the same where instants are moved: closed parts hold those that meet another."""
    found: list[tuple[time, DayOff | None]] = []
    begins: time | None = time()
    while begins is not None:
        target = moves.business_day(days, day_rule, day, begins)
        found.append((begins, _meets_another(days, day, begins, target)))
        # A half day takes what comes before it is over, and another one the rest.
        ends = None if target is None else days.closes_at(target)
        begins = ends
    return tuple(found)


def _meets_another(days: BusinessDays, day: date, at: time, target: date | None) -> DayOff | None:
    if target == day:
        return None
    why, holiday = _why_closed(days, day, at)
    if target is None:
        return _goes_nowhere(why, holiday)
    said = f"{why}; moved to {target}, where other instants of the same times fire for them"
    return DayOff(said, holiday, Outcome.COALESCED)


def _goes_nowhere(why: str, holiday: str | None) -> DayOff:
    longest = moves.LONGEST_MOVE_DAYS
    return DayOff(f"{why}; no business day within {longest} days to move to", holiday)


def _why_closed(days: BusinessDays, day: date, at: time) -> tuple[str, str | None]:
    """Return why a time is not on a business day, and the name that lists give it."""
    why, closes_at = days.why_off(day), days.closes_at(day)
    if why is None and closes_at is not None:
        return f"calendar {days.calendar}: a half day, over at {closes_at:%H:%M}", "half day"
    return f"calendar {days.calendar}: {why}", why if days.is_holiday(day) else None


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
