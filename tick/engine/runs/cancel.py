"""Cancelling runs: at once while they are queued, by asking while they run."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from tick.engine.runs.dependents import skip_dependents
from tick.states import UNFINISHED_RUNS, RunStatus
from tick.store.sql import batches
from tick.store.tables import job_run

_r = job_run.c


def cancel_runs(
    connection: sa.Connection, run_ids: Collection[int], *, now: datetime, reason: str
) -> set[int]:
    """Cancel the unfinished ones among the runs; the ids of occurrences that lost queued runs.

    A running one is asked: its job may stop by itself, and is killed if it does not.
    """
    touched: set[int] = set()
    for ids in batches(run_ids):
        touched |= _cancel(connection, ids, now, reason)
    return touched


def _cancel(connection: sa.Connection, ids: list[int], now: datetime, reason: str) -> set[int]:
    # Locked in the order in which a finish locks them, so that the two can't wait for each other,
    # and no run is claimed between the look at its state and the change.
    unfinished = sa.select(_r.id).where(_r.id.in_(ids), _r.status.in_(UNFINISHED_RUNS))
    connection.execute(unfinished.order_by(_r.id).with_for_update(key_share=True)).all()
    queued = _r.status == RunStatus.QUEUED
    changed = connection.execute(
        sa.update(job_run)
        .where(_r.id.in_(ids), _r.status.in_(UNFINISHED_RUNS), _r.cancel_requested_at.is_(None))
        .values(
            status=sa.case((queued, RunStatus.CANCELLED), else_=_r.status),
            finished_at=sa.case((queued, now), else_=_r.finished_at),
            cancel_requested_at=now,
            reason=reason,
        )
        .returning(_r.id, _r.status, _r.occurrence_id)
    ).all()
    ended = [row for row in changed if row.status == RunStatus.CANCELLED]
    skip_dependents(connection, [row.id for row in ended], now)
    return {row.occurrence_id for row in ended}
