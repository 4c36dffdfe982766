"""The steps that all switches of a schedule share, and giving up one that can't fire.

A switch never fires anything by itself: the instants that passed while a schedule was off become
one SUPPRESSED row, and the next instant lies strictly after the switch.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

import sqlalchemy as sa

from tick.engine.ledger.rows import find_covering, row_of
from tick.engine.ledger.versions import PIN
from tick.engine.ledger.zones import ZONE_COLUMNS, read_rule
from tick.errors import NotFound, Refused
from tick.policy import instants, missed
from tick.policy.closed_times import latest_firing
from tick.policy.hand_over import HandOver, Lost
from tick.policy.instants import just_before
from tick.policy.missed import NotFired
from tick.policy.rule import Rule
from tick.states import Outcome, ReasonKind, ScheduleSource, ScheduleState
from tick.store.sql import AnyRow, insert_ignore
from tick.store.tables import job_schedule, occurrence, schedule_version, zone_data

log = logging.getLogger(__name__)
_s, _v = job_schedule.c, schedule_version.c
T = TypeVar("T")
# A yearly holiday is the rarest day that a calendar lets a schedule fire on.
_LONGEST_CLOSED = timedelta(days=2 * 366)
NOT_PAUSED = {"state": ScheduleState.ACTIVE, "state_reason": None, "state_until": None}
# It backs off for 2, 4, 8 and 16 minutes, half an hour in all, before a person has to look.
MAX_FIRE_ERRORS = 5
WITH_RULE = (
    sa.select(job_schedule, _v.rule, _v.number, PIN, *ZONE_COLUMNS)
    .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
    .outerjoin(zone_data, zone_data.c.id == _v.zone_data_id)
    .order_by(_s.id)
)
"""Schedules by id, each with the rule and pin of its version and the zone data it is read with."""


@dataclass(frozen=True)
class LockedSchedule:
    """A schedule's row with the rule of its present version."""

    row: AnyRow

    @cached_property
    def rule(self) -> Rule:
        """Read when needed. Raises ValueError or TypeError if this release can't read it."""
        return read_rule(self.row)

    def ask(self, question: Callable[[Rule], T]) -> T | None:
        """The rule's answer; None if the rule can't be read, or raises."""
        # A rule is data: a bad one must stop neither a tick nor the deploy that mends it.
        try:
            return question(self.rule)
        except Exception as error:
            log.warning("the rule of %s gives no answer: %r", self.row.id, error)
            return None

    def next_after(self, after: datetime) -> datetime | None:
        """Its next instant, the first after the given one."""
        # With a broken rule it is due at once: the tick finds out, tells, and backs off.
        try:
            return instants.first_after(self.rule, after)
        except Exception as error:
            log.warning("the rule of %s gives no answer: %r", self.row.id, error)
            return after

    @property
    def fires(self) -> bool:
        """Whether it would fire when due."""
        return bool(self.row.enabled) and self.row.state == ScheduleState.ACTIVE


def find_schedule(connection: sa.Connection, schedule_id: str) -> LockedSchedule:
    """The schedule as it stands, locked on PostgreSQL. Raises NotFound."""
    found = find_schedules(connection, _s.id == schedule_id)
    if not found:
        raise NotFound(
            f"No schedule is called {schedule_id!r}; `tick schedules` lists those there are."
        )
    return found[0]


def find_schedules(
    connection: sa.Connection,
    *conditions: sa.ColumnElement[bool],
    limit: int = 1,
    skip_locked: bool = False,
) -> list[LockedSchedule]:
    """Up to `limit` schedules by id, locked on PostgreSQL; `skip_locked` passes over the taken."""
    query = sa.select(_s.id).where(*conditions).order_by(_s.id).limit(limit)
    locked = connection.execute(query.with_for_update(skip_locked=skip_locked)).scalars().all()
    # Read by a statement after the lock: who waited for a deploy sees the version that it wrote.
    return [LockedSchedule(row) for row in connection.execute(WITH_RULE.where(_s.id.in_(locked)))]


