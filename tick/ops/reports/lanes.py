"""What will fire in a time, side by side: a lane for each schedule, and what meets in a minute."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import islice
from operator import itemgetter

import sqlalchemy as sa

from tick.cron.zone_data import Zone
from tick.ops.queries.courses import Course, minute_of, names_minute, read_courses
from tick.ops.queries.descriptions import Timing, describe_timing, next_instants
from tick.ops.reports.upcoming import UpcomingInstant, by_instant
from tick.policy.ahead import NextInstant
from tick.utc import utc

MOST_IN_LANE = 170
_Reading = tuple[str, Zone | None]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Lane:
    """A schedule and its instants in a time: those that fire, and the `quiet` ones, that do not.

    Those of a schedule that fires more than MOST_IN_LANE times are not all there: `dense`.
    """

    schedule_id: str
    name: str
    timing: Timing
    instants: tuple[datetime, ...]
    dense: bool
    quiet: tuple[NextInstant, ...] = ()

    @property
    def first(self) -> datetime | None:
        """Its first instant, whether or not that fires."""
        ends = (self.instants[:1], tuple(each.at for each in self.quiet[:1]))
        return min((at for end in ends for at in end), default=None)


def list_lanes(
    connection: sa.Connection, now: datetime, start: datetime, end: datetime
) -> tuple[Lane, ...]:
    """A lane for every schedule that will fire, with its instants in (start, end]; soonest first.

    As many statements as `read_courses` has, however many there are.
    """
    start, end = utc(start, "the start"), utc(end, "the end")
    found = [_lane(course, start, end) for course in read_courses(connection, now)]
    return tuple(sorted(found, key=lambda lane: (lane.first or end + _DAY, lane.schedule_id)))


def next_in_lanes(
    lanes: Iterable[Lane], count: int, *, once_each: bool = False
) -> list[UpcomingInstant]:
    """The first `count` instants of all lanes, in order; with `once_each` the first of each lane.

    The lanes have to come soonest first, as `list_lanes` gives them.
    """
    most = 1 if once_each else count
    lists = (_items(lane, most) for lane in islice(lanes, count))
    return list(islice(merge(*lists, key=by_instant), count))


def by_instants(lanes: Iterable[Lane]) -> dict[tuple[datetime, ...], list[str]]:
    """The names of the schedules by the instants that they share; dense lanes are left out."""
    found: dict[tuple[datetime, ...], list[str]] = {}
    for lane in lanes:
        if lane.instants and not lane.dense:
            found.setdefault(lane.instants, []).append(lane.name)
    return found


def find_collisions(lanes: Iterable[Lane]) -> dict[datetime, tuple[str, ...]]:
    """The minutes in which several schedules fire, with their names.

    Dense lanes are left out: they meet all others.
    """
    found: dict[datetime, list[str]] = {}
    for instants, names in by_instants(lanes).items():
        for at in instants:
            found.setdefault(minute_of(at), []).extend(names)
    return {minute: tuple(names) for minute, names in found.items() if len(names) > 1}


def find_companions(
    courses: Iterable[Course], schedule_id: str, instants: Iterable[datetime]
) -> dict[datetime, tuple[str, ...]]:
    """The names of the other schedules that fire in the same minutes.

    Those that fire all the time are left out: they meet all others.
    """
    by_rule: dict[_Reading, list[Course]] = {}
    for course in courses:
        if course.row.id != schedule_id and course.begin is not None:
            by_rule.setdefault((course.row.rule, course.zone), []).append(course)
    found = {minute: _firing(by_rule, minute) for minute in map(minute_of, instants)}
    return {minute: names for minute, names in found.items() if names}


def _firing(by_rule: Mapping[_Reading, Sequence[Course]], minute: datetime) -> tuple[str, ...]:
    """The rule is asked once for all that share it."""
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
    if nominal and not course.is_plain:
        ahead = course.ahead(MOST_IN_LANE + 1, after=start, until=end)
        fires = tuple(each.at for each in ahead if each.window is None)
        quiet = tuple(each for each in ahead if each.window is not None)
    return Lane(
        schedule_id=course.row.id,
        name=course.row.name,
        timing=describe_timing(course.row.rule),
        instants=fires[:MOST_IN_LANE],
        dense=len(fires) + len(quiet) > MOST_IN_LANE,
        quiet=quiet,
    )


def _items(lane: Lane, count: int) -> list[UpcomingInstant]:
    found: list[tuple[datetime, str | None]] = [(at, None) for at in lane.instants[:count]]
    found += [
        (each.at, each.window.in_words()) for each in lane.quiet[:count] if each.window is not None
    ]
    found.sort(key=itemgetter(0))
    return [
        UpcomingInstant(
            at=at,
            schedule_id=lane.schedule_id,
            name=lane.name,
            timezone=lane.timing.timezone,
            fires=blackout is None,
            blackout=blackout,
        )
        for at, blackout in found[:count]
    ]
