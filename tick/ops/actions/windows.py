"""Stopping the scheduler, and planning times in which nothing fires: maintenance windows.

Both are windows. What falls in one is BLACKOUT in the ledger and does not fire when it ends; what
is queued goes on, and a person may run anything at any time.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.engine.ledger import audit
from tick.engine.ledger.audit import Author
from tick.engine.ledger.windows import end_windows, open_window
from tick.errors import NotFound, Refused
from tick.ops.queries.revisions import expect_revision, revision_of
from tick.ops.queries.windows import scheduler_revision
from tick.store.advisory_locks import AdvisoryLock, acquire
from tick.store.database import Database
from tick.store.tables import maintenance_window
from tick.utc import utc

_w = maintenance_window.c
# People write minutes, and take a while to send them.
A_MOMENT_AGO = timedelta(minutes=2)


def stop_scheduler(
    database: Database, *, now: datetime, author: Author, reason: str, expected: str | None = None
) -> bool:
    """Let nothing fire until somebody starts it; False when it stands already.

    `expected` is the revision that was read, here and below. Raises Refused, Stale.
    """
    reason = _said(reason)
    with database.write.begin() as connection:
        acquire(connection, AdvisoryLock.STOPS)
        _check_scheduler(connection, expected)
        if connection.execute(_STOP).first() is not None:
            return False
        open_window(connection, starts_at=now, ends_at=None, reason=reason, now=now, author=author)
        audit.record(
            connection,
            at=now,
            author=author,
            action="scheduler.stop",
            subject="scheduler",
            reason=reason,
        )
    return True


def start_scheduler(
    database: Database, *, now: datetime, author: Author, expected: str | None = None
) -> bool:
    """Let schedules fire again, from now on; False when it was not stopped. Raises Stale."""
    with database.write.begin() as connection:
        acquire(connection, AdvisoryLock.STOPS)
        _check_scheduler(connection, expected)
        ended = end_windows(connection, _w.ends_at.is_(None), now=now, author=author)
        if ended:
            audit.record(
                connection, at=now, author=author, action="scheduler.start", subject="scheduler"
            )
    return bool(ended)


def add_window(
    database: Database,
    *,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    now: datetime,
    author: Author,
) -> int:
    """Plan a time [starts_at, ends_at) in which nothing fires; its id. Raises Refused.

    The very same window asked for again is the one that is there.
    """
    reason = _said(reason)
    now = utc(now, "now")
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
    starts_at = max(starts_at, now)
    same = sa.select(_w.id).where(
        _w.starts_at == starts_at, _w.ends_at == ends_at, _w.reason == reason
    )
    with database.write.begin() as connection:
        if (known := connection.execute(same).scalar()) is not None:
            return int(known)
        window_id = open_window(
            connection, starts_at=starts_at, ends_at=ends_at, reason=reason, now=now, author=author
        )
        audit.record(
            connection,
            at=now,
            author=author,
            action="window.add",
            subject=str(window_id),
            reason=reason,
            after={"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()},
        )
    return window_id


def end_window(
    database: Database,
    window_id: int,
    *,
    now: datetime,
    author: Author,
    expected: str | None = None,
) -> bool:
    """End a window now, or call off one to come; False when it was over. Raises NotFound, Stale."""
    window = sa.select(maintenance_window).where(_w.id == window_id).with_for_update()
    with database.write.begin() as connection:
        row = connection.execute(window).first()
        if row is None:
            raise NotFound(f"There is no window {window_id}; `tick windows list` lists them.")
        expect_revision(
            expected,
            revision_of(row.starts_at, row.ends_at, row.ended_by),
            f"Window {window_id} is not as you read it: {_end_of(row.ended_by)}.",
        )
        ended = end_windows(connection, _w.id == window_id, now=now, author=author)
        if ended:
            audit.record(
                connection,
                at=now,
                author=author,
                action="window.end",
                subject=str(window_id),
                before={"ends_at": row.ends_at and row.ends_at.isoformat()},
            )
    return bool(ended)


def _end_of(ended_by: str | None) -> str:
    return f"{ended_by} ended it" if ended_by else "nobody ended it"


def _check_scheduler(connection: sa.Connection, expected: str | None) -> None:
    if expected is None:
        return
    stop = connection.execute(_STOP).first()
    is_now = f"stopped by {stop.created_by}: {stop.reason}" if stop else "not stopped."
    said = f"The scheduler was changed since you read it: it is {is_now}"
    expect_revision(expected, scheduler_revision(connection), said)


_STOP = sa.select(_w.id, _w.created_by, _w.reason).where(_w.ends_at.is_(None))


def _said(reason: str) -> str:
    if not reason.strip():
        raise Refused("A window needs a reason: say why, for whoever finds everything quiet.")
    return reason.strip()
