"""Instants to come: the one reader of them, for every view that lists some.

It reads the rows of schedules and honours all that decides beside a rule: whether it is on, the end
of a pause, what is decided already, the limit of runs, and maintenance windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice

import sqlalchemy as sa
from pydantic import Field

from tick.cron import timetable
from tick.ops.queries.courses import Course, is_on, read_course, read_courses
from tick.ops.queries.descriptions import describe_timing, next_instants
from tick.ops.queries.schedules import Schedule
from tick.ops.reports.schedule_items import read_item
from tick.ops.schemas import Schema
from tick.policy import instants, missed
from tick.policy.ahead import NextInstant, cut_at_limit
from tick.policy.missed import max_catch_up_age
from tick.policy.rule import Rule
from tick.policy.windows import AnyWindow
from tick.states import MissedPolicy, OverlapPolicy
from tick.utc import utc

NEXT_INSTANTS = 5


class UpcomingInstant(Schema):
    """An instant to come."""

    at: datetime
    schedule_id: str
    name: str
    timezone: str
    fires: bool = Field(description="false while its schedule is off, paused or removed")
    nominal_for: datetime | None = Field(None, description="from where its calendar moved it")
    held_until: datetime | None = Field(None, description="it fires then, after a window")
    blackout: str | None = Field(description="why it will not fire: a window, or its calendar")


class Policy(Schema):
    """What becomes of a schedule's instants, as in effect: defaults are filled in."""

    missed: MissedPolicy
    overlap: OverlapPolicy
    grace_seconds: float = Field(description="set, or learned from how often it ticks")
    max_catch_up_age_seconds: float = Field(description="set, or that of the latest instant")
    max_catch_up_runs: int
    max_runs: int | None
    runs_left: int | None = Field(description="of max_runs")


class ScheduleWithInstants(Schema):
    """A schedule and its next instants, whether or not it is switched on."""

    schedule: Schedule
    policy: Policy | None = Field(description="null where its rule can't be read")
    upcoming: tuple[datetime, ...]
    undecided: int = Field(description="instants that passed while it was off or paused")

    @property
    def revision(self) -> str:
        """The schedule's."""
        return self.schedule.revision


@dataclass(frozen=True)
class Undecided:
    """Instants that passed while a schedule was off, and that going on would suppress."""

    count: int
    first: datetime | None = None
    last: datetime | None = None


class PreviewedRuns(Schema):
    """An expression in words, and its next instants."""

    words: str
    times: tuple[datetime, ...]


def list_upcoming(
    connection: sa.Connection,
    now: datetime,
    count: int,
    *,
    until: datetime | None = None,
    with_off: bool = False,
    once_each: bool = False,
) -> list[UpcomingInstant]:
    """Return the next `count` instants after `now`; `once_each`: only the first of each schedule.

    `with_off` includes schedules that don't fire.
    """
    until = until and utc(until, "the end")
    courses = read_courses(connection, now, with_off=with_off)
    found = sorted(
        ((each, course) for course in courses for each in course.ahead(1, until=until)),
        key=_by_instant_and_id,
    )[:count]
    if not once_each:
        # The first `count` of all lie within those of the schedules that come first.
        lists = (
            [(each, course) for each in course.ahead(count, until=until)] for _, course in found
        )
        found = list(islice(merge(*lists, key=_by_instant_and_id), count))
    # Only what is listed is made a model: of many schedules most is left out.
    return [_upcoming(course, each) for each, course in found]


def _by_instant_and_id(item: tuple[NextInstant, Course]) -> tuple[datetime, str]:
    return item[0].at, item[1].row.id


def next_of(course: Course, count: int, until: datetime | None = None) -> list[UpcomingInstant]:
    """Return the next `count` instants of a schedule, whether or not it is on."""
    return [_upcoming(course, each) for each in course.ahead(count, until=until)]


def list_next(
    connection: sa.Connection, schedule_id: str, now: datetime, count: int
) -> list[UpcomingInstant]:
    """Return the next instants of a schedule by its id; none if there is no such schedule."""
    course = read_course(connection, schedule_id, now)
    return [] if course is None else next_of(course, count)