def back_off(connection: sa.Connection, schedule_id: str, *, now: datetime, error: str) -> None:
    """Leave a schedule that could not be fired alone for a while; give up after some failures."""
    known = find_schedule(connection, schedule_id)
    failures = known.row.fire_errors + 1
    if failures >= MAX_FIRE_ERRORS:
        give_up(connection, known, now=now, error=error)
        return
    values = {
        "fire_errors": failures,
        "last_error": error,
        "retry_after": now + timedelta(minutes=2**failures),
        # What gets too old meanwhile was seen by a tick: its row says why it did not fire.
        "deferred_to": now,
        "deferred_as": Outcome.MISSED,
        "deferred_reason": f"it could not be fired: {error}",
    }
    switch(connection, known, values, now)


def give_up(connection: sa.Connection, known: LockedSchedule, *, now: datetime, error: str) -> None:
    """Put a schedule that can't be fired in ERROR; its switch is untouched."""
    # What was due is FIRE_FAILED, so that nothing of it fires later by surprise. Without a row, if
    # the very rule that says what was due is broken.
    due = known.ask(lambda rule: missed.failed(rule, known.row.decided_to, now, error))
    write_not_fired(connection, [(known, due or ())], now)
    failures = known.row.fire_errors + 1
    values = {
        "state": ScheduleState.ERROR,
        "state_reason": f"firing failed {failures} times: {error}",
        "state_by": "system",
        "state_at": now,
        "fire_errors": failures,
        "last_error": error,
        "retry_after": None,
        "next_run_at": None,
        # The cursor never falls, not even for a clock that was set back.
        "decided_to": max(now, known.row.decided_to),
        "failure_count": known.row.failure_count + 1,
        "consecutive_failures": known.row.consecutive_failures + 1,
    }
    switch(connection, known, values, now)


def wake(
    connection: sa.Connection,
    known: LockedSchedule,
    now: datetime,
    *,
    catch_up_latest: bool = False,
) -> dict[str, Any]:
    """The cursor with which a schedule that was off goes on; what it passes is accounted for."""
    asked = _latest_open(connection, known, now) if catch_up_latest else None
    until = off_until(known.row, now)
    if asked is not None:
        # What a person asks for fires, so no row may say that it did not.
        until = min(until, just_before(asked))
    decided_to = account_for(connection, known, until, now)
    due = [instant for instant in (asked, known.next_after(decided_to)) if instant is not None]
    return {
        "decided_to": decided_to,
        "asked_for": asked,
        "retry_after": None,
        "next_run_at": min(due, default=None),
    }


def off_until(row: AnyRow, now: datetime) -> datetime:
    """Up to when a schedule that is off fires nothing: now, or the end of a pause that is over."""
    return just_before(row.state_until) if row.enabled and pause_is_over(row, now) else now


def pause_is_over(row: AnyRow, now: datetime) -> bool:
    """Whether it was paused until some time ago, and no tick has seen that yet."""
    if row.state != ScheduleState.PAUSED or row.state_until is None:
        return False
    return bool(row.state_until <= now)


def account_for(
    connection: sa.Connection, known: LockedSchedule, until: datetime, now: datetime
) -> datetime:
    """Write the undecided instants up to `until` as one SUPPRESSED row; where decisions now end."""
    old: datetime = known.row.decided_to
    off = known.ask(lambda rule: missed.suppressed(rule, old, until, why_off(known.row)))
    write_not_fired(connection, [(known, off or ())], now)
    # Never before the old end: a clock that was set back decides nothing again.
    return max(old, until)


