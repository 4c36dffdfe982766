"""Reads what schedules will ask of workers, by usual lengths, and the slots that workers have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import TopologicalSorter
from itertools import accumulate
from math import ceil

import sqlalchemy as sa

from tick.cron.zone_data import Zone
from tick.define.jobs import DEFAULT_TIMEOUT_SECONDS, JobDefinition
from tick.engine.statistics.durations import usual_seconds
from tick.ops.queries.courses import Course, read_courses
from tick.policy import instants
from tick.policy.load import Demand, Part
from tick.policy.rule import Rule
from tick.policy.target import Target
from tick.states import Mode, OverlapPolicy
from tick.store.sql import AnyRow
from tick.store.tables import job_schedule, schedule_version

_s, _v = job_schedule.c, schedule_version.c
LEARNED_FROM = timedelta(days=30)
ASSUMED_SECONDS = 60
MOST_RUNS = 250_000
"""The most runs that a week is simulated with: two seconds of work."""


@dataclass(frozen=True)
class Lengths:
    """How long jobs are taken to last, and those of them that have not run lately.

    `by_timeout` have a timeout of their own, which stands for the length; `by_default` do not.
    """

    seconds: Mapping[str, int]
    by_timeout: tuple[str, ...] = ()
    by_default: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScheduleDemand:
    """A schedule's demand, its name and zone, and whether it runs all jobs."""

    demand: Demand
    name: str
    timezone: str
    runs_all_jobs: bool


@dataclass(frozen=True)
class Demands:
    """What a time will ask for; `left_out` fire too often to be simulated with the rest."""

    items: Sequence[ScheduleDemand]
    lengths: Lengths
    left_out: tuple[str, ...] = ()


def read_demands(
    connection: sa.Connection,
    jobs: Mapping[str, JobDefinition],
    now: datetime,
    begin: datetime,
    end: datetime,
) -> Demands:
    """Return what fires in (now, end], in seconds since `begin`. Five statements."""
    courses = [course for course in read_courses(connection, now) if course.begin is not None]
    rows = {row.id: row for row in connection.execute(_TARGETS_OF)}
    keys = {rows[course.row.id].target_key for course in courses if course.row.id in rows}
    targets = {row.target_key: Target.from_json(row.target) for row in _targets(connection, keys)}
    names = {job.name for target in targets.values() for job in target.jobs}
    lengths = _lengths(usual_seconds(connection, names, now, within=LEARNED_FROM), jobs, names)
    parts = {key: _parts(target, lengths.seconds) for key, target in targets.items()}
    known = [(course, rows[course.row.id]) for course in courses if course.row.id in rows]
    found = _Instants(now, end)
    sizes = [found.count(course) * len(parts[row.target_key]) for course, row in known]
    order = sorted(range(len(known)), key=lambda number: (sizes[number], number))
    room = dict(zip(order, accumulate(sizes[number] for number in order), strict=True))
    items = [
        ScheduleDemand(
            Demand(
                course.row.id,
                [int((at - begin).total_seconds()) for at in found.list(course)],
                parts[row.target_key],
                most=_most_at_once(course.rule),
            ),
            course.row.name,
            course.timezone,
            row.mode == Mode.ALL_JOBS,
        )
        for number, (course, row) in enumerate(known)
        if room[number] <= MOST_RUNS
    ]
    out = tuple(known[number][0].row.id for number in order if room[number] > MOST_RUNS)
    return Demands(items, lengths, out)


def _most_at_once(rule: Rule) -> int | None:
    return None if rule.overlap is OverlapPolicy.ALLOW else rule.max_concurrent


class _Instants:
    """The instants of schedules in (after, until]; a rule is asked once for all that share it."""

    def __init__(self, after: datetime, until: datetime) -> None:
        self._after, self._until = after, until
        self._counts: dict[tuple[str, Zone | None, datetime], int] = {}
        self._lists: dict[tuple[str, Zone | None, datetime], list[datetime]] = {}

    def count(self, course: Course) -> int:
        """Return how many the rule names; none if it can't be read."""
        key = self._key(course)
        if key not in self._counts:
            try:
                self._counts[key] = instants.count(course.rule, key[2], self._until)
            except (ValueError, TypeError):
                self._counts[key] = 0  # the tick finds out, and tells
        return self._counts[key]

    def list(self, course: Course) -> Sequence[datetime]:
        """Return those that will fire."""
        key, count = self._key(course), self.count(course)
        if not count:
            return ()
        if not course.is_plain:
            ahead = course.ahead(count, after=self._after, until=self._until)
            return [each.at for each in ahead if each.window is None]
        if key not in self._lists:
            self._lists[key] = instants.all_between(course.rule, key[2], self._until)
        return self._lists[key]

    def _key(self, course: Course) -> tuple[str, Zone | None, datetime]:
        return course.row.rule, course.zone, max(self._after, course.begin or self._after)


def _lengths(
    usual: Mapping[str, float], jobs: Mapping[str, JobDefinition], names: set[str]
) -> Lengths:
    limits = {
        name: jobs[name].timeout_seconds
        for name in names - usual.keys()
        if name in jobs and jobs[name].timeout_seconds != DEFAULT_TIMEOUT_SECONDS
    }
    by_default = names - usual.keys() - limits.keys()
    seconds = {**usual, **limits, **dict.fromkeys(by_default, ASSUMED_SECONDS)}
    return Lengths(
        {name: max(1, ceil(length)) for name, length in seconds.items()},
        tuple(sorted(limits)),
        tuple(sorted(by_default)),
    )


def _parts(target: Target, seconds: Mapping[str, int]) -> tuple[Part, ...]:
    """Return the jobs of a firing, each after those that it depends on."""
    needs: dict[str, list[str]] = {job.name: [] for job in target.jobs}
    for edge in target.edges:
        needs[edge.job].append(edge.depends_on)
    begins: dict[str, int] = {}
    for name in TopologicalSorter(needs).static_order():
        begins[name] = max((begins[each] + seconds[each] for each in needs[name]), default=0)
    return tuple(
        Part(job.name, job.queue, begins[job.name], seconds[job.name]) for job in target.jobs
    )


def _targets(connection: sa.Connection, keys: set[str]) -> Sequence[AnyRow]:
    one_of_each = sa.select(sa.func.min(_v.id)).where(_v.target_key.in_(sorted(keys)))
    query = sa.select(_v.target_key, _v.target)
    return connection.execute(query.where(_v.id.in_(one_of_each.group_by(_v.target_key)))).all()


_TARGETS_OF = (
    sa.select(_s.id, _v.target_key, _v.mode)
    .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
    .where(sa.text("enabled"))
)
