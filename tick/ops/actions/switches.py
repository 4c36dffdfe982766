"""Switching schedules on and off, pausing and resuming them.

A switch never fires anything by itself: the instants that passed while a schedule was off become
one SUPPRESSED row, and the next instant lies strictly after the switch.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tick.engine.schedules import replay
from tick.engine.schedules.diff import BY_DEFINITIONS
from tick.engine.schedules.lifecycle import NOT_PAUSED, find_schedule, pause_is_over, switch, wake
from tick.errors import Refused
from tick.ops.act import Change, action
from tick.ops.queries.revisions import check_revision
from tick.states import ScheduleSource, ScheduleState
from tick.store.sql import AnyRow
from tick.utc import utc

_CATCH_UP = "its latest instant was asked for"


@action("schedule.enable", check=check_revision)
def enable_schedule(change: Change, schedule_id: str, *, catch_up_latest: bool = False) -> bool:
    """Switch a schedule on; False when it was on already.

    With `catch_up_latest` its most recent instant, if it passed while the schedule was off, is
    due again, and the next tick fires it as that instant. Raises NotFound, Refused, Stale.
    """
    return switch_on(change, schedule_id, catch_up_latest=catch_up_latest)


def switch_on(change: Change, schedule_id: str, *, catch_up_latest: bool = False) -> bool:
    """Switch a schedule on within an action; see `enable_schedule`."""
    known = find_schedule(change.connection, schedule_id)
    if known.row.enabled:
        return False
    if known.row.state == ScheduleState.REMOVED:
        raise Refused(_why_gone(known.row))
    # Still paused, it stays silent until the pause ends or somebody resumes it.
    values = {"enabled": True, "enabled_at": change.now, "enabled_by": change.author.name}
    if known.row.state == ScheduleState.ACTIVE or pause_is_over(known.row, change.now):
        values |= NOT_PAUSED | wake(
            change.connection, known, change.now, catch_up_latest=catch_up_latest
        )
    switch(change.connection, known, values, change.now)
    change.act.record(
        change.connection,
        "schedule.enable",
        schedule_id,
        before={"enabled": False},
        after={"enabled": True},
        reason=_CATCH_UP if catch_up_latest else None,
    )
    return True


def _why_gone(row: AnyRow) -> str:
    if row.source == ScheduleSource.CUSTOM:
        return f"{row.id} was deleted; restore it first."
    return f"{row.id} was removed from the definitions; bring it back there, then sync."


@action("schedule.disable", check=check_revision)
def disable_schedule(change: Change, schedule_id: str) -> bool:
    """Switch a schedule off; False when it was off already. What runs goes on.

    Raises NotFound, Stale.
    """
    return switch_off(change, schedule_id)


def switch_off(change: Change, schedule_id: str) -> bool:
    """Switch a schedule off within an action; see `disable_schedule`."""
    known = find_schedule(change.connection, schedule_id)
    if not known.row.enabled:
        return False
    values = {
        "enabled": False,
        "enabled_at": change.now,
        "enabled_by": change.author.name,
        "next_run_at": None,
    }
    switch(change.connection, known, values, change.now)
    change.act.record(
        change.connection,
        "schedule.disable",
        schedule_id,
        before={"enabled": True},
        after={"enabled": False},
    )
    return True


@action("schedule.pause", check=check_revision)
def pause_schedule(change: Change, schedule_id: str, *, until: datetime | None = None) -> None:
    """Keep a schedule from firing, until then or until somebody resumes it. What runs goes on.

    Paused again, the new reason and end hold. Raises NotFound, Refused, Stale.
    """
    pause(change, schedule_id, until=until)


def pause(
    change: Change, schedule_id: str, *, until: datetime | None = None, reason: str | None = None
) -> None:
    """Pause a schedule within an action, by the act's reason or another; see `pause_schedule`."""
    known = find_schedule(change.connection, schedule_id)
    if known.row.state not in (ScheduleState.ACTIVE, ScheduleState.PAUSED):
        raise Refused(f"{schedule_id} is {known.row.state}: it does not fire, and can't be paused.")
    reason = reason or change.act.required_reason(
        "A pause needs a reason: say why, for whoever finds the schedule quiet."
    )
    until = until and utc(until, "the pause's end")
    if until is not None and until <= change.now:
        raise Refused(f"The pause would end at {until.isoformat()}, which has passed.")
    values = {
        "state": ScheduleState.PAUSED,
        "state_reason": reason,
        "state_by": change.author.name,
        "state_at": change.now,
        "state_until": until,
        "next_run_at": None,
    }
    switch(change.connection, known, values, change.now)
    change.record(
        before=_standing(known.row),
        after={"state": "PAUSED", "until": until.isoformat() if until else None},
        reason=reason,
    )


def _standing(row: AnyRow) -> dict[str, Any]:
    """Return the state of a schedule, and all of its pause, as the audit keeps it."""
    if row.state != ScheduleState.PAUSED:
        return {"state": row.state}
    until = row.state_until and row.state_until.isoformat()
    return {"state": row.state, "reason": row.state_reason, "until": until}


@action("schedule.resume", check=check_revision)
def resume_schedule(
    change: Change, schedule_id: str, *, catch_up_latest: bool = False, run: Sequence[datetime] = ()
) -> list[int]:
    """End a pause, or the ERROR of a schedule that could not be fired; it goes on after now.

    Of the instants that passed meanwhile none runs, or its latest with the next tick, or those in
    `run`, whose occurrences are returned. Raises NotFound, Refused, Stale.
    """
    return resume(change, schedule_id, catch_up_latest=catch_up_latest, run=run)


def resume(
    change: Change, schedule_id: str, *, catch_up_latest: bool = False, run: Sequence[datetime] = ()
) -> list[int]:
    """Let a schedule go on within an action; see `resume_schedule`."""
    known = find_schedule(change.connection, schedule_id)
    if known.row.state not in (ScheduleState.PAUSED, ScheduleState.ERROR):
        raise Refused(f"{schedule_id} is {known.row.state}: there is nothing to resume.")
    if known.row.state_by == BY_DEFINITIONS:
        raise Refused(
            f"{schedule_id} can't fire: {known.row.state_reason} Edit it, or bring it back in code."
        )
    values = NOT_PAUSED | {"state_by": change.author.name, "state_at": change.now, "fire_errors": 0}
    if known.row.enabled:  # switched off meanwhile, it has no next instant
        values |= wake(change.connection, known, change.now, catch_up_latest=catch_up_latest)
    switch(change.connection, known, values, change.now)
    change.record(
        before=_standing(known.row),
        after={"state": "ACTIVE"},
        reason=_CATCH_UP if catch_up_latest else None,
    )
    return replay.replay_instants(change.connection, schedule_id, run, change.act) if run else []
