"""Brings schedules back whose cursor lies in the future, because a clock was ahead.

The cursor is set to now. What the ledger says of instants that are still to come is taken back,
unless they fired: those keep their rows, the unique key of an instant forbids a second firing, and
their runs begin now.
"""

from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger.audit import Act
from tick.engine.ledger.tick_log import MOVED_BY_ZONE_DATA
from tick.engine.ledger.zones import ZONE_COLUMNS, read_rule
from tick.engine.runs.wake_workers import announce_ready
from tick.engine.schedules.lifecycle import LockedSchedule, find_schedules, switch
from tick.engine.statistics.count import uncount_not_fired
from tick.engine.statistics.prune_state import LAST_PRUNE
from tick.errors import Refused
from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.moves import moved_from
from tick.states import FIRED_OUTCOMES, Outcome, RunStatus
from tick.store.sql import AnyRow
from tick.store.tables import (
    job_run,
    job_schedule,
    occurrence,
    schedule_version,
    setting,
    tick_log,
    zone_data,
)
from tick.store.tables import worker_instance as worker

_s, _o, _r, _v = job_schedule.c, occurrence.c, job_run.c, schedule_version.c
AT_ONCE = 100
_NOT_FIRED = [outcome for outcome in Outcome if outcome not in FIRED_OUTCOMES]


def rewind(connection: sa.Connection, act: Act, schedule_id: str | None = None) -> list[str]:
    """Set the cursors that lie in the future to now: up to AT_ONCE of them, or one schedule's.

    Returns their ids; each leaves an audit entry. Raises Refused when a schedule changes at
    the same moment.
    """
    ahead: list[sa.ColumnElement[bool]] = [_s.decided_to > act.now, sa.not_(MOVED_BY_ZONE_DATA)]
    if schedule_id is not None:
        ahead.append(_s.id == schedule_id)
    # Bounded, as each schedule may have many rows to take back: the caller asks until none is left.
    found = find_schedules(connection, *ahead, limit=AT_ONCE)
    return [_bring_back(connection, known, act) for known in found]


def forget_the_future(connection: sa.Connection, now: datetime) -> int:
    """Remove what else a clock ahead left behind: ticks (how many), beats, the last prune."""
    beats = sa.update(worker).where(worker.c.last_heartbeat_at > now)
    connection.execute(beats.values(last_heartbeat_at=now))
    turn = sa.update(setting).where(setting.c.name == LAST_PRUNE, setting.c.updated_at > now)
    connection.execute(turn.values(updated_at=now))
    return connection.execute(sa.delete(tick_log).where(tick_log.c.started_at > now)).rowcount


def _bring_back(connection: sa.Connection, known: LockedSchedule, act: Act) -> str:
    row, now = known.row, act.now
    taken = _take_back(connection, row.id, now)
    released = _release(connection, row.id, now)
    early = sa.update(schedule_version).where(_v.schedule_id == row.id, _v.since > now)
    connection.execute(early.values(since=now))
    following = known.next_after(now) if known.fires else None
    values = {"decided_to": now, "next_run_at": following}
    # What was put off or asked for until then no longer holds.
    values |= dict.fromkeys(("asked_for", "retry_after", "deferred_to"))
    switch(connection, known, values, now)
    before = {"decided_to": row.decided_to.isoformat()}
    after = {"instants_taken_back": taken, "runs_released": released}
    act.record(
        connection,
        "schedule.resume_from_now",
        row.id,
        before=before,
        after={"decided_to": now.isoformat()} | after,
        reason="a clock was ahead",
    )
    return str(row.id)


def _release(connection: sa.Connection, schedule_id: str, now: datetime) -> int:
    """Let the runs that were queued in the future begin now; until they end nothing else does."""
    queued = sa.and_(
        _r.schedule_id == schedule_id, _r.status == RunStatus.QUEUED, _r.queued_at > now
    )
    released = connection.execute(
        sa.update(job_run).where(queued).values(available_at=now, queued_at=now)
    ).rowcount
    if released:
        announce_ready(connection)
    return released


def _take_back(connection: sa.Connection, schedule_id: str, now: datetime) -> int:
    """Remove the instants after `now` that did not fire from the ledger; how many they were."""
    last = sa.func.coalesce(_o.scheduled_until, _o.scheduled_for)
    its = (_o.id, _o.outcome, _o.scheduled_for, _o.count.label("instants"), _o.counted)
    rows = connection.execute(
        sa.select(*its, _v.rule, *ZONE_COLUMNS)
        .join_from(occurrence, schedule_version, _v.id == _o.version_id)
        .outerjoin(zone_data, zone_data.c.id == _v.zone_data_id)
        .where(_o.schedule_id == schedule_id, last > now, _o.outcome.in_(_NOT_FIRED))
    )
    taken = 0
    for row in rows.all():
        rule, before = read_rule(row), just_before(row.scheduled_for)
        kept = instants.count(rule, before, now)
        newest = instants.latest_until(rule, before, now)
        _cut(connection, row, kept, newest, moved_from(rule, row.scheduled_for))
        taken += row.instants - kept
        if row.counted:
            gone = row.instants - kept
            uncount_not_fired(connection, schedule_id, row.outcome, row.scheduled_for, gone)
    return taken


def _cut(
    connection: sa.Connection,
    row: AnyRow,
    kept: int,
    until: datetime | None,
    nominal_for: datetime | None,
) -> None:
    """Leave a row the first `kept` of its instants, the last of which is `until`."""
    is_the_same = sa.and_(_o.id == row.id, _o.outcome == row.outcome, _o.count == row.instants)
    change: sa.Update | sa.Delete = sa.delete(occurrence)
    if kept:
        # A row of one instant is no range.
        last = until if kept > 1 else None
        change = sa.update(occurrence).values(count=kept, scheduled_until=last)
        if kept == 1:
            change = change.values(nominal_for=nominal_for)
    if connection.execute(change.where(is_the_same)).rowcount != 1:
        raise Refused("The ledger was changed by somebody else just now; repeat the command.")
