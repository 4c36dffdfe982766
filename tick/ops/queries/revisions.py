"""Whether somebody changed something since it was read: two people may have it before them."""

from datetime import datetime

import sqlalchemy as sa

from tick.define.schedules import short_digest
from tick.engine.schedules.lifecycle import find_schedule
from tick.errors import Stale


def revision_of(*facts: object) -> str:
    """Changes when one of the facts about a thing does; those that only people change."""
    plain = (each.timestamp() if isinstance(each, datetime) else each for each in facts)
    return short_digest(" ".join(map(str, plain)))


def expect_revision(expected: str | None, present: str, now_it_is: str) -> None:
    """Let the transaction go on if a thing still stands as it did; call it where that is locked.

    Raises Stale, with `now_it_is` in it. Without an expectation everything is well.
    """
    if expected is not None and expected != present:
        raise Stale(f"{now_it_is} Read it again, then decide.")


def check_revision(connection: sa.Connection, schedule_id: str, expected: str | None) -> None:
    """Let the transaction go on if the schedule still stands as it did; locks it on PostgreSQL.

    Raises NotFound, Stale. Without an expectation everything is well.
    """
    if expected is None:
        return
    row = find_schedule(connection, schedule_id).row
    present = revision_of(row.enabled, row.enabled_at, row.state, row.state_at, row.number)
    switch = f"{'on' if row.enabled else 'off'} by {row.enabled_by or 'nobody'}"
    expect_revision(
        expected,
        present,
        f"{schedule_id} was changed since you read it: it is {switch} and {row.state}.",
    )
