"""Retries and cancels many runs: bounded, one entry in the audit, a reason for each refusal."""

from collections.abc import Collection

import sqlalchemy as sa
from pydantic import Field

from tick.define.registry import Registry
from tick.errors import Refused
from tick.ops.act import Act, Change, action
from tick.ops.actions.cancellation import cancel_all, settle
from tick.ops.actions.retries import OccurrenceRetry
from tick.ops.schemas import Schema
from tick.states import UNFINISHED_RUNS
from tick.store.database import Database
from tick.store.tables import job_run

MOST_IN_BATCH = 1000
_CANCELLED_AT_ONCE = 100  # in one transaction, for whose locks workers wait
_r = job_run.c


class BatchDone(Schema):
    """What became of many runs: those it was done to, and why not to the others, by id."""

    done: tuple[int, ...] = Field(description="of a retry, with what was skipped because of them")
    refused: dict[int, str]


def retry_runs(
    database: Database,
    act: Act,
    run_ids: Collection[int],
    registry: Registry,
    *,
    override_overlap: bool = False,
    only: bool = False,
) -> BatchDone:
    """Put runs back into the queue, each as `retries.retry_run` would.

    `done` holds what went back with them as well. Raises Refused for none and for too many.
    """
    # First of all: a batch is many transactions, and one that is cut short must not have changed
    # anything that the audit does not know.
    _record_retry(database, act, run_ids)
    done: list[int] = []
    refused: dict[int, str] = {}
    for occurrence_id, ids in _by_occurrence(database, run_ids).items():
        # Together, since a run and what it waits for may both be among them.
        with database.write.begin() as connection:
            retry = OccurrenceRetry(connection, act, occurrence_id, registry, override_overlap)
            went = _retry_each(retry, ids, only, refused)
            if went:
                retry.revive()
        done += sorted(went)
    return BatchDone(done=tuple(done), refused=refused)


def _retry_each(
    retry: OccurrenceRetry, ids: Collection[int], only: bool, refused: dict[int, str]
) -> set[int]:
    """Put back the runs that may go; return them and what went with them."""
    done: set[int] = set()
    for run_id in ids:
        if run_id in done:  # it went along with one before
            continue
        try:
            went = retry.put_back(run_id, only=only)
        except Refused as refusal:
            refused[run_id] = str(refusal)
            continue
        if not went:
            refused[run_id] = f"Run {run_id} has not ended."
        done.update(went)
    return done


def cancel_runs(database: Database, act: Act, run_ids: Collection[int]) -> BatchDone:
    """Cancel runs: at once those that are queued, by asking those that run.

    Raises Refused for none and for too many.
    """
    _record_cancel(database, act, run_ids)
    done: list[int] = []
    refused: dict[int, str] = {}
    ordered = sorted(run_ids)
    for first in range(0, len(ordered), _CANCELLED_AT_ONCE):
        ids = ordered[first : first + _CANCELLED_AT_ONCE]
        with database.write.begin() as connection:
            live = sorted(connection.execute(_LIVE, {"ids": ids}).scalars())
            touched = cancel_all(connection, act, live)
        settle(database, act, touched)
        done += live
        refused |= {
            number: f"Run {number} has ended, or is not there." for number in set(ids) - set(live)
        }
    return BatchDone(done=tuple(done), refused=refused)


_LIVE = sa.select(_r.id).where(
    _r.id.in_(sa.bindparam("ids", expanding=True)), _r.status.in_(UNFINISHED_RUNS)
)


def _by_occurrence(database: Database, run_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the runs that exist, in order, by their occurrence."""
    found: dict[int, list[int]] = {}
    query = sa.select(_r.occurrence_id, _r.id).where(_r.id.in_(run_ids)).order_by(_r.id)
    with database.read.connect() as connection:
        for occurrence_id, run_id in connection.execute(query):
            found.setdefault(occurrence_id, []).append(run_id)
    return found


def _record(change: Change, run_ids: Collection[int]) -> None:
    if not 0 < len(run_ids) <= MOST_IN_BATCH:
        raise Refused(f"Choose 1 to {MOST_IN_BATCH} runs at a time; these are {len(run_ids)}.")
    change.record(subject=f"{len(run_ids)} runs", after={"runs": sorted(run_ids)})


_record_retry = action("runs.retry", subject="runs")(_record)
_record_cancel = action("runs.cancel", subject="runs")(_record)
