"""Ends pauses that have lasted until their time: the schedules go on."""

from datetime import datetime

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import is_for_this_release
from tick.engine.schedules.lifecycle import (
    NOT_PAUSED,
    LockedSchedule,
    find_schedules,
    why_off,
    write_not_fired,
)
from tick.policy import missed
from tick.policy.instants import just_before
from tick.states import ScheduleState
from tick.store.sql import literal_state
from tick.store.tables import Instant, job_schedule

_s = job_schedule.c


def any_pause_over(connection: sa.Connection, now: datetime) -> bool:
    """Whether some pause has come to its end."""
    return bool(connection.execute(_ANY_PAUSE_OVER, {"now_": now}).scalar())


def end_pauses(
    connection: sa.Connection, now: datetime, limit: int, *which: sa.ColumnElement[bool]
) -> int:
    """Let up to `limit` schedules go on whose pause is over, or `which` of them; how many."""
    is_over = _is_over(sa.literal(now))
    over = find_schedules(connection, *is_over, *which, limit=limit, skip_locked=True)
    write_not_fired(connection, [(known, _suppressed(known)) for known in over], now)
    if over:
        connection.execute(_GO_ON, [_going_on(known, now) for known in over])
    return len(over)


def _is_over(now: sa.ColumnElement[datetime]) -> list[sa.ColumnElement[bool]]:
    paused = literal_state(_s.state, ScheduleState.PAUSED)
    return [paused, _s.state_until <= now, is_for_this_release()]


def _suppressed(known: LockedSchedule) -> tuple[missed.NotFired, ...]:
    row, end = known.row, just_before(known.row.state_until)
    off = known.ask(lambda rule: missed.suppressed(rule, row.decided_to, end, why_off(row)))
    return off or ()


def _going_on(known: LockedSchedule, now: datetime) -> dict[str, object]:
    # From the end of its pause, not from the tick that sees it: what has come due since then is
    # decided by its rule, an instant at the end itself included.
    decided_to = max(known.row.decided_to, just_before(known.row.state_until))
    following = known.next_after(decided_to) if known.row.enabled else None
    return {"schedule": known.row.id, "end": decided_to, "following": following, "instant": now}


IS_ANY_PAUSE_OVER = (
    sa.exists().where(*_is_over(sa.bindparam("now_", type_=Instant))).select_from(job_schedule)
)
_ANY_PAUSE_OVER = sa.select(IS_ANY_PAUSE_OVER)
_GO_ON = (
    sa.update(job_schedule)
    .where(_s.id == sa.bindparam("schedule"), _s.state == ScheduleState.PAUSED)
    .values(
        **NOT_PAUSED,
        decided_to=sa.bindparam("end"),
        next_run_at=sa.bindparam("following"),
        retry_after=None,
        updated_at=sa.bindparam("instant"),
    )
)