def read_schedule(
    connection: sa.Connection, schedule_id: str, now: datetime
) -> ScheduleWithInstants:
    """Read a schedule, its next instants, and how many passed while it was off. Raises NotFound."""
    schedule = read_item(connection, schedule_id, now)
    course = read_course(connection, schedule_id, now)
    coming = next_of(course, NEXT_INSTANTS) if course else []
    return ScheduleWithInstants(
        schedule=schedule,
        policy=_policy(course, schedule.grace_seconds) if course else None,
        upcoming=tuple(each.at for each in coming if each.blackout is None),
        undecided=count_undecided(course).count,
    )


def _is_readable(course: Course) -> bool:
    """Whether this process can read the rule of a schedule; another release may have written it."""
    return describe_timing(course.row.rule).mistake is None


def _policy(course: Course, grace: float | None) -> Policy | None:
    if grace is None or not _is_readable(course):
        return None
    rule = course.rule
    latest = instants.latest_until(rule, instants.EPOCH, course.now) or course.now
    return Policy(
        missed=rule.missed,
        overlap=rule.overlap,
        grace_seconds=grace,
        max_catch_up_age_seconds=max_catch_up_age(rule, latest).total_seconds(),
        max_catch_up_runs=rule.max_catch_up_runs,
        max_runs=rule.max_runs,
        runs_left=course.left,
    )


def next_by_rule(
    rule: str, now: datetime, count: int, windows: Sequence[AnyWindow] = (), *, fired: int = 0
) -> tuple[datetime, ...]:
    """Return the next `count` instants that a rule would fire after it has `fired` so often."""
    # A calendar drops some: of thrice as many enough are left.
    most = count * 3 if '"calendar":' in rule else count
    found = next_instants(rule, utc(now, "now"), most)
    if not found:
        return ()
    read = Rule.from_json(rule)
    left = None if read.max_runs is None else read.max_runs - fired
    ahead = cut_at_limit(read, found, windows, left)
    return tuple(each.at for each in ahead if each.window is None)[:count]


def preview_cron(expression: str, timezone: str, *, after: datetime, count: int) -> PreviewedRuns:
    """Describe an expression and its first `count` instants after `after`. Raises InvalidCron."""
    words = timetable.describe(expression, timezone)
    times = timetable.next_times(expression, timezone, utc(after), count) if count else []
    return PreviewedRuns(words=words, times=tuple(times))


def resumed_next(
    connection: sa.Connection, schedule_id: str, now: datetime, count: int
) -> list[UpcomingInstant]:
    """Return the next `count` instants of a schedule as if it were switched on or resumed now."""
    course = read_course(connection, schedule_id, now)
    return [] if course is None else next_of(replace(course, as_if_on=True), count)


def count_undecided(course: Course | None) -> Undecided:
    """Count the instants that enabling or resuming now would write as SUPPRESSED."""
    if course is None or is_on(course.row) or not _is_readable(course):
        return Undecided(0)
    entries = missed.suppressed(course.rule, course.row.decided_to, course.now, "")
    if not entries:
        return Undecided(0)
    (row,) = entries  # one row of the ledger stands for all of them
    return Undecided(row.count, row.first, row.last)


def _upcoming(course: Course, item: NextInstant) -> UpcomingInstant:
    row, goes = course.row, course.begin is not None
    return upcoming_instant(item, row.id, row.name, course.timezone, goes)


def upcoming_instant(
    item: NextInstant, schedule_id: str, name: str, timezone: str, goes: bool
) -> UpcomingInstant:
    """Return the instant as lists show it; fires if its schedule `goes` and no window is there."""
    return UpcomingInstant(
        at=item.at,
        schedule_id=schedule_id,
        name=name,
        timezone=timezone,
        fires=goes and item.window is None,
        nominal_for=item.nominal_for,
        held_until=None if item.held is None else item.held.ends_at,
        blackout=None if item.window is None else item.window.in_words(),
    )
