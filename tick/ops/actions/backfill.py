"""Backfills: the instants of a past time that did not fire are run, by the rules of then.

A backfill is a row that ticks work off, so that years of them never flood the queue.
"""

from datetime import datetime

import sqlalchemy as sa

from tick.define.schedules import short_digest
from tick.engine.ledger.backfills import IS_UNFINISHED, tick_id_of
from tick.engine.ledger.versions import versions_of
from tick.engine.schedules.lifecycle import find_schedule
from tick.engine.schedules.past import Part, count_parts, first_in, last_in, parts_of
from tick.engine.schedules.replay import MOST_AT_ONCE
from tick.errors import NotFound, Refused
from tick.ops.act import Act, Change, action
from tick.ops.actions.cancellation import cancel_all, settle
from tick.ops.queries.schedules import no_schedule
from tick.ops.schemas import Schema
from tick.policy.instants import just_before
from tick.states import (
    FIRED_OUTCOMES,
    UNFINISHED_BACKFILLS,
    BackfillOverlap,
    BackfillState,
    Outcome,
    ScheduleState,
)
from tick.store.database import Database
from tick.store.sql import AnyRow
from tick.store.tables import backfill, job_run, occurrence
from tick.text import counted
from tick.utc import utc

_o, _b, _r = occurrence.c, backfill.c, job_run.c
MOST_LOOKED_AT = 50_000  # more than the minutes of a month
MOST_IN_ONE = 1_000_000  # nearly two years of minutes
MOST_PARALLEL = 100


class BackfillPlan(Schema):
    """What a backfill would run, oldest first; `done` instants of that time have run already."""

    wanted: tuple[datetime, ...]
    done: int


def plan_backfill(
    database: Database, schedule_id: str, start: datetime, end: datetime, *, now: datetime
) -> BackfillPlan:
    """Return the instants of [start, end] that did not fire. Raises NotFound, Refused."""
    with database.read.connect() as connection:
        start, end, parts = _past(connection, schedule_id, start, end, now)
        if count_parts(parts) > MOST_LOOKED_AT:
            raise Refused(
                f"More than {MOST_LOOKED_AT:,} instants of {schedule_id} lie in that time; "
                "narrow it."
            )
        due = first_in(parts, MOST_LOOKED_AT)
        fired = _fired(schedule_id, start, end).with_only_columns(_o.scheduled_for)
        done = set(connection.execute(fired).scalars())
    wanted = tuple(at for at in due if at not in done)
    if len(wanted) > MOST_AT_ONCE:
        raise Refused(
            f"{len(wanted):,} instants of {schedule_id} in that time have not run, and at most "
            f"{MOST_AT_ONCE:,} run at once; narrow it."
        )
    return BackfillPlan(wanted=wanted, done=len(due) - len(wanted))


class BackfillSize(Schema):
    """How many instants of a time a backfill would run, and how many have run already.

    `first` and `last` are the ends of both; null without any.
    """

    wanted: int
    done: int
    first: datetime | None
    last: datetime | None


def size_backfill(
    connection: sa.Connection, schedule_id: str, start: datetime, end: datetime, *, now: datetime
) -> BackfillSize:
    """Count what a backfill of [start, end] would run, however long that is. Raises NotFound."""
    start, end, parts = _past(connection, schedule_id, start, end, now)
    counting = _fired(schedule_id, start, end).with_only_columns(sa.func.count())
    done: int = connection.execute(counting).scalar_one()
    return BackfillSize(
        wanted=max(count_parts(parts) - done, 0),
        done=done,
        first=next(iter(first_in(parts, 1)), None),
        last=last_in(parts),
    )


@action("backfill.start")
def start_backfill(
    change: Change,
    schedule_id: str,
    *,
    start: datetime,
    end: datetime,
    overlap: BackfillOverlap = BackfillOverlap.WAIT,
    max_parallel: int = 1,
) -> int:
    """Let ticks run what did not fire in [start, end]; return the backfill's id.

    The same request again, by its key or while it is unfinished, gives the same one. Raises
    NotFound, Refused.
    """
    if not 1 <= max_parallel <= MOST_PARALLEL:
        raise Refused(f"At most {MOST_PARALLEL} instants run at one time, and at least 1.")
    connection = change.connection
    # Locked, so that of two who begin one at the same moment the second finds the first.
    known = find_schedule(connection, schedule_id)
    key = change.act.key and short_digest(f"{schedule_id}\n{change.act.key}")
    if key and (made := connection.execute(sa.select(_b.id).where(_b.request_key == key)).scalar()):
        return int(made)
    if known.row.state == ScheduleState.REMOVED:
        raise Refused(f"{schedule_id} was removed from the definitions; there is nothing to run.")
    start, end = utc(start, "the start"), min(utc(end, "the end"), utc(change.now, "now"))
    values = {"starts_at": start, "ends_at": end, "overlap": overlap, "max_parallel": max_parallel}
    unfinished = sa.select(backfill).where(_b.schedule_id == schedule_id, IS_UNFINISHED)
    if (other := connection.execute(unfinished).first()) is not None:
        if all(getattr(other, name) == value for name, value in values.items()):
            return int(other.id)
        raise Refused(
            f"Backfill {other.id} of {schedule_id} is not finished, and only one works at a time: "
            f"wait for it, or `tick backfills cancel {other.id}`."
        )
    size = size_backfill(connection, schedule_id, start, end, now=change.now)
    if not 0 < size.wanted <= MOST_IN_ONE:
        raise Refused(_no_such_number(size))
    by = {"created_at": change.now, "created_by": change.author.name}
    state = {"state_at": change.now, "state_by": change.author.name, "reason": change.act.reason}
    made = connection.execute(
        sa.insert(backfill)
        .values(schedule_id=schedule_id, **values, **by, **state, request_key=key)
        .values(decided_to=just_before(start), total=size.wanted)
        .returning(_b.id)
    ).scalar_one()
    told = {"starts_at": start.isoformat(), "ends_at": end.isoformat(), "instants": size.wanted}
    limits = {"overlap": overlap, "max_parallel": max_parallel}
    change.record(after={"backfill": made, **told, **limits})
    return int(made)


