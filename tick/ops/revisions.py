"""Whether somebody changed a schedule since it was read: two people may have it before them."""

from datetime import datetime

import sqlalchemy as sa

from tick.define.schedules import short_digest
from tick.engine.lifecycle import find_schedule
from tick.errors import Stale


def revision_of(
    enabled: bool,
    enabled_at: datetime | None,
    state: str,
    state_at: datetime | None,
    version: int | None,
) -> str:
    """Changes when somebody switches, pauses, resumes or deploys it, not when it fires."""
    moments = (at and at.timestamp() for at in (enabled_at, state_at))
    return short_digest(f"{enabled} {state} {version} {' '.join(map(str, moments))}")


def check_revision(connection: sa.Connection, schedule_id: str, expected: str | None) -> None:
    """Let the transaction go on if the schedule still stands as it did; locks it on PostgreSQL.

    Raises NotFound, Stale. Without an expectation everything is well.
    """
    if expected is None:
        return
    row = find_schedule(connection, schedule_id).row
    now = revision_of(row.enabled, row.enabled_at, row.state, row.state_at, row.number)
    if now != expected:
        switch = f"{'on' if row.enabled else 'off'} by {row.enabled_by or 'nobody'}"
        raise Stale(
            f"{schedule_id} was changed since you read it: it is {switch} and {row.state}. "
            "Read it again, then decide."
        )