def why_off(row: AnyRow) -> str:
    """The reason for which a schedule's undecided instants did not fire."""
    if row.state == ScheduleState.REMOVED:
        if row.source == ScheduleSource.CUSTOM:
            return f"it was {row.state_reason} at {row.state_at:%Y-%m-%d %H:%M} UTC"
        return f"it was not in the definitions since {row.state_at:%Y-%m-%d %H:%M} UTC"
    if row.state == ScheduleState.PAUSED:
        return f"paused by {row.state_by}: {row.state_reason}"
    if row.state == ScheduleState.ERROR:
        return row.state_reason or "firing had failed"
    if row.enabled:
        return "its definition was changed before it could fire"
    if row.enabled_at is None:
        return "it had not been switched on yet"
    return f"switched off by {row.enabled_by} at {row.enabled_at:%Y-%m-%d %H:%M} UTC"


def write_not_fired(
    connection: sa.Connection,
    decided: Iterable[tuple[LockedSchedule, tuple[NotFired, ...]]],
    now: datetime,
) -> None:
    """Ledger rows for instants that do not fire."""
    rows = [
        {
            "schedule_id": known.row.id,
            "version_id": known.row.version_id,
            "kind": known.rule.kind,
            **row_of(entry),
            "tick_id": "-",
            "decided_at": now,
            "runs": 0,
        }
        for known, entries in decided
        for entry in entries
    ]
    if rows:
        connection.execute(insert_ignore(connection.dialect.name, occurrence), rows)


def write_lost(
    connection: sa.Connection,
    known: LockedSchedule,
    taken: HandOver,
    version_id: int,
    now: datetime,
) -> None:
    """Ledger rows for the instants that a change of the rule left to neither of its versions."""
    rows = [_lost_row(connection, known, lost, version_id) for lost in taken.lost]
    if rows:
        decided = {"kind": taken.rule.kind, "tick_id": "-", "decided_at": now, "runs": 0}
        connection.execute(
            insert_ignore(connection.dialect.name, occurrence), [row | decided for row in rows]
        )


def _lost_row(
    connection: sa.Connection, known: LockedSchedule, lost: Lost, version_id: int
) -> dict[str, Any]:
    # Another one may have been decided where it would be now: then it stays where it lay.
    at = lost.at or lost.nominal
    if at != lost.nominal and find_covering(connection, known.row.id, at) is not None:
        at = lost.nominal
    outcome = lost.outcome
    if outcome is Outcome.MISSED and not known.fires:
        outcome = Outcome.SUPPRESSED
    nominal = None if at == lost.nominal else lost.nominal
    kind = ReasonKind.CALENDAR
    entry = NotFired(outcome, at, at, 1, lost.reason, kind, nominal_for=nominal)
    its = known.row.version_id if lost.at is None else version_id
    return {"schedule_id": known.row.id, "version_id": its, **row_of(entry)}


def switch(
    connection: sa.Connection, known: LockedSchedule, values: dict[str, Any], now: datetime
) -> None:
    """The guarded write: only if the schedule still stands as it was read."""
    row = known.row
    # A claim raises the token: so a tick that came in between is seen as well.
    changed = connection.execute(
        sa.update(job_schedule)
        .where(_s.id == row.id, _s.enabled == row.enabled, _s.state == row.state)
        .where(_s.lock_token == row.lock_token)
        .values(**values, updated_at=now)
    ).rowcount
    if changed != 1:
        raise Refused(f"{row.id} was changed by somebody else just now; look again, then repeat.")


def _latest_by_calendar(rule: Rule, now: datetime) -> datetime | None:
    if rule.calendar is None:
        return instants.latest_until(rule, instants.EPOCH, now)
    return latest_firing(rule, now - _LONGEST_CLOSED, now, ())


def _latest_open(
    connection: sa.Connection, known: LockedSchedule, now: datetime
) -> datetime | None:
    """The schedule's most recent instant, unless it was decided already."""
    latest = known.ask(lambda rule: _latest_by_calendar(rule, now))
    if latest is None or find_covering(connection, known.row.id, latest) is not None:
        return None
    # Decided, and yet without a row: that was pruned, and may have fired.
    was_pruned = known.row.created_at < latest <= known.row.decided_to
    return None if was_pruned else latest
