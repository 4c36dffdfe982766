"""The mistakes in a schedule's times, and in its choices for instants that don't fire. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from tick.cron import timetable
from tick.cron.hashed_slots import resolve
from tick.define.limit_mistakes import beside_each_other, in_limits
from tick.define.no_effect import without_effect
from tick.define.schedules import Schedule
from tick.define.steps import Step, find_in_step
from tick.define.wrong_values import in_choice, in_length, in_number, in_text
from tick.errors import InvalidCron
from tick.policy import instants
from tick.policy.missed import MIN_GRACE_SECONDS
from tick.states import DayRule, MissedPolicy, OverlapPolicy
from tick.utc import YEARS, in_utc, is_skipped

_MAX_TITLE = 200
_MOST_RUNS = 1_000_000_000
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_TEXTS = ("id", "name", "description", "timezone")
_OPTIONAL_TEXTS = ("cron", "calendar", "renamed_from", "dst_gap", "dst_fold", "dialect")
_INSTANTS = ("at", "anchor", "starts_at", "ends_at")
_SOME = 10


def find_in_timing(schedule: Schedule) -> list[str]:
    """Return the mistakes in a schedule's times and choices, with file and fix."""
    # Each step needs the values that the one before found right: the last one builds the rule.
    found = [*_in_texts(schedule)]
    found += [] if found else [*_in_choices(schedule), *_in_timing(schedule)]
    found += _in_numbers(schedule)
    found = found or [*without_effect(schedule), *beside_each_other(schedule)]
    found = found or [*_in_lengths(schedule)]
    return [f"{where_is(schedule)}: {text}" for text in found or _in_bounds(schedule)]


def where_is(schedule: Schedule) -> str:
    """Return the place of a schedule, with which each of its mistakes begins."""
    return f"{schedule.source}: schedule {schedule.id!r}"


def _in_texts(schedule: Schedule) -> Iterator[str]:
    for name in (*_TEXTS, *_OPTIONAL_TEXTS):
        value = getattr(schedule, name)
        if value is not None or name in _TEXTS:
            yield from in_text(name, value)


def _in_choices(schedule: Schedule) -> Iterator[str]:
    yield from in_choice("missed", schedule.missed, MissedPolicy)
    yield from in_choice("overlap", schedule.overlap, OverlapPolicy)
    if schedule.day_rule is not None:
        yield from in_choice("day_rule", schedule.day_rule, DayRule)
    try:
        schedule.dst()
    except InvalidCron as error:
        yield str(error)


def _in_numbers(schedule: Schedule) -> Iterator[str]:
    if isinstance(schedule.name, str) and len(schedule.name) > _MAX_TITLE:
        yield f"name has {len(schedule.name)} characters; at most {_MAX_TITLE} are kept."
    if schedule.grace is not None:
        yield from in_length("grace", schedule.grace, 1)
    if schedule.max_catch_up_age is not None:
        yield from in_length("max_catch_up_age", schedule.max_catch_up_age, 1)
    jitter = [*in_length("jitter", schedule.jitter, 0)]
    yield from jitter or (["jitter must be whole seconds."] if schedule.jitter % 1 else [])
    if schedule.jitter == 1:
        yield "jitter 1 has no effect: every instant moves by less than it; give 2 or more."
    for name in ("max_runs", "max_catch_up_runs"):
        value = getattr(schedule, name)
        if value is not None:
            yield from in_number(name, value, 1, _MOST_RUNS)
    yield from in_limits(schedule)


def _in_timing(schedule: Schedule) -> Iterator[str]:
    given = [name for name in ("cron", "every", "at") if getattr(schedule, name) is not None]
    if len(given) != 1:
        named = " and ".join(given) or "nothing"
        yield f"says when by {named}; give exactly one of cron, every and at."
        return
    if schedule.every is not None:
        yield from _in_interval(schedule.every)
    for name in _INSTANTS:
        why_wrong = _why_no_day if _is_anchor_of_days(schedule, name) else _why_no_instant
        if wrong := why_wrong(getattr(schedule, name)):
            yield f"{name} {wrong}."
            return
    yield from _in_cron(schedule)


def _is_anchor_of_days(schedule: Schedule, name: str) -> bool:
    return name == "anchor" and isinstance(schedule.every, Step)


def _why_no_day(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, date) or isinstance(value, datetime):
        return f"of local days must be a date such as date(2027, 1, 31), not {value!r}"
    if value.year not in YEARS:
        return f"{value} is too far away; write a year from {YEARS[0]} to {YEARS[-1]}"
    return None


def _why_no_instant(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        return f"must be a datetime, not {value!r}"
    if value.tzinfo is None:
        return "needs a time zone: write datetime(…, tzinfo=UTC)"
    if not _FIRST <= value <= _LAST:
        return "lies outside of the years 1 to 9999 in UTC; move it, or leave it out"
    if is_skipped(value):
        wall = f"{value:%Y-%m-%d %H:%M} in {value.tzinfo}"
        return f"is {wall}, which the clocks skip; write a time that there is"
    return None


def _in_interval(every: object) -> Iterator[str]:
    if isinstance(every, Step):
        yield from find_in_step(every)
    elif not isinstance(every, timedelta):
        yield f"every must be a timedelta, or days(…), weeks(…) or months(…), not {every!r}."
    elif every < timedelta(minutes=1):
        yield "every must be at least a minute."
    else:
        yield from in_length("every", every.total_seconds(), 60)


def _in_cron(schedule: Schedule) -> Iterator[str]:
    try:
        if schedule.dialect is not None and schedule.cron is not None:
            from tick.cron.dialects.times import dialect_times

            dialect_times(schedule.dialect, schedule.cron, schedule.timezone)
            return
        # Without cron, its time zone is checked all the same.
        timetable.validate(resolve(schedule.cron or "@daily", schedule.id), schedule.timezone)
    except InvalidCron as error:
        yield str(error)


def _in_lengths(schedule: Schedule) -> Iterator[str]:
    """Yield lengths that are at odds with each other, or with the distance of instants."""
    grace = MIN_GRACE_SECONDS if schedule.grace is None else schedule.grace
    age, caught_up = schedule.max_catch_up_age, schedule.missed != MissedPolicy.SKIP
    if caught_up and age is not None and age <= grace:
        yield (
            f"max_catch_up_age {age:g} has no effect within grace, which is "
            f"{'' if schedule.grace is not None else 'at least '}{grace:g}; give more, or leave it "
            "out."
        )
    first, last = schedule.starts_at, schedule.ends_at
    if first is not None and last is not None and in_utc(last) < in_utc(first):
        yield "ends_at is before starts_at; swap them, or move one."
        return
    distance = _longest_distance(schedule)
    if distance is not None and schedule.jitter > distance:
        yield (
            f"jitter {schedule.jitter:g} is longer than the {distance:g} seconds between its "
            "instants; give at most that."
        )


def _longest_distance(schedule: Schedule) -> float | None:
    """Return the longest time between its first instants, in seconds; None if it has fewer."""
    if not schedule.jitter:
        return None
    # From the first of all: a mistake must not depend on the day of the deploy.
    found = instants.between(schedule.rule(), instants.EPOCH, None, _SOME)
    return max(((b - a).total_seconds() for a, b in pairwise(found)), default=None)


def _in_bounds(schedule: Schedule) -> Iterator[str]:
    if instants.first_after(schedule.rule(), instants.EPOCH) is not None:
        return
    if schedule.starts_at is None and schedule.ends_at is None:
        yield "every has no instant: no month of its steps has such a day; write another one."
    else:
        yield "has no instant between starts_at and ends_at; move one of them."
