"""The nominal instants of a rule, whatever its kind: aware datetimes in, UTC out. Pure."""

from datetime import UTC, datetime, time, timedelta

from tick.cron import local_times, timetable
from tick.cron.grammar import parse
from tick.cron.local_times import LocalTimes, WallTimes
from tick.cron.zone_data import Zone
from tick.policy.local_steps import step_times
from tick.policy.rule import Rule
from tick.states import ScheduleKind
from tick.utc import in_utc

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_MOMENT = timedelta(microseconds=1)
# From UTC, with room for a clock change.
_LONGEST_OFFSET = timedelta(days=2)


def wall_times(rule: Rule) -> WallTimes | None:
    """Return the times on the wall at which it fires; None if it follows UTC alone."""
    if rule.dialect is not None:
        return _other_times(rule).fields
    return rule.step if rule.cron is None else parse(rule.cron)


def just_before(instant: datetime) -> datetime:
    """Return the moment before: (just_before(at), until] holds `at` itself."""
    instant = in_utc(instant)
    return instant - _MOMENT if instant > _FIRST else instant


def latest_until(rule: Rule, after: datetime, until: datetime) -> datetime | None:
    """Return the newest instant in (after, until], or None when there is none."""
    after, until = _clip(rule, after, until)
    if after >= until:
        return None
    found = _latest(rule, until)
    return found + _offset(rule) if found is not None and found > after else None


def between(rule: Rule, after: datetime, until: datetime | None, limit: int) -> list[datetime]:
    """Return the first `limit` instants in (after, until], or after `after`."""
    start, end = _clip(rule, after, until or LAST)
    if start >= end:
        return []
    offset = _offset(rule)
    return [instant + offset for instant in _upcoming(rule, start, end, limit)]


def count(rule: Rule, after: datetime, until: datetime) -> int:
    """Return how many instants lie in (after, until]."""
    after, until = _clip(rule, after, until)
    if after >= until:
        return 0
    if _is_other(rule):
        return local_times.count_between(_other_times(rule), after, until)
    if rule.kind is ScheduleKind.CRON:
        return timetable.count_between(_cron(rule), _zone(rule), after, until, dst=rule.dst)
    if rule.kind is ScheduleKind.INTERVAL:
        return _steps(rule, until) - _steps(rule, after)
    return int(rule.at is not None and after < rule.at <= until)


def all_between(rule: Rule, after: datetime, until: datetime) -> list[datetime]:
    """Return all instants in (after, until], listed by the day."""
    if rule.kind is not ScheduleKind.CRON or rule.dialect is not None:
        return between(rule, after, until, count(rule, after, until))
    after, until = _clip(rule, after, until)
    if after >= until:
        return []
    offset = _offset(rule)
    found = timetable.all_between(_cron(rule), _zone(rule), after, until, dst=rule.dst)
    return [instant + offset for instant in found] if offset else found


def _upcoming(rule: Rule, after: datetime, until: datetime, limit: int) -> list[datetime]:
    if _is_other(rule):
        return local_times.times_between(_other_times(rule), after, until, limit)
    if rule.kind is ScheduleKind.CRON:
        if limit == 1:
            # The answer that is remembered, for the many schedules that share an expression.
            found = timetable.next_times(_cron(rule), _zone(rule), after, dst=rule.dst)
            return [instant for instant in found if instant <= until]
        return timetable.times_between(_cron(rule), _zone(rule), after, until, limit, dst=rule.dst)
    if rule.kind is ScheduleKind.INTERVAL:
        first = _steps(rule, after) + 1
        last = min(_steps(rule, until), first + limit - 1)
        return [_interval(rule, step) for step in range(first, last + 1)]
    return [rule.at] if rule.at is not None and after < rule.at <= until else []


def _latest(rule: Rule, until: datetime) -> datetime | None:
    if _is_other(rule):
        return local_times.previous_time(_other_times(rule), until)
    if rule.kind is ScheduleKind.CRON:
        return timetable.previous_time(_cron(rule), _zone(rule), until, dst=rule.dst)
    if rule.kind is ScheduleKind.INTERVAL:
        return _interval(rule, _steps(rule, until))
    return rule.at if rule.at is not None and rule.at <= until else None


def _cron(rule: Rule) -> str:
    if rule.cron is None:
        raise ValueError("a CRON rule needs its expression")
    return rule.cron


def _is_other(rule: Rule) -> bool:
    """Return whether something else than our own reading of five fields names its instants."""
    return rule.step is not None or rule.dialect is not None


def _other_times(rule: Rule) -> LocalTimes:
    if rule.step is not None:
        return step_times(rule.step, _zone(rule), rule.dst)
    # The engines are imported where a schedule asks for one.
    from tick.cron.dialects.times import dialect_times

    return dialect_times(rule.dialect or "", _cron(rule), _zone(rule))


def _zone(rule: Rule) -> str | Zone:
    return rule.timezone if rule.zone is None else rule.zone


def _offset(rule: Rule) -> timedelta:
    return timedelta(seconds=rule.offset_seconds)


def _clip(rule: Rule, after: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Return (after, until] in UTC before the offset, cut to the rule's bounds."""
    # Cut first, moved afterwards: jitter takes no instant away and adds none.
    offset = _offset(rule)
    after, until = _moved_back(in_utc(after), offset), _moved_back(in_utc(until), offset)
    for first in (rule.starts_at, rule.anchor):
        if first is not None:  # a bound is inside
            after = max(after, just_before(first))
    if rule.step is not None:
        # Nothing comes before the first step: clock changes of a century need not be looked at.
        first_day = datetime.combine(rule.step.first, time(), tzinfo=UTC)
        after = max(after, first_day - _LONGEST_OFFSET)
    if rule.ends_at is not None:
        until = min(until, rule.ends_at)
    return after, until


def _moved_back(instant: datetime, offset: timedelta) -> datetime:
    # The year 1 has no earlier instant: subtraction would raise OverflowError.
    return instant - offset if instant - _FIRST > offset else _FIRST


def _interval(rule: Rule, step: int) -> datetime:
    return (rule.anchor or EPOCH) + step * timedelta(seconds=rule.every_seconds or 0)


def _steps(rule: Rule, instant: datetime) -> int:
    """Return how many whole intervals lie between the anchor and the instant."""
    if not rule.every_seconds:
        raise ValueError("an INTERVAL rule needs its length")
    return (instant - (rule.anchor or EPOCH)) // timedelta(seconds=rule.every_seconds)
