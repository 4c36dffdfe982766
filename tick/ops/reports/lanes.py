"""Firings to come, side by side: a lane for each schedule, and meetings in one minute."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import islice
from operator import attrgetter

import sqlalchemy as sa

from tick.cron.zone_data import Zone
from tick.ops.queries.courses import Course, minute_of, names_minute, read_courses
from tick.ops.queries.descriptions import Timing, describe_timing, next_instants
from tick.ops.reports.upcoming import UpcomingInstant, upcoming_instant
from tick.policy.ahead import NextInstant
from tick.policy.business_days import BusinessDays
from tick.utc import utc

MOST_IN_LANE = 170  # a schedule that fires every hour has 168 in a week
_Reading = tuple[str, Zone | None]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Lane:
    """A schedule and its instants in a time: those that fire, and `quiet` ones that do not.

    Of those that fire, `noted` are the ones that do so after a window, or where a calendar moved
    them. `dense`: it has more than MOST_IN_LANE, and not all of them are here.
    """

    schedule_id: str
    name: str
    timing: Timing
    instants: tuple[datetime, ...]
    dense: bool
    quiet: tuple[NextInstant, ...] = ()
    noted: tuple[NextInstant, ...] = ()
    # The days of its rule; too long a text for what a page's tag is made of.
    calendar: BusinessDays | None = field(default=None, repr=False)

    @property
    def first(self) -> datetime | None:
        """Return its first instant, whether or not it fires."""
        ends = (self.instants[:1], tuple(each.at for each in self.quiet[:1]))
        return min((at for end in ends for at in end), default=None)


def list_lanes(
    connection: sa.Connection, now: datetime, start: datetime, end: datetime
) -> tuple[Lane, ...]:
    """Return a lane for each schedule that will fire in (start, end], soonest first."""
    start, end = utc(start, "the start"), utc(end, "the end")
    found = [_lane(course, start, end) for course in read_courses(connection, now)]
    return tuple(sorted(found, key=lambda lane: (lane.first or end + _DAY, lane.schedule_id)))


def next_in_lanes(
    lanes: Iterable[Lane], count: int, *, once_each: bool = False
) -> list[UpcomingInstant]:
    """Return the first `count` instants of all lanes; with `once_each` the first of each."""
    most = 1 if once_each else count
    # Lanes come soonest first, so the first `count` of them hold the first `count` instants.
    lists = (_items(lane, most) for lane in islice(lanes, count))
    return list(islice(merge(*lists, key=attrgetter("at", "schedule_id")), count))


def by_instants(lanes: Iterable[Lane]) -> dict[tuple[datetime, ...], list[str]]:
    """Return the names of schedules by the instants that they share; without dense lanes."""
    found: dict[tuple[datetime, ...], list[str]] = {}
    for lane in lanes:
        if lane.instants and not lane.dense:
            found.setdefault(lane.instants, []).append(lane.name)
    return found


def find_collisions(lanes: Iterable[Lane]) -> dict[datetime, tuple[str, ...]]:
    """Return the minutes in which several schedules fire, with their names."""
    # Schedules that share all their instants are gone through once; dense lanes meet all others.
    found: dict[datetime, list[str]] = {}
    for instants, names in by_instants(lanes).items():
        for at in instants:
            found.setdefault(minute_of(at), []).extend(names)
    return {minute: tuple(names) for minute, names in found.items() if len(names) > 1}


def find_companions(
    courses: Iterable[Course], schedule_id: str, instants: Iterable[datetime]
) -> dict[datetime, tuple[str, ...]]:
    """Return the names of the other schedules that fire in the same minutes."""
    # A rule is asked once for all that share it. What fires all day is left out: it meets all.
    by_rule: dict[_Reading, list[Course]] = {}
    for course in courses:
        if course.row.id != schedule_id and course.begin is not None:
            by_rule.setdefault((course.row.rule, course.zone), []).append(course)
    found = {minute: _firing(by_rule, minute) for minute in map(minute_of, instants)}
    return {minute: names for minute, names in found.items() if names}


def _firing(by_rule: Mapping[_Reading, Sequence[Course]], minute: datetime) -> tuple[str, ...]:
    return tuple(
        course.row.name
        for (rule, zone), courses in by_rule.items()
        if names_minute(rule, minute, zone) and not _fires_all_day(rule, minute.date(), zone)
        for course in courses
        if course.fires_at(minute)
    )


@lru_cache(maxsize=1024)
def _fires_all_day(rule: str, day: date, zone: Zone | None) -> bool:
    midnight = datetime.combine(day, time(), UTC)
    found = next_instants(rule, midnight, MOST_IN_LANE + 1, midnight + _DAY, zone)
    return len(found) > MOST_IN_LANE


def _lane(course: Course, start: datetime, end: datetime) -> Lane:
    nominal = course.nominal(MOST_IN_LANE + 1, after=start, until=end)
    fires = nominal
    quiet: tuple[NextInstant, ...] = ()
    noted: tuple[NextInstant, ...] = ()
    # Windows and limits cost time, and few schedules have any.
    if nominal and not course.is_plain:
        ahead = course.ahead(MOST_IN_LANE + 1, after=start, until=end)
        fires = tuple(each.at for each in ahead if each.window is None)
        quiet = tuple(each for each in ahead if each.window is not None)
        firing = (each for each in ahead if each.window is None)
        noted = tuple(each for each in firing if each.held or each.nominal_for)
    return Lane(
        schedule_id=course.row.id,
        name=course.row.name,
        timing=describe_timing(course.row.rule),
        instants=fires[:MOST_IN_LANE],
        dense=len(fires) + len(quiet) > MOST_IN_LANE,
        quiet=quiet,
        noted=noted,
        calendar=course.calendar,
    )


def _items(lane: Lane, count: int) -> list[UpcomingInstant]:
    noted = {each.at: each for each in lane.noted}
    fires = [noted.get(at) or NextInstant(at) for at in lane.instants[:count]]
    found = [*fires, *lane.quiet[:count]]
    found.sort(key=attrgetter("at"))
    return [
        upcoming_instant(each, lane.schedule_id, lane.name, lane.timing.timezone, True)
        for each in found[:count]
    ]
