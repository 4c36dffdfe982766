"""Switching schedules on and off, pausing and resuming them.

A switch never fires anything by itself: the instants that passed while a schedule was off become
one SUPPRESSED row, and the next instant lies strictly after the switch.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from tick.engine.schedules import replay
from tick.engine.schedules.diff import BY_DEFINITIONS
from tick.engine.schedules.lifecycle import NOT_PAUSED, find_schedule, pause_is_over, switch, wake
from tick.errors import NotFound, Refused
from tick.ops.act import Act, Change, action
from tick.ops.queries.revisions import check_revision
from tick.ops.schemas import Schema
from tick.states import ScheduleSource, ScheduleState
from tick.store.database import Database
from tick.store.sql import AnyRow
from tick.utc import utc

Result = TypeVar("Result")
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
    known = find_schedule(change.connection, schedule_id)
    if known.row.state not in (ScheduleState.ACTIVE, ScheduleState.PAUSED):
        raise Refused(f"{schedule_id} is {known.row.state}: it does not fire, and can't be paused.")
    reason = change.act.required_reason(
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
        before={"state": known.row.state},
        after={"state": "PAUSED", "until": until.isoformat() if until else None},
        reason=reason,
    )


@action("schedule.resume", check=check_revision)
def resume_schedule(
    change: Change, schedule_id: str, *, catch_up_latest: bool = False, run: Sequence[datetime] = ()
) -> list[int]:
    """End a pause, or the ERROR of a schedule that could not be fired; it goes on after now.

    Of the instants that passed meanwhile none runs, or its latest with the next tick, or those in
    `run`, whose occurrences are returned. Raises NotFound, Refused, Stale.
    """
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
        before={"state": known.row.state},
        after={"state": "ACTIVE"},
        reason=_CATCH_UP if catch_up_latest else None,
    )
    return replay.replay_instants(change.connection, schedule_id, run, change.act) if run else []


class SchedulesResumed(Schema):
    """What became of many schedules: those that go on, and why not the others, by id."""

    done: tuple[str, ...]
    refused: dict[str, str]


def resume_schedules(
    database: Database, act: Act, schedule_ids: Iterable[str], *, catch_up_latest: bool = False
) -> SchedulesResumed:
    """Resume each schedule in a transaction of its own; one that is refused stops no other."""
    resume = partial(resume_schedule, database, act, catch_up_latest=catch_up_latest)
    done, refused = do_to_each(schedule_ids, resume)
    return SchedulesResumed(done=tuple(done), refused=refused)


def do_to_each(
    schedule_ids: Iterable[str], action: Callable[[str], Result]
) -> tuple[dict[str, Result], dict[str, str]]:
    """Act on each schedule; return the results, and the refusals, by id."""
    done: dict[str, Result] = {}
    refused: dict[str, str] = {}
    for schedule_id in dict.fromkeys(schedule_ids):  # each once, in the order given
        try:
            done[schedule_id] = action(schedule_id)
        except (NotFound, Refused) as refusal:
            refused[schedule_id] = str(refusal)
    return done, refused
