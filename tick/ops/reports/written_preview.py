"""A schedule that somebody is writing: what it would do, and what it would have done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import Any

import sqlalchemy as sa

from tick.cron.zone_data import find_zone
from tick.define.registry import Registry
from tick.define.schedules import Schedule
from tick.define.timing_mistakes import find_in_timing
from tick.engine.ledger.windows import FOREVER, windows_touching
from tick.engine.schedules.custom import free_id, judge
from tick.engine.schedules.known_calendars import named_in, with_known_calendars
from tick.errors import InvalidInput, NotFound
from tick.ops.actions.custom_schedules import id_of, merge
from tick.ops.queries.courses import minute_of, read_courses
from tick.ops.queries.descriptions import describe_timing
from tick.ops.reports.lanes import find_companions
from tick.ops.reports.upcoming import PreviewedRuns, next_by_rule
from tick.policy import instants
from tick.policy.ahead import cut_at_limit
from tick.policy.clock_changes import changes_ahead
from tick.policy.closed_times import count_firing, list_ahead
from tick.policy.rule import Rule
from tick.policy.windows import of_schedule
from tick.store.tables import job_schedule
from tick.utc import in_utc

NEXT = 10
PAST_DAYS = 30
_CHANGES_WITHIN = timedelta(days=400)
_MOST_CHANGES = 3
_UNNAMED = "unnamed"
_s = job_schedule.c
_KNOWN = sa.select(_s.former_ids, _s.run_count)


@dataclass(frozen=True)
class NextInstant:
    """An instant to come, and the schedules that fire in the same minute.

    `blackout` says why it would not fire: a window, or its calendar, which may also have moved it
    from `nominal_for`.
    """

    at: datetime
    others: tuple[str, ...] = ()
    blackout: str | None = None
    nominal_for: datetime | None = None


@dataclass(frozen=True)
class PastDay:
    """A day of the zone, and how often it would have fired on it."""

    day: date
    count: int


@dataclass(frozen=True)
class WrittenPreview:
    """A preview of a schedule; of one with mistakes, as much as can be told in spite of them."""

    mistakes: tuple[tuple[str, str], ...]
    words: str | None = None
    upcoming: tuple[NextInstant, ...] = ()
    changes: tuple[tuple[datetime, str], ...] = ()
    past: tuple[PastDay, ...] = ()
    jobs: tuple[str, ...] = ()

    @property
    def always_with(self) -> tuple[str, ...]:
        """Return the schedules that fire at each of the next instants, if always the same."""
        alike = {each.others for each in self.upcoming}
        return alike.pop() if len(alike) == 1 else ()

    @property
    def fired(self) -> int:
        """Return how often it would have fired in the PAST_DAYS days before today."""
        return sum(day.count for day in self.past)

    @property
    def days_without(self) -> int:
        """Return on how many of these days it would not have fired."""
        return sum(not day.count for day in self.past)


def preview_written(
    connection: sa.Connection,
    registry: Registry,
    written: Mapping[str, Any],
    now: datetime,
    *,
    schedule_id: str | None = None,
    fired: int = 0,
) -> WrittenPreview:
    """Return what a schedule would do, were it saved now.

    `schedule_id` is its own, if it has one; what it has `fired` counts for its `max_runs`.
    """
    name = str(written.get("name") or _UNNAMED)
    own_id = schedule_id or _future_id(name)
    known = with_known_calendars(connection, registry, named_in(written))
    schedule, mistakes = judge(own_id, {**written, "name": name}, known)
    if schedule is None:
        return WrittenPreview(tuple(mistakes))
    found = WrittenPreview(tuple(mistakes), jobs=_jobs(schedule, registry))
    # Without a name, or with a wrong id, it has instants all the same.
    if find_in_timing(replace(schedule, name=_UNNAMED)):
        return found
    rule = schedule.rule()
    until = now + _CHANGES_WITHIN
    return replace(
        found,
        words=describe_timing(rule.to_json()).words,
        upcoming=tuple(_upcoming(connection, schedule, now, fired)),
        changes=tuple(islice(changes_ahead(rule, now, until), _MOST_CHANGES)),
        past=tuple(_past_days(rule, now)),
    )


def preview_instants(
    connection: sa.Connection,
    registry: Registry,
    written: Mapping[str, Any],
    *,
    schedule_id: str | None,
    after: datetime,
    count: int,
) -> PreviewedRuns:
    """The first instants after `after` at which a schedule would fire, were it saved so.

    Those in maintenance windows are left out. Raises InvalidInput, as saving it would.
    """
    given = merge({}, written)
    name = str(given.get("name") or schedule_id or _UNNAMED)
    own_id = schedule_id or free_id(connection, _future_id(name))
    # One that is edited keeps its slots, and has used up some of its runs.
    row = connection.execute(_KNOWN.where(_s.id == own_id)).first()
    former_ids, fired = row or (None, 0)
    known = with_known_calendars(connection, registry, named_in(given))
    schedule, mistakes = judge(own_id, {**given, "name": name}, known, former_ids)
    if schedule is None or mistakes:
        raise InvalidInput([(f"body.{option}", text) for option, text in mistakes])
    rule = schedule.rule().to_json()
    windows = of_schedule(windows_touching(connection, after, FOREVER), own_id, schedule.labels)
    return PreviewedRuns(
        words=describe_timing(rule).words,
        times=next_by_rule(rule, after, count, windows, fired=fired),
    )


def _upcoming(
    connection: sa.Connection, schedule: Schedule, now: datetime, fired: int
) -> Iterator[NextInstant]:
    rule, schedule_id = schedule.rule(), schedule.id
    windows = of_schedule(windows_touching(connection, now, FOREVER), schedule_id, schedule.labels)
    left = None if rule.max_runs is None else max(rule.max_runs - fired, 0)
    ahead = list(cut_at_limit(rule, list_ahead(rule, now, None, NEXT), windows, left))
    firing = [each.at for each in ahead if each.window is None]
    others = find_companions(read_courses(connection, now), schedule_id, firing)
    for each in ahead:
        blackout = None if each.window is None else each.window.in_words()
        together = others.get(minute_of(each.at), ())
        yield NextInstant(each.at, together, blackout, each.nominal_for)


def _future_id(name: str) -> str:
    """Return the id that a name will make; what `H` stands for hangs on it."""
    try:
        return id_of(name)
    except InvalidInput:
        return _UNNAMED


def _jobs(schedule: Schedule, registry: Registry) -> tuple[str, ...]:
    """Return the jobs that it would run, in dependency order; none while they are a mistake."""
    try:
        return tuple(registry.select(schedule.target()).jobs)
    except (NotFound, ValueError):
        return ()


def _past_days(rule: Rule, now: datetime) -> Iterator[PastDay]:
    zone = find_zone(rule.timezone)
    first = now.astimezone(zone).date() - timedelta(days=PAST_DAYS)
    days = [first + timedelta(days=number) for number in range(PAST_DAYS + 1)]
    midnights = [in_utc(datetime.combine(day, time(), zone)) for day in days]
    for day, (start, end) in zip(
        days, pairwise(map(instants.just_before, midnights)), strict=False
    ):
        yield PastDay(day, count_firing(rule, start, end, ()))
