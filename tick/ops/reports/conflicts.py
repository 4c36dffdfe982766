"""Conflicts of the coming week: where more is to run at once than workers have slots for."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import Field

from tick.cron.zone_data import find_zone
from tick.define.jobs import JobDefinition
from tick.ops.queries.demand import ASSUMED_SECONDS, LEARNED_FROM, ScheduleDemand, read_demands
from tick.ops.queries.slots import SlotsFrom, read_slots
from tick.ops.schemas import Schema
from tick.policy.free_slots import find_shift
from tick.policy.load import QUARTER, Load, simulate
from tick.policy.meetings import Meeting, SharedJobs, list_meetings, list_shared_jobs
from tick.settings import Settings
from tick.text import counted
from tick.utc import in_utc

WEEK = timedelta(days=7)
MOST_LINES, MOST_NAMES = 50, 20
_MOST_TRIED = 5  # schedules of a conflict that a free slot is looked for
_MOST_POOLS = 20


class HourLoad(Schema):
    """An hour of a weekday, on the clock of the zone."""

    weekday: int = Field(description="0 is Monday")
    hour: int
    wanted: int = Field(description="the most slots wanted at once")
    used: float = Field(description="the part of all slots' time that is wanted; 1 is all of it")
    quarters: tuple[int, ...] = Field(description="the most wanted at once, by quarter of the hour")
    is_over: bool = Field(description="more are wanted at once than there are")


class PoolLoad(Schema):
    """Slots of workers, and what the week asks of them; `queue` null: all queues together."""

    queue: str | None
    slots: int
    hours: tuple[HourLoad, ...]


class FreeSlot(Schema):
    """A move of one schedule after which slots are left for all of its firings."""

    schedule_id: str
    by_minutes: int
    at: datetime = Field(description="its first firing, after the move")
    local_time: str = Field(description="the same on the clock of its zone: 02:40")
    timezone: str
    firings: int = Field(description="in the week, all moved by as much")

    @property
    def words(self) -> str:
        """Return what to do: `move nightly to 02:40`."""
        if self.firings == 1:
            return f"move {self.schedule_id} to {self.local_time}"
        later = "later" if self.by_minutes > 0 else "earlier"
        how = f"{counted(abs(self.by_minutes), 'minute')} {later}"
        return f"move {self.schedule_id} to {self.local_time}, {how}"


class Conflict(Schema):
    """Peaks in which the same schedules want more slots than there are."""

    queue: str | None
    slots: int
    wanted: int = Field(description="at once, in the worst of them")
    wait_seconds: int = Field(description="how long a run would wait for a slot in it, at most")
    schedules: tuple[str, ...] = Field(description="that meet there, at most 20")
    schedules_count: int
    with_all_jobs: tuple[str, ...] = Field(
        description="those of them that run all jobs: whatever they meet is this one line"
    )
    times: int = Field(description="in the week")
    first_at: datetime
    worst_at: datetime
    worst_until: datetime
    free_slot: FreeSlot | None

    @property
    def others(self) -> int:
        """Return how many schedules meet there beside those that are named."""
        return self.schedules_count - len(self.schedules)


class SharedJob(Schema):
    """Schedules that run the same jobs at the same time."""

    schedules: tuple[str, ...]
    schedules_count: int
    runs_all_jobs: bool = Field(description="the first runs all jobs, and so those of the others")
    jobs: tuple[str, ...] = Field(description="at most 20")
    jobs_count: int
    times: int = Field(description="in the week, of the job most concerned")
    first_at: datetime


class TooLong(Schema):
    """A schedule that usually takes longer than it has until its next instant."""

    schedule_id: str
    usual_seconds: int
    instants: int
    left_out: int = Field(description="of these, as the firing before is unfinished")


class Conflicts(Schema):
    """The coming week, simulated by usual lengths of 30 days against the slots of workers."""

    starts_at: datetime
    ends_at: datetime
    timezone: str
    slots: int
    slots_from: SlotsFrom = Field(description="assumed: no worker lives; one as the settings say")
    loads: tuple[PoolLoad, ...]
    conflicts: tuple[Conflict, ...]
    more_conflicts: int = Field(description="beyond the 50 that wait longest")
    shared_jobs: tuple[SharedJob, ...]
    more_shared_jobs: int
    too_long: tuple[TooLong, ...]
    unserved_queues: tuple[str, ...] = Field(description="which no living worker serves")
    by_timeout: tuple[str, ...] = Field(
        description=f"jobs without a run in {LEARNED_FROM.days} days: as long as their timeout"
    )
    by_default: tuple[str, ...] = Field(
        description=f"those that have no timeout of their own either: {ASSUMED_SECONDS} s"
    )
    left_out: tuple[str, ...] = Field(description="schedules that fire too often to be simulated")


def read_conflicts(
    connection: sa.Connection,
    jobs: Mapping[str, JobDefinition],
    settings: Settings,
    now: datetime,
    *,
    timezone: str = "UTC",
    slots: int | None = None,
) -> Conflicts:
    """Simulate the coming week. `slots` stands for what all workers together can run at once."""
    begin = in_utc(now.astimezone(find_zone(timezone)).replace(minute=0, second=0, microsecond=0))
    found = read_demands(connection, jobs, now, begin, begin + WEEK)
    queues = {part.queue for item in found.items for part in item.demand.parts}
    room = read_slots(connection, settings, queues, now, slots)
    demands = [item.demand for item in found.items]
    length = int(WEEK.total_seconds())
    pools = room.pools[:_MOST_POOLS]
    loads = [simulate(demands, pool, length) for pool in pools]
    by_id = {item.demand.schedule_id: item for item in found.items}
    everything = {id for id, item in by_id.items() if item.runs_all_jobs}
    meetings = list_meetings(loads, everything)
    shared = list_shared_jobs(demands, everything, length)
    return Conflicts(
        starts_at=begin,
        ends_at=begin + WEEK,
        timezone=timezone,
        slots=pools[0].slots,
        slots_from=room.source,
        loads=tuple(_pool_load(load, begin, timezone) for load in loads),
        conflicts=tuple(_conflict(each, by_id, begin) for each in meetings[:MOST_LINES]),
        more_conflicts=max(len(meetings) - MOST_LINES, 0),
        shared_jobs=tuple(_shared_job(each, begin) for each in shared[:MOST_LINES]),
        more_shared_jobs=max(len(shared) - MOST_LINES, 0),
        too_long=_too_long(found.items),
        unserved_queues=room.unserved[:MOST_NAMES],
        by_timeout=found.lengths.by_timeout[:MOST_NAMES],
        by_default=found.lengths.by_default[:MOST_NAMES],
        left_out=found.left_out[:MOST_NAMES],
    )


def _pool_load(load: Load, begin: datetime, timezone: str) -> PoolLoad:
    zone, slots = find_zone(timezone), load.pool.slots
    hours: dict[tuple[int, int], list[int]] = {}
    for number in range(len(load.quarters)):
        local = (begin + timedelta(seconds=number * QUARTER)).astimezone(zone)
        # An hour that the clocks show twice is one square, and one that they leave out is none.
        hours.setdefault((local.weekday(), local.hour), []).append(number)
    return PoolLoad(
        queue=load.pool.queue,
        slots=slots,
        hours=tuple(_hour(*hour, load, hours[hour]) for hour in sorted(hours)),
    )


def _hour(weekday: int, hour: int, load: Load, numbers: Sequence[int]) -> HourLoad:
    quarters = [load.quarters[number] for number in numbers]
    busy = sum(quarter.busy_seconds for quarter in quarters)
    wanted = max(quarter.peak for quarter in quarters)
    return HourLoad(
        weekday=weekday,
        hour=hour,
        wanted=wanted,
        used=round(busy / (max(load.pool.slots, 1) * QUARTER * len(quarters)), 4),
        quarters=tuple(quarter.peak for quarter in quarters),
        is_over=wanted > load.pool.slots,
    )


def _conflict(meeting: Meeting, by_id: Mapping[str, ScheduleDemand], begin: datetime) -> Conflict:
    worst = meeting.worst
    names = [*meeting.all_jobs, *sorted(meeting.schedules.difference(meeting.all_jobs))]
    return Conflict(
        queue=meeting.load.pool.queue,
        slots=meeting.load.pool.slots,
        wanted=worst.wanted,
        wait_seconds=worst.wait_seconds,
        schedules=tuple(names[:MOST_NAMES]),
        schedules_count=len(names),
        with_all_jobs=meeting.all_jobs,
        times=meeting.times,
        first_at=begin + timedelta(seconds=meeting.first.begin),
        worst_at=begin + timedelta(seconds=worst.begin),
        worst_until=begin + timedelta(seconds=worst.end),
        free_slot=_free_slot(meeting, by_id, begin),
    )


def _free_slot(
    meeting: Meeting, by_id: Mapping[str, ScheduleDemand], begin: datetime
) -> FreeSlot | None:
    """Return the nearest move of one of them; of those that fire seldom, which are easy to move."""
    if len(meeting.schedules) < 2:
        return None
    them = sorted(meeting.worst.members, key=lambda id: (len(by_id[id].demand.firings), id))
    moves = [
        (abs(shift), shift, id)
        for id in them[:_MOST_TRIED]
        if (shift := find_shift(meeting.load, by_id[id].demand)) is not None
    ]
    if not moves:
        return None
    _, shift, id = min(moves)
    item = by_id[id]
    at = begin + timedelta(seconds=item.demand.firings[0], minutes=shift)
    return FreeSlot(
        schedule_id=id,
        by_minutes=shift,
        at=at,
        local_time=f"{at.astimezone(find_zone(item.timezone)):%H:%M}",
        timezone=item.timezone,
        firings=len(item.demand.firings),
    )


def _shared_job(shared: SharedJobs, begin: datetime) -> SharedJob:
    names = [shared.schedule_id, *sorted(shared.others)]
    jobs = [job for job, _ in shared.counts.most_common()]
    return SharedJob(
        schedules=tuple(names[:MOST_NAMES]),
        schedules_count=len(names),
        runs_all_jobs=shared.other is None,
        jobs=tuple(jobs[:MOST_NAMES]),
        jobs_count=len(jobs),
        times=shared.times,
        first_at=begin + timedelta(seconds=shared.first),
    )


def _too_long(items: Sequence[ScheduleDemand]) -> tuple[TooLong, ...]:
    found = [
        TooLong(
            schedule_id=item.demand.schedule_id,
            usual_seconds=item.demand.seconds,
            instants=len(item.demand.instants),
            left_out=len(item.demand.instants) - len(item.demand.firings),
        )
        for item in items
        if len(item.demand.firings) < len(item.demand.instants)
    ]
    return tuple(sorted(found, key=lambda each: (-each.left_out, each.schedule_id))[:MOST_LINES])
