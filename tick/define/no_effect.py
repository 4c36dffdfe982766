"""Options of a schedule that would be accepted and ignored where they stand. Pure."""

from collections.abc import Callable, Iterator
from datetime import datetime

from tick.cron.fields import HOUR, MINUTE, Expression, Field
from tick.cron.grammar import parse
from tick.cron.hashed_slots import resolve
from tick.cron.zones import as_zone
from tick.define.schedules import Schedule
from tick.define.steps import Step, goes_by_calendar
from tick.states import MissedPolicy, OverlapPolicy, ScheduleKind
from tick.utc import in_utc

_FIXED = {"UTC", "UCT", "GMT", "Greenwich", "Universal", "Zulu"}


_Test = Callable[[Schedule], bool]
_Rule = tuple[tuple[str, ...], _Test, str | Callable[[Schedule], str]]
"""Options, when they have no effect, and the rest of the sentence on them."""


def without_effect(schedule: Schedule) -> Iterator[str]:
    """Yield the given options that have no effect, with the fix; each value must be right."""
    for options, applies, text in _RULES:
        for option in options:
            if _is_given(schedule, option) and applies(schedule):
                why = text if isinstance(text, str) else text(schedule)
                yield f"{option} has no effect {why}."


def _is_given(schedule: Schedule, option: str) -> bool:
    value = getattr(schedule, option)
    # Two options have a default that is not None: given as such, nobody misses their effect.
    return value is not None and value != _NOT_GIVEN.get(option)


_NOT_GIVEN = {"timezone": "UTC", "jitter": 0.0}


def _of_kind(*kinds: ScheduleKind) -> _Test:
    return lambda schedule: schedule.kind in kinds


def _follows_utc(schedule: Schedule) -> bool:
    return schedule.kind is ScheduleKind.INTERVAL and not isinstance(schedule.every, Step)


def _fires_once_or_follows_utc(schedule: Schedule) -> bool:
    return schedule.kind is ScheduleKind.ONCE or _follows_utc(schedule)


def _missed(policy: MissedPolicy) -> _Test:
    return lambda schedule: schedule.missed == policy


def _expression(schedule: Schedule) -> Expression | None:
    if schedule.cron is None or schedule.dialect is not None:
        return None
    return parse(resolve(schedule.cron, schedule.id))


def _follows_real_time(schedule: Schedule) -> bool:
    found = _expression(schedule)
    return found is not None and found.follows_real_time


def _in_fixed_times(schedule: Schedule) -> str:
    found = _expression(schedule)
    assert found is not None  # noqa: S101  (asked for cron only)
    minute, hour = _listed(MINUTE, found.minutes), _listed(HOUR, found.hours)
    fixed = " ".join([minute, hour, *found.texts[2:]])
    return (
        f"beside {schedule.cron!r}, whose minute or hour begins with * and so follows real time "
        f"through a clock change; leave it out, or write fixed times: {fixed!r}"
    )


def _listed(field: Field, values: tuple[int, ...]) -> str:
    if len(values) == len(field.values):
        return f"{values[0]}-{values[-1]}"
    return ",".join(map(str, values))


def _never_changes_its_clocks(schedule: Schedule) -> bool:
    zone = schedule.timezone
    by_the_wall = schedule.cron is not None or isinstance(schedule.every, Step)
    return by_the_wall and (zone in _FIXED or zone.startswith("Etc/"))


def _starts_before_its_anchor(schedule: Schedule) -> bool:
    start, anchor = schedule.starts_at, schedule.anchor
    if start is None or anchor is None:
        return False
    if isinstance(anchor, datetime):
        return in_utc(start) <= in_utc(anchor)
    return start.astimezone(as_zone(schedule.timezone).tzinfo).date() < anchor


_DST = ("dst_gap", "dst_fold")
_RULES: tuple[_Rule, ...] = (
    (
        ("calendar", "day_rule"),
        _fires_once_or_follows_utc,
        "without cron or every=days(…), whose time zone says when a day begins; give one of them, "
        "or leave it out",
    ),
    (
        ("day_rule",),
        lambda schedule: schedule.calendar is None,
        "without calendar, of whose days it speaks; give calendar, or leave it out",
    ),
    (
        ("day_rule",),
        lambda schedule: goes_by_calendar(schedule.every),
        "beside a step on a business day, which is one by itself; leave it out",
    ),
    (
        ("timezone",),
        _follows_utc,
        "beside every, whose steps are counted in UTC and do not follow a zone's clock "
        "changes; leave it out, or write every=days(…), or the time of day as cron",
    ),
    (
        ("timezone",),
        _of_kind(ScheduleKind.ONCE),
        "beside at, which names a zone of its own; leave it out",
    ),
    (
        ("anchor",),
        _of_kind(ScheduleKind.CRON, ScheduleKind.ONCE),
        "without every, whose first instant it is; give every, or leave it out",
    ),
    (
        _DST,
        _fires_once_or_follows_utc,
        "without cron: no clock change moves the instants of every and at; leave it out",
    ),
    (
        _DST,
        lambda schedule: schedule.dialect is not None,
        "beside dialect, which has a rule of its own for clock changes; leave it out",
    ),
    (
        ("dialect",),
        lambda schedule: schedule.cron is None,
        "without cron, which it reads; give cron, or leave it out",
    ),
    (_DST, _follows_real_time, _in_fixed_times),
    (
        _DST,
        _never_changes_its_clocks,
        lambda schedule: f"in {schedule.timezone}, whose clocks never change; leave it out",
    ),
    (
        ("jitter", "starts_at", "ends_at", "max_runs"),
        _of_kind(ScheduleKind.ONCE),
        "beside at, which is the one instant; move at, or leave it out",
    ),
    (
        ("max_concurrent",),
        lambda schedule: schedule.overlap == OverlapPolicy.ALLOW,
        'beside overlap="ALLOW", which lets any number run at one time; choose "SKIP", "QUEUE_ONE" '
        'or "REPLACE" for the one that is too many, or leave it out',
    ),
    (
        ("pause_after",),
        _of_kind(ScheduleKind.ONCE),
        "beside at, after which it fires no more anyway; leave it out",
    ),
    (
        ("starts_at",),
        _starts_before_its_anchor,
        "before anchor, which is the first instant; leave one of them out",
    ),
    (
        ("max_catch_up_age", "max_catch_up_runs"),
        _missed(MissedPolicy.SKIP),
        'beside missed="SKIP", which catches up on nothing; choose "CATCH_UP" or leave it out',
    ),
    (
        ("max_catch_up_runs",),
        _missed(MissedPolicy.CATCH_UP),
        'beside missed="CATCH_UP", which runs one; choose "CATCH_UP_ALL" or leave it out',
    ),
    (
        ("max_catch_up_runs",),
        lambda schedule: (
            schedule.kind is ScheduleKind.ONCE and schedule.missed == MissedPolicy.CATCH_UP_ALL
        ),
        "beside at, which is the one instant; leave it out",
    ),
)
