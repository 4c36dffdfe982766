"""Stopping the scheduler, and planning times in which nothing fires: maintenance windows.

Both are windows. What falls in one is BLACKOUT in the ledger and does not fire when it ends; what
is queued goes on, and a person may run anything at any time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.db import Database
from tick.engine import audit
from tick.engine.audit import Author
from tick.engine.windows import end_windows, open_window
from tick.engine.windows import windows_touching as windows_touching
from tick.errors import NotFound, Refused
from tick.models import maintenance_window
from tick.policy.windows import Phase as Phase
from tick.policy.windows import Window as Window
from tick.policy.windows import covering as covering

_w = maintenance_window.c
LISTED = 100
# People write minutes, and take a while to send them.
A_MOMENT_AGO = timedelta(minutes=2)


@dataclass(frozen=True)
class WindowRow:
    """A window as people see it; `ended_by` ended it before its time, or called it off."""

    id: int
    starts_at: datetime
    ends_at: datetime | None
    phase: Phase
    reason: str
    created_by: str
    created_at: datetime
    ended_by: str | None


def list_windows(connection: sa.Connection, now: datetime) -> tuple[WindowRow, ...]:
    """The LISTED windows that begin last, those to come first."""
    rows = connection.execute(
        sa.select(maintenance_window).order_by(_w.starts_at.desc(), _w.id.desc()).limit(LISTED)
    )
    return tuple(
        WindowRow(
            phase=Window(row.id, row.starts_at, row.ends_at, row.reason, row.created_by).phase(now),
            **row._mapping,
        )
        for row in rows
    )


def stop_scheduler(database: Database, *, now: datetime, author: Author, reason: str) -> bool:
    """Let nothing fire until somebody starts it; False when it stands already. Raises Refused."""
    reason = _said(reason)
    with database.write.begin() as connection:
        if connection.execute(sa.select(_w.id).where(_w.ends_at.is_(None))).first() is not None:
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


def start_scheduler(database: Database, *, now: datetime, author: Author) -> bool:
    """Let schedules fire again, from now on; False when it was not stopped."""
    with database.write.begin() as connection:
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


def end_window(database: Database, window_id: int, *, now: datetime, author: Author) -> bool:
    """End a window now, or call off one to come; False when it was over. Raises NotFound."""
    with database.write.begin() as connection:
        row = connection.execute(sa.select(maintenance_window).where(_w.id == window_id)).first()
        if row is None:
            raise NotFound(f"There is no window {window_id}; `tick windows list` lists them.")
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


def _said(reason: str) -> str:
    if not reason.strip():
        raise Refused("A window needs a reason: say why, for whoever finds everything quiet.")
    return reason.strip()
