"""What will fire: the next instants of all schedules that are on, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import islice
from typing import Any

import sqlalchemy as sa

from tick.models import job_schedule, schedule_version
from tick.ops.wording import Selected, Timing, describe_target, describe_timing, next_instants

_s, _v = job_schedule.c, schedule_version.c
MOST_SCHEDULES = 100
MOST_IN_LANE = 170
_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Instant:
    """One nominal instant of one schedule."""

    at: datetime
    schedule_id: str
    name: str
    timezone: str


@dataclass(frozen=True)
class Lane:
    """A schedule and its instants in a window.

    Those of a schedule that fires more than MOST_IN_LANE times are not all there: `dense`.
    """

    schedule_id: str
    name: str
    timing: Timing
    selected: Selected
    instants: tuple[datetime, ...]
    dense: bool


_ON = (
    sa.select(_s.id, _s.name, _v.rule, _v.mode, _v.target)
    .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
    .where(sa.text("enabled AND state = 'ACTIVE'"))
    .order_by(_s.id)
    .limit(MOST_SCHEDULES)
)


def list_lanes(connection: sa.Connection, start: datetime, end: datetime) -> tuple[Lane, ...]:
    """A lane for each schedule that is on, with its instants in (start, end]; one statement."""
    return tuple(_lane(row, start, end) for row in connection.execute(_ON))


def next_in_lanes(lanes: Iterable[Lane], count: int) -> tuple[Instant, ...]:
    """The first `count` instants of all lanes, in order."""
    each = (
        [
            Instant(at, lane.schedule_id, lane.name, lane.timing.timezone)
            for at in lane.instants[:count]
        ]
        for lane in lanes
    )
    return tuple(islice(merge(*each), count))


def find_collisions(lanes: Iterable[Lane]) -> dict[datetime, tuple[str, ...]]:
    """The minutes in which several schedules fire, with their names.

    Dense lanes are left out: they meet all others.
    """
    found: dict[datetime, dict[str, None]] = {}
    for lane in lanes:
        for at in () if lane.dense else lane.instants:
            found.setdefault(minute_of(at), {})[lane.name] = None
    return {minute: tuple(names) for minute, names in found.items() if len(names) > 1}


def find_companions(
    connection: sa.Connection, schedule_id: str, instants: Iterable[datetime]
) -> dict[datetime, tuple[str, ...]]:
    """The names of the other schedules that fire in the same minutes; one statement.

    Those that fire all the time are left out: they meet all others.
    """
    others = [row for row in connection.execute(_ON) if row.id != schedule_id]
    found: dict[datetime, tuple[str, ...]] = {}
    for minute in map(minute_of, instants):
        names = tuple(
            row.name
            for row in others
            if _fires_in(row.rule, minute) and not _fires_all_day(row.rule, minute.date())
        )
        if names:
            found[minute] = names
    return found


@lru_cache(maxsize=8192)
def _fires_in(rule: str, minute: datetime) -> bool:
    found = next_instants(rule, minute - timedelta(microseconds=1), 1)
    return bool(found) and minute_of(found[0]) == minute


@lru_cache(maxsize=1024)
def _fires_all_day(rule: str, day: date) -> bool:
    midnight = datetime.combine(day, time(), UTC)
    return len(next_instants(rule, midnight, MOST_IN_LANE + 1, midnight + _DAY)) > MOST_IN_LANE


def minute_of(instant: datetime) -> datetime:
    """The minute that an instant lies in."""
    return instant.replace(second=0, microsecond=0)


def _lane(row: sa.Row[*tuple[Any, ...]], start: datetime, end: datetime) -> Lane:
    inside = tuple(next_after(row.rule, start, MOST_IN_LANE + 1, end))
    return Lane(
        schedule_id=row.id,
        name=row.name,
        timing=describe_timing(row.rule),
        selected=describe_target(row.mode, row.target),
        instants=inside[:MOST_IN_LANE],
        dense=len(inside) > MOST_IN_LANE,
    )


def next_after(
    rule: str, start: datetime, count: int, end: datetime | None = None
) -> list[datetime]:
    """The next `count` instants in (start, end]; none when the rule cannot be read.

    They are remembered for a minute: pages ask every few seconds.
    """
    # One instant of that minute may have passed; schedules have at most one a minute.
    found = _instants(rule, minute_of(start), count + 1, end)
    return [at for at in found if at > start][:count]


@lru_cache(maxsize=512)
def _instants(
    rule: str, after: datetime, count: int, until: datetime | None
) -> tuple[datetime, ...]:
    return tuple(next_instants(rule, after, count, until))
