"""A pause: a schedule that is switched on stays quiet for a reason, and perhaps for a time."""

from datetime import datetime

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import is_for_this_release
from tick.engine.ledger import audit
from tick.engine.ledger.audit import Author
from tick.engine.schedules.lifecycle import (
    NOT_PAUSED,
    LockedSchedule,
    find_schedule,
    find_schedules,
    switch,
    wake,
    why_off,
    write_not_fired,
)
from tick.errors import Refused
from tick.policy import missed
from tick.policy.instants import just_before
from tick.states import ScheduleState
from tick.store.sql import literal_state
from tick.store.tables import Instant, job_schedule
from tick.utc import utc

_s = job_schedule.c


def pause(
    connection: sa.Connection,
    schedule_id: str,
    *,
    now: datetime,
    author: Author,
    reason: str,
    until: datetime | None = None,
) -> None:
    """Keep a schedule from firing, until then or until somebody resumes it. What runs goes on.

    Paused again, the new reason and end hold. Raises NotFound, Refused.
    """
    known = find_schedule(connection, schedule_id)
    if known.row.state not in (ScheduleState.ACTIVE, ScheduleState.PAUSED):
        raise Refused(f"{schedule_id} is {known.row.state}: it does not fire, and can't be paused.")
    if not reason.strip():
        raise Refused("A pause needs a reason: say why, for whoever finds the schedule quiet.")
    until = until and utc(until, "the pause's end")
    if until is not None and until <= now:
        raise Refused(f"The pause would end at {until.isoformat()}, which has passed.")
    values = {
        "state": ScheduleState.PAUSED,
        "state_reason": reason.strip(),
        "state_by": author.name,
        "state_at": now,
        "state_until": until,
        "next_run_at": None,
    }
    switch(connection, known, values, now)
    audit.record(
        connection,
        at=now,
        author=author,
        action="schedule.pause",
        subject=schedule_id,
        before={"state": known.row.state},
        after={"state": "PAUSED", "until": until.isoformat() if until else None},
        reason=reason.strip(),
    )


def resume(
    connection: sa.Connection,
    schedule_id: str,
    *,
    now: datetime,
    author: Author,
    catch_up_latest: bool = False,
) -> None:
    """End a pause, or the ERROR of a schedule that could not be fired; it goes on after now.

    With `catch_up_latest` its most recent instant is due again. Raises NotFound, Refused.
    """
    known = find_schedule(connection, schedule_id)
    if known.row.state not in (ScheduleState.PAUSED, ScheduleState.ERROR):
        raise Refused(f"{schedule_id} is {known.row.state}: there is nothing to resume.")
    values = NOT_PAUSED | {"state_by": author.name, "state_at": now, "fire_errors": 0}
    if known.row.enabled:
        values |= wake(connection, known, now, catch_up_latest=catch_up_latest)
    switch(connection, known, values, now)
    audit.record(
        connection,
        at=now,
        author=author,
        action="schedule.resume",
        subject=schedule_id,
        before={"state": known.row.state},
        after={"state": "ACTIVE"},
        reason="its latest instant was asked for" if catch_up_latest else None,
    )


def any_pause_over(connection: sa.Connection, now: datetime) -> bool:
    """Whether some pause has come to its end."""
    return bool(connection.execute(_ANY_PAUSE_OVER, {"now_": now}).scalar())


def end_pauses(
    connection: sa.Connection, now: datetime, limit: int, *which: sa.ColumnElement[bool]
) -> int:
    """Let up to `limit` schedules go on whose pause is over, or `which` of them; how many.

    Each goes on at the end of its pause, not at the tick that sees it: what has come due since
    then is decided by its rule, an instant at the end itself included. One whose rule is broken
    is due at once, so that the tick finds out and backs off from it alone.
    """
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
