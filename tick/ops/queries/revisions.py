"""Revisions: they tell whether somebody changed a thing since another person read it."""

from datetime import datetime

from tick.define.schedules import short_digest
from tick.engine.schedules.lifecycle import find_schedule
from tick.ops.act import Change


def revision_of(*facts: object) -> str:
    """Return a digest of facts that only people change; it is another one when a fact is."""
    plain = (each.timestamp() if isinstance(each, datetime) else each for each in facts)
    return short_digest(" ".join(map(str, plain)))


def check_revision(change: Change) -> None:
    """Lock the schedule (on PostgreSQL). Raises NotFound; Stale if it was changed since."""
    row = find_schedule(change.connection, change.subject).row
    present = revision_of(row.enabled, row.enabled_at, row.state, row.state_at, row.number)
    switch = f"{'on' if row.enabled else 'off'} by {row.enabled_by or 'nobody'}"
    change.expect(
        present, f"{change.subject} was changed since you read it: it is {switch} and {row.state}."
    )
