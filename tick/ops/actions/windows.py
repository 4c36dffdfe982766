"""Stopping the scheduler, and planning times in which nothing fires: maintenance windows.

Both are windows. A window may be for one schedule or a label, and may recur. What falls in one is
BLACKOUT in the ledger and does not fire when it ends; what is queued goes on, and a person may run
anything at any time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.cron import timetable
from tick.define.labels import in_label
from tick.engine.ledger.windows import (
    FOR_ALL,
    FOREVER,
    Recurrence,
    Scope,
    columns_of,
    end_of,
    end_of_window,
    end_windows,
    open_window,
    recorded,
)
from tick.errors import NotFound, Refused
from tick.ops.act import Change, action
from tick.ops.queries.schedules import no_schedule
from tick.ops.queries.windows import scheduler_revision, window_revision
from tick.policy.windows import RecurringWindow
from tick.states import AfterWindow
from tick.store.advisory_locks import AdvisoryLock
from tick.store.sql import AnyRow
from tick.store.tables import job_schedule, maintenance_window
from tick.text import length
from tick.utc import utc

_w, _s = maintenance_window.c, job_schedule.c
# People write minutes, and take a while to send them.
A_MOMENT_AGO = timedelta(minutes=2)
_NO_REASON = "A window needs a reason: say why, for whoever finds everything quiet."
_STOPS = end_of_window.is_(None)
_STOP = sa.select(_w.id, _w.created_by, _w.reason).where(_STOPS)


def _check_scheduler(change: Change) -> None:
    stop = change.connection.execute(_STOP).first()
    is_now = f"stopped by {stop.created_by}: {stop.reason}" if stop else "not stopped."
    present = scheduler_revision(change.connection)
    change.expect(present, f"The scheduler was changed since you read it: it is {is_now}")


# The lock, since of two who stop at the same moment neither finds a row yet to wait for.
@action("scheduler.stop", subject="scheduler", lock=AdvisoryLock.STOPS, check=_check_scheduler)
def stop_scheduler(change: Change) -> bool:
    """Let nothing fire until somebody starts it; False when it is stopped already.

    Raises Refused, Stale.
    """
    reason = change.act.required_reason(_NO_REASON)
    if change.connection.execute(_STOP).first() is not None:
        return False
    values = columns_of(change.now, None)
    open_window(change.connection, values | {"reason": reason}, change.act)
    change.record(reason=reason)
    return True


@action("scheduler.start", subject="scheduler", lock=AdvisoryLock.STOPS, check=_check_scheduler)
def start_scheduler(change: Change) -> bool:
    """Let schedules fire again, from now on; False when it was not stopped. Raises Stale."""
    ended = end_windows(change.connection, change.act, _STOPS)
    if ended:
        change.record()
    return bool(ended)


@action("window.add", subject="window")
def add_window(
    change: Change,
    *,
    starts_at: datetime | None,
    ends_at: datetime | None,
    scope: Scope = FOR_ALL,
    recurs: Recurrence | None = None,
    then: AfterWindow = AfterWindow.SKIP,
) -> int:
    """Plan a time [starts_at, ends_at) in which nothing, or what is in `scope`, fires; its id.

    With `then` RUN, what is due in it fires after it. One that `recurs` closes such times from
    `starts_at` (now) on until `ends_at`, or until somebody ends it. If the same window exists
    already, its id is returned. Raises Refused, NotFound, InvalidCron.
    """
    reason = change.act.required_reason(_NO_REASON)
    if recurs is None and (starts_at is None or ends_at is None):
        raise Refused("Say from when to when, or how it recurs.")
    starts_at, ends_at = _checked_times(change, starts_at, ends_at)
    if recurs is not None:
        _check_recurrence(recurs, starts_at, ends_at)
    _check_scope(change, scope)
    run_after = then is AfterWindow.RUN
    values = columns_of(starts_at, ends_at, scope, recurs, run_after) | {"reason": reason}
    # A form that is sent twice plans one window.
    if (same := change.connection.execute(_same_as(values, change.now)).scalar()) is not None:
        return int(same)
    window_id = open_window(change.connection, values, change.act)
    change.record(subject=str(window_id), after=recorded(values), reason=reason)
    return window_id


def _check_scope(change: Change, scope: Scope) -> None:
    if scope.schedule_id is not None and scope.label is not None:
        raise Refused("A window is for one schedule, for a label or for all: name one of them.")
    known = sa.select(_s.id).where(_s.id == scope.schedule_id)
    if scope.schedule_id is not None and change.connection.execute(known).first() is None:
        raise no_schedule(scope.schedule_id)
    if scope.label is not None and (wrong := next(in_label("label", scope.label), None)):
        raise Refused(wrong)


def _checked_times(
    change: Change, starts_at: datetime | None, ends_at: datetime | None
) -> tuple[datetime, datetime]:
    """Return from when to when a window holds, from now on at the earliest. Raises Refused."""
    now = utc(change.now, "now")
    starts_at = utc(starts_at or now, "the window's start")
    ends_at = utc(ends_at or FOREVER, "the window's end")
    if ends_at <= starts_at:
        raise Refused("The window ends before it begins; write the later instant second.")
    if starts_at < now - A_MOMENT_AGO:
        raise Refused(
            f"The window would begin at {starts_at.isoformat()}, which has passed: what was due "
            "then is decided. Stop the scheduler to keep things from firing from now on."
        )
    if ends_at <= now:
        raise Refused(f"The window would end at {ends_at.isoformat()}, which has passed.")
    return max(starts_at, now), ends_at  # what was due before is decided


def _check_recurrence(recurs: Recurrence, starts_at: datetime, ends_at: datetime) -> None:
    timetable.validate(recurs.cron, recurs.timezone)
    given = (recurs.cron, recurs.timezone, recurs.length)
    times = RecurringWindow(0, starts_at, ends_at, "", "", *given, end_cron=recurs.end_cron)
    if recurs.length <= timedelta(0) or times.overlaps_itself():
        raise Refused(
            f"A window of {length(recurs.length.total_seconds())} at each `{recurs.cron}` begins "
            "again before it ends: write a shorter length or a rarer time."
        )


def _same_as(values: Mapping[str, Any], now: datetime) -> sa.Select[int]:
    """Select the window that is there already with these values."""
    # One that recurs begins when its form was sent, as a rule; and ends as it begins, to those who
    # don't know it.
    begins: set[str] = set()
    if values["cron"]:
        begins = {"starts_at", "ends_at"} | ({"over_at"} if values["label"] else set())
    alike = [_w[each].is_not_distinct_from(values[each]) for each in values.keys() - begins]
    same = sa.select(_w.id).where(*alike, _w.name.is_(None), end_of_window > now)
    return same.where(_w.starts_at <= values["starts_at"])


def _check_window(change: Change) -> None:
    row = _lock(change.connection, int(change.subject))
    by = f"{row.ended_by} ended it" if row.ended_by else "nobody ended it"
    present = window_revision(row)
    change.expect(present, f"Window {change.subject} is not as you read it: {by}.")


@action("window.end", check=_check_window)
def end_window(change: Change, window_id: int) -> bool:
    """End a window now and for good, or call off one to come; False when it was over.

    Raises NotFound, Stale.
    """
    row = _lock(change.connection, window_id)
    if row.name is not None:
        raise Refused(
            f"Window {window_id} lives in code: take `Window({row.name!r}, …)` out of the "
            "definitions, or change it there, then deploy."
        )
    ended = end_windows(change.connection, change.act, _w.id == window_id)
    if ended:
        end = end_of(row)
        change.record(before={"ends_at": None if end in (None, FOREVER) else end.isoformat()})
    return bool(ended)


def _lock(connection: sa.Connection, window_id: int) -> AnyRow:
    window = sa.select(maintenance_window).where(_w.id == window_id).with_for_update()
    if (row := connection.execute(window).first()) is None:
        raise NotFound(f"There is no window {window_id}; `tick windows list` lists them.")
    return row
