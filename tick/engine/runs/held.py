"""What a worker holds according to the database, and which of it is to be cancelled."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tick.engine.runs.claim import CLAIMED_COLUMNS, as_claimed_run
from tick.executors.claimed_run import ClaimedRun
from tick.states import RunStatus
from tick.store.sql import literal_state
from tick.store.tables import job_run

_r = job_run.c


@dataclass(frozen=True)
class HeldRun:
    """A run that is RUNNING in the worker's name."""

    run: ClaimedRun
    has_started: bool
    cancel_requested: bool


def held_runs(connection: sa.Connection, worker_id: str) -> list[HeldRun]:
    """Every run that the worker holds."""
    rows = connection.execute(_HELD, {"worker": worker_id})
    return [
        HeldRun(
            as_claimed_run(row),
            has_started=row.started_at is not None,
            cancel_requested=row.cancel_requested_at is not None,
        )
        for row in rows
    ]


_HELD: sa.Select[Any] = sa.select(*CLAIMED_COLUMNS, _r.started_at, _r.cancel_requested_at).where(
    _r.worker_id == sa.bindparam("worker"), literal_state(_r.status, RunStatus.RUNNING)
)
