"""Stopping the scheduler, and planning times in which nothing fires: maintenance windows.

Both are windows. What falls in one is BLACKOUT in the ledger and does not fire when it ends; what
is queued goes on, and a person may run anything at any time.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.engine.ledger.windows import end_windows, open_window
from tick.errors import NotFound, Refused
from tick.ops.act import Change, action
from tick.ops.queries.revisions import revision_of
from tick.ops.queries.windows import scheduler_revision
from tick.store.advisory_locks import AdvisoryLock
from tick.store.sql import AnyRow
from tick.store.tables import maintenance_window
from tick.utc import utc

_w = maintenance_window.c
# People write minutes, and take a while to send them.
A_MOMENT_AGO = timedelta(minutes=2)
_NO_REASON = "A window needs a reason: say why, for whoever finds everything quiet."
_STOP = sa.select(_w.id, _w.created_by, _w.reason).where(_w.ends_at.is_(None))


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
    open_window(
        change.connection, starts_at=change.now, ends_at=None, reason=reason, act=change.act
    )
    change.record(reason=reason)
    return True


@action("scheduler.start", subject="scheduler", lock=AdvisoryLock.STOPS, check=_check_scheduler)
def start_scheduler(change: Change) -> bool:
    """Let schedules fire again, from now on; False when it was not stopped. Raises Stale."""
    ended = end_windows(change.connection, change.act, _w.ends_at.is_(None))
    if ended:
        change.record()
    return bool(ended)


@action("window.add", subject="window")
def add_window(change: Change, *, starts_at: datetime, ends_at: datetime) -> int:
    """Plan a time [starts_at, ends_at) in which nothing fires; return its id. Raises Refused.

    If the same window exists already, its id is returned.
    """
    reason = change.act.required_reason(_NO_REASON)
    now = utc(change.now, "now")
    starts_at, ends_at = utc(starts_at, "the window's start"), utc(ends_at, "the window's end")
    if ends_at <= starts_at:
        raise Refused("The window ends before it begins; write the later instant second.")
    if starts_at < now - A_MOMENT_AGO:
        raise Refused(
            f"The window would begin at {starts_at.isoformat()}, which has passed: what was due "
            "then is decided. Stop the scheduler to keep things from firing from now on."
        )
    if ends_at <= now:
        raise Refused(f"The window would end at {ends_at.isoformat()}, which has passed.")
    starts_at = max(starts_at, now)  # what was due before is decided
    # A form that is sent twice plans one window.
    same = sa.select(_w.id).where(
        _w.starts_at == starts_at, _w.ends_at == ends_at, _w.reason == reason
    )
    if (known := change.connection.execute(same).scalar()) is not None:
        return int(known)
    window_id = open_window(
        change.connection, starts_at=starts_at, ends_at=ends_at, reason=reason, act=change.act
    )
    change.record(
        subject=str(window_id),
        after={"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
        reason=reason,
    )
    return window_id


def _check_window(change: Change) -> None:
    row = _lock(change.connection, int(change.subject))
    by = f"{row.ended_by} ended it" if row.ended_by else "nobody ended it"
    present = revision_of(row.starts_at, row.ends_at, row.ended_by)
    change.expect(present, f"Window {change.subject} is not as you read it: {by}.")


@action("window.end", check=_check_window)
def end_window(change: Change, window_id: int) -> bool:
    """End a window now, or call off one to come; False when it was over. Raises NotFound, Stale."""
    row = _lock(change.connection, window_id)
    ended = end_windows(change.connection, change.act, _w.id == window_id)
    if ended:
        change.record(before={"ends_at": row.ends_at and row.ends_at.isoformat()})
    return bool(ended)


def _lock(connection: sa.Connection, window_id: int) -> AnyRow:
    window = sa.select(maintenance_window).where(_w.id == window_id).with_for_update()
    if (row := connection.execute(window).first()) is None:
        raise NotFound(f"There is no window {window_id}; `tick windows list` lists them.")
    return row
