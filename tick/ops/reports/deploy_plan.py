"""Plans a deploy: the differences between these definitions and the database. Writes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import Literal

import sqlalchemy as sa
from pydantic import Field

from tick.define.environments import OTHERS, differences
from tick.define.registry import Registry
from tick.define.schedules import Schedule
from tick.engine.ledger.environment import environment_mistake, stored_environment
from tick.engine.ledger.tick_log import learned_tick_seconds
from tick.engine.ledger.windows import windows_touching
from tick.engine.schedules.code_windows import WindowChange, find_window_changes
from tick.engine.schedules.diff import Change, find_changes
from tick.engine.schedules.known_calendars import refuse_same_names
from tick.environment import PRODUCTION
from tick.ops.queries.descriptions import describe_timing
from tick.ops.queries.schedules import Pin, list_pins
from tick.ops.reports.drift import Drift, find_drift
from tick.ops.reports.upcoming import next_by_rule
from tick.ops.schemas import Schema
from tick.policy.clock_changes import changes_ahead
from tick.policy.closed_times import firing_between
from tick.policy.hand_over import hand_over
from tick.policy.notes import notes_on
from tick.policy.planner import Cursor, due_since, plan
from tick.policy.rule import Rule, as_written
from tick.policy.windows import AnyWindow, of_schedule
from tick.states import LIVE_OUTCOMES, ScheduleState
from tick.store.sql import literal_state
from tick.store.tables import occurrence

SHOWN = 3
_YEAR, _WEEK = timedelta(days=366), timedelta(days=7)
_MOST_COMPARED = 10_100  # the minutes of a week


class PlannedChange(Schema):
    """What a sync would do to one schedule."""

    schedule_id: str
    what: tuple[str, ...]
    before: str | None
    after: str | None
    next_before: tuple[datetime, ...]
    next_after: tuple[datetime, ...]


class PinnedSchedule(Schema):
    """A schedule that goes by an earlier version, and goes on so after a sync."""

    schedule_id: str
    pin: Pin


class Moment(Schema):
    """Something about a schedule at an instant."""

    schedule_id: str
    at: datetime
    text: str


class Collision(Schema):
    """Two schedules that start the same jobs at the same instants."""

    schedules: tuple[str, str]
    jobs: tuple[str, ...]
    first: datetime
    count: int = Field(description="how often in a week")


class PlannedWindow(Schema):
    """What a sync would do to one window that lives in code."""

    name: str
    what: Literal["added", "changed", "removed"]
    words: str = Field(description="when it is then, and for what; empty if it is removed")


class Plan(Schema):
    """What syncing the definitions that the console has loaded would change."""

    environment: str = Field(PRODUCTION, description="what the definitions were put together for")
    wrong_environment: str | None = Field(
        None, description="why a sync would be refused, if the database belongs to another one"
    )
    changes_nothing: bool
    elsewhere: dict[str, tuple[str, ...]] = Field(
        {}, description="schedules that exist in other environments only, and in which"
    )
    changes: tuple[PlannedChange, ...]
    pinned: tuple[PinnedSchedule, ...] = Field(
        (), description="what stays pinned to an earlier version, as its definition does not change"
    )
    fires: tuple[Moment, ...] = Field(description="what is due, and fires with the next tick")
    clock_changes: tuple[Moment, ...]
    collisions: tuple[Collision, ...]
    drift: tuple[Drift, ...] = Field(
        description="instants that move though the definitions say the same"
    )
    windows: tuple[PlannedWindow, ...] = ()


def plan_deploy(connection: sa.Connection, registry: Registry, now: datetime) -> Plan:
    """Compare the definitions with the database."""
    refuse_same_names(connection, registry)
    changes = find_changes(connection, registry)
    moved = [
        change.schedule
        for change in changes
        if change.schedule is not None and (change.added or change.changed or change.returned)
    ]
    tick_seconds = learned_tick_seconds(connection)
    planned = find_window_changes(connection, registry.windows, now)
    windows = windows_touching(connection, now, now + _YEAR)
    drift = find_drift(connection, changes, now)
    return Plan(
        environment=registry.environment,
        wrong_environment=environment_mistake(stored_environment(connection), registry.environment),
        elsewhere={id: there for id, there in sorted(registry.elsewhere.items())},
        changes_nothing=not (changes or drift or planned),
        changes=tuple(_describe(change, now, windows, registry) for change in changes),
        pinned=tuple(_pinned(connection, changes)),
        fires=tuple(
            moment for change in changes for moment in _fires(connection, change, now, tick_seconds)
        ),
        clock_changes=tuple(
            Moment(schedule_id=schedule.id, at=at, text=effect)
            for schedule in moved
            for at, effect in changes_ahead(schedule.rule(), now, now + _YEAR)
        ),
        collisions=tuple(_collisions(registry, moved, now)),
        drift=tuple(drift),
        windows=tuple(
            PlannedWindow(name=each.name, what=each.what, words=_window_words(registry, each))
            for each in planned
        ),
    )


def _window_words(registry: Registry, change: WindowChange) -> str:
    window = next((each for each in registry.windows if each.name == change.name), None)
    return "" if window is None else window.in_words()


def _describe(
    change: Change, now: datetime, windows: Sequence[AnyWindow], registry: Registry
) -> PlannedChange:
    old = None if change.known is None else change.known.rule
    new = None if change.schedule is None else _taken_over(old, change.schedule, now).to_json()
    fired = 0 if change.known is None else change.known.run_count
    id = change.id if change.known is None else change.known.id
    before = of_schedule(windows, id, change.known and change.known.labels)
    after = of_schedule(windows, id, change.schedule.labels if change.schedule else ())
    return PlannedChange(
        schedule_id=change.id,
        what=tuple(_what(change, now, registry)),
        before=_words(old),
        after=_words(new),
        next_before=_next(old, now, before, fired),
        next_after=_next(new, now, after, fired),
    )


def _taken_over(old: str | None, schedule: Schedule, now: datetime) -> Rule:
    """The rule of a schedule as it would go on from what is in force."""
    new, known = schedule.rule(), describe_timing(old).mistake is None
    if known and as_written(old or "") == new.to_json():
        return Rule.from_json(old or "")
    return hand_over(Rule.from_json(old or "") if known else None, new, now).rule


def _what(change: Change, now: datetime, registry: Registry) -> Iterator[str]:
    if change.added:
        yield "added, and switched off until somebody switches it on"
    there = registry.elsewhere.get(change.id)
    if change.removed and there:
        yield f"removed: it exists in {', '.join(there)} only; it stops firing, its history stays"
    elif change.removed:
        yield "removed: it stops firing, its history stays"
    if change.renamed and change.known is not None:
        how = "renamed back" if change.taken_back else "renamed"
        yield f"{how} from {change.known.id}: history and switch stay{_hash_note(change.schedule)}"
    if change.returned:
        yield "defined again: as it was if it was removed less than 14 days ago, else switched off"
    if change.changed and change.known is not None and change.schedule is not None:
        same = as_written(change.known.rule) == change.schedule.rule().to_json()
        yield "its jobs change" if same else "its rule changes"
        if _ends_pin(change):
            yield f"its pin to version {change.known.pin['version']} ends"
    if change.reworded:
        yield "its name, description, alerts or environments change"
    if change.schedule is not None and (change.added or change.changed or change.returned):
        differing = differences(change.schedule) or {}
        if own := differing.get(registry.environment, differing.get(OTHERS)):
            yield f"{registry.environment} has its own {', '.join(own)}"
        yield from notes_on(change.schedule.rule(), now)


def _pinned(connection: sa.Connection, changes: Sequence[Change]) -> Iterator[PinnedSchedule]:
    ending = {change.known.id for change in changes if change.known and _ends_pin(change)}
    for schedule_id, pin in list_pins(connection).items():
        if schedule_id not in ending:
            yield PinnedSchedule(schedule_id=schedule_id, pin=pin)


def _ends_pin(change: Change) -> bool:
    return change.changed and change.known is not None and change.known.pin is not None


def _hash_note(schedule: Schedule | None) -> str:
    """Say that a rename moves no instant, if the name decides about instants."""
    if schedule is None or replace(schedule, first_id=schedule.id).rule() == schedule.rule():
        return ""
    return f", and so do its `H` and jitter, those of {schedule.slot_id}"


def _fires(
    connection: sa.Connection, change: Change, now: datetime, tick_seconds: float
) -> Iterator[Moment]:
    row = change.known
    if row is None or not (change.changed or change.removed or change.renamed):
        return
    # After an error the tick leaves a schedule alone until then.
    due_at = row.next_run_at and max(row.next_run_at, row.retry_after or row.next_run_at)
    if due_at is None or due_at > now or not (row.enabled and row.state == ScheduleState.ACTIVE):
        return
    if describe_timing(row.rule).mistake is not None:
        return  # it can't fire, and ends in ERROR or is mended
    # The same decision as the tick's, since the tick may come before the sync.
    live = connection.execute(_LIVE, {"schedule": row.id}).scalar_one()
    rule = Rule.from_json(row.rule)
    since = due_since(rule, row.decided_to, row.next_run_at)
    cursor = Cursor(since, live, row.run_count, row.asked_for)
    windows = of_schedule(windows_touching(connection, since, now), row.id, row.labels)
    due = plan(rule, cursor, now, tick_seconds, windows)
    if due.fire is not None:
        yield Moment(
            schedule_id=row.id, at=due.fire, text="is due already, and fires by its old definition"
        )


_LIVE = (
    sa.select(sa.func.count())
    .select_from(occurrence)
    .where(
        occurrence.c.schedule_id == sa.bindparam("schedule"),
        literal_state(occurrence.c.outcome, *LIVE_OUTCOMES),
    )
)


def _collisions(
    registry: Registry, moved: Sequence[Schedule], now: datetime
) -> Iterator[Collision]:
    ids = {schedule.id for schedule in moved}
    if not ids:
        return
    schedules = list(registry.schedules.values())
    jobs = {item.id: set(registry.select(item.target()).jobs) for item in schedules}
    when = {
        item.id: firing_between(item.rule(), now, now + _WEEK, _MOST_COMPARED) for item in schedules
    }
    for one, other in combinations(schedules, 2):
        shared = jobs[one.id] & jobs[other.id]
        if not shared or not ids & {one.id, other.id}:
            continue
        # At the same instants: jobs that run at the same time by their length are not foretold.
        if both := sorted(set(when[one.id]) & set(when[other.id])):
            yield Collision(
                schedules=(one.id, other.id),
                jobs=tuple(sorted(shared)),
                first=both[0],
                count=len(both),
            )


def _words(rule: str | None) -> str | None:
    if rule is None:
        return None
    timing = describe_timing(rule)
    return timing.with_zone


def _next(
    rule: str | None, now: datetime, windows: Sequence[AnyWindow], fired: int
) -> tuple[datetime, ...]:
    return () if rule is None else next_by_rule(rule, now, SHOWN, windows, fired=fired)
