"""Cancels runs: queued ones at once, running ones by asking them to stop."""

from collections.abc import Collection

import sqlalchemy as sa

from tick.engine.runs import cancel
from tick.engine.runs.settle import settle_occurrences
from tick.engine.runs.wake_workers import announce_ready
from tick.errors import NotFound, Refused
from tick.ops.act import Act, Change, action
from tick.ops.queries.occurrences import get_occurrence
from tick.states import UNFINISHED_RUNS, RunStatus
from tick.store.database import Database
from tick.store.tables import job_run

_r = job_run.c


def cancel_run(database: Database, act: Act, run_id: int) -> None:
    """Cancel a run: at once if it is queued, by asking if it runs. Raises NotFound, Refused."""
    settle(database, act, _cancel_run(database, act, run_id))


def cancel_occurrence(database: Database, act: Act, occurrence_id: int) -> int:
    """Cancel every unfinished run of an occurrence; return how many. Raises NotFound, Refused."""
    touched, number = _cancel_occurrence(database, act, occurrence_id)
    settle(database, act, touched)
    return number


@action("run.cancel")
def _cancel_run(change: Change, run_id: int) -> Collection[int]:
    row = change.connection.execute(
        sa.select(_r.status, _r.job_name).where(_r.id == run_id)
    ).first()
    if row is None:
        raise NotFound(f"There is no run {run_id}; `tick runs` lists the latest.")
    if row.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
        raise Refused(f"Run {run_id} ({row.job_name}) has ended as {row.status} already.")
    touched = cancel_all(change.connection, change.act, [run_id])
    change.record(before={"status": row.status})
    return touched


@action("occurrence.cancel")
def _cancel_occurrence(change: Change, occurrence_id: int) -> tuple[Collection[int], int]:
    was = get_occurrence(change.connection, occurrence_id)
    if not was.is_live:
        raise Refused(f"Occurrence {occurrence_id} has ended as {was.outcome} already.")
    unfinished = sa.select(_r.id).where(
        _r.occurrence_id == occurrence_id, _r.status.in_(UNFINISHED_RUNS)
    )
    ids = list(change.connection.execute(unfinished).scalars())
    touched = cancel_all(change.connection, change.act, ids)
    change.record(before={"state": was.outcome}, after={"runs": len(ids)})
    return touched, len(ids)


def cancel_all(connection: sa.Connection, act: Act, ids: Collection[int]) -> Collection[int]:
    """Cancel the runs, with author and reason in each; return the occurrences to settle."""
    return cancel.cancel_runs(
        connection, ids, now=act.now, reason=act.author.did("cancelled", act.reason)
    )


def settle(database: Database, act: Act, occurrence_ids: Collection[int]) -> None:
    """Settle the occurrences of cancelled runs, in a transaction of its own."""
    # After the ends are committed, as everywhere: locks are taken in one order.
    with database.write.begin() as connection:
        settle_occurrences(connection, occurrence_ids, act.now)
        announce_ready(connection)