@action("backfill.pause")
def pause_backfill(change: Change, backfill_id: int) -> bool:
    """Let nothing more of it be queued until it is resumed; False if it is paused already.

    What is queued goes on. Raises NotFound, Refused.
    """
    row = _unfinished(change, backfill_id)
    return _move(change, row, BackfillState.PAUSED, {})


@action("backfill.resume")
def resume_backfill(change: Change, backfill_id: int) -> bool:
    """Let a paused backfill go on; False if it is not paused. Raises NotFound, Refused."""
    row = _unfinished(change, backfill_id)
    stood = (change.now - row.state_at).total_seconds()
    longer = {"paused_seconds": row.paused_seconds + max(stood, 0.0)}
    return _move(change, row, BackfillState.RUNNING, longer)


def cancel_backfill(database: Database, act: Act, backfill_id: int) -> int:
    """End a backfill; return how many of its runs, which had not begun, are cancelled.

    Instants that have begun go on to their end. Raises NotFound, Refused.
    """
    touched, number = _cancel(database, act, backfill_id)
    settle(database, act, touched)
    return number


@action("backfill.cancel")
def _cancel(change: Change, backfill_id: int) -> tuple[list[int], int]:
    row = _unfinished(change, backfill_id)
    mine = sa.select(_o.id).where(
        _o.schedule_id == row.schedule_id,
        _o.outcome == Outcome.QUEUED,
        _o.tick_id == tick_id_of(row.id, row.overlap),
    )
    waiting = sa.select(_r.id).where(_r.occurrence_id.in_(mine))
    ids = list(change.connection.execute(waiting).scalars())
    touched = cancel_all(change.connection, change.act, ids)
    _move(change, row, BackfillState.CANCELLED, {}, runs=len(ids))
    return list(touched), len(ids)


def _move(
    change: Change, row: AnyRow, to: BackfillState, values: dict[str, float], **told: int
) -> bool:
    """Write another state, if it still has the one that was read; False if it has it already."""
    if row.state == to:
        return False
    changed = change.connection.execute(
        sa.update(backfill)
        .where(_b.id == row.id, _b.state == row.state)
        .values(state=to, state_at=change.now, state_by=change.author.name, **values)
    ).rowcount
    if changed != 1:
        raise Refused(f"Backfill {row.id} was changed by somebody else just now; look again.")
    schedule = {"schedule_id": row.schedule_id}
    change.record(before={"state": row.state}, after={"state": to, **schedule, **told})
    return True


def _unfinished(change: Change, backfill_id: int) -> AnyRow:
    """Return the backfill's row, locked. Raises NotFound, and Refused if it has ended."""
    query = sa.select(backfill).where(_b.id == backfill_id).with_for_update()
    if (row := change.connection.execute(query).first()) is None:
        raise NotFound(f"There is no backfill {backfill_id}; `tick backfills list` lists them.")
    if row.state not in UNFINISHED_BACKFILLS:
        raise Refused(f"Backfill {backfill_id} has ended: it is {row.state}.")
    return row


def _past(
    connection: sa.Connection, schedule_id: str, start: datetime, end: datetime, now: datetime
) -> tuple[datetime, datetime, list[Part]]:
    """Return the span that has passed, and its rules. Raises NotFound."""
    start, end = utc(start, "the start"), min(utc(end, "the end"), utc(now, "now"))
    versions = versions_of(connection, schedule_id)
    if not versions:
        raise no_schedule(schedule_id)
    return start, end, parts_of(versions, just_before(start), end)


def _fired(schedule_id: str, start: datetime, end: datetime) -> sa.Select[tuple[int]]:
    return sa.select(_o.id).where(
        _o.schedule_id == schedule_id,
        _o.outcome.in_(FIRED_OUTCOMES),
        _o.scheduled_for.between(start, end),
    )


def _no_such_number(size: BackfillSize) -> str:
    if not size.wanted:
        return f"Nothing to run in that time; already done: {counted(size.done, 'instant')}."
    return (
        f"{size.wanted:,} instants in that time have not run, and a backfill has at most "
        f"{MOST_IN_ONE:,}; narrow it."
    )
