"""Brings to an end the runs that dead processes and removed definitions left behind.

Death is found by missing heartbeats, never by the age of a run. Called by each tick and now and
then by the workers; every step is a guarded update, so several at once do no harm. Afterwards, in
a transaction of its own, `settle.settle_forgotten` closes the occurrences that this brought to
their end.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.engine.runs.dependents import skip_dependents, skip_forgotten
from tick.engine.runs.expire import IS_ANY_OVERDUE
from tick.engine.runs.wake_workers import announce_ready
from tick.states import LIVING_WORKERS, RunStatus, WorkerStatus, WorkerType
from tick.store.sql import literal_state
from tick.store.tables import Instant, job_run, worker_instance

# A run that takes its worker down each time it is tried must not do so for ever.
MAX_RESCUES = 3
ABANDONED = "Abandoned"
_r, _w = job_run.c, worker_instance.c
_NOW = sa.bindparam("now", type_=Instant)


@dataclass(frozen=True)
class Rescued:
    """The result of one rescue: ids of processes declared dead, and their runs, counted."""

    workers: tuple[str, ...] = ()
    queued: int = 0
    abandoned: int = 0

    @property
    def runs(self) -> int:
        """All runs that were taken back."""
        return self.queued + self.abandoned


def rescue_dead_workers(connection: sa.Connection, now: datetime, dead_after: timedelta) -> Rescued:
    """Declare silent processes dead, and take back every run whose worker does not live.

    Runs of idempotent jobs go back to the queue, up to MAX_RESCUES times; others end FAILED.
    Either way the token of the claim that they had is void.
    """
    silent = {"now": now, "before": now - dead_after}
    dead = connection.execute(_DECLARE_DEAD, silent).scalars().all()
    rows = connection.execute(_TAKE_BACK, {"now": now}).all()
    queued = sum(row.status == RunStatus.QUEUED for row in rows)
    if queued:
        announce_ready(connection)
    skip_forgotten(connection, now)
    return Rescued(tuple(dead), queued, len(rows) - queued)


def cancel_orphans(
    connection: sa.Connection, now: datetime, after: timedelta, jobs: Collection[str]
) -> int:
    """Cancel runs that are due for so long while neither `jobs` nor a worker has them; how many."""
    before = now - after
    waiting = connection.execute(_WAITING, {"before": before}).scalars().all()
    if not waiting:
        return 0
    unknown = set(waiting) - set(jobs) - _known_to_workers(connection)
    values = {"now": now, "before": before, "names": sorted(unknown)}
    ids = connection.execute(_CANCEL_ORPHANS, values).scalars().all()
    skip_dependents(connection, ids, now)
    return len(ids)


def _known_to_workers(connection: sa.Connection) -> set[str]:
    rows = connection.execute(_ABILITIES).scalars()
    return {name for abilities in rows for name in abilities.get("jobs", ())}


def _is_silent() -> list[sa.ColumnElement[bool]]:
    return [
        _w.status.in_(LIVING_WORKERS),
        _w.last_heartbeat_at < sa.bindparam("before", type_=Instant),
    ]


def _is_lost() -> list[sa.ColumnElement[bool]]:
    lives = sa.exists().where(_w.id == _r.worker_id, _w.status.in_(LIVING_WORKERS))
    return [literal_state(_r.status, RunStatus.RUNNING), ~lives.correlate(job_run)]


def _build_declare_dead() -> sa.UpdateBase:
    # A row that is locked is passed over: its worker may be frozen in the middle of a beat.
    free = sa.select(_w.id).where(*_is_silent()).with_for_update(skip_locked=True, key_share=True)
    return (
        sa.update(worker_instance)
        .where(_w.id.in_(sa.select(free.cte("silent").c.id)))
        .values(status=WorkerStatus.DEAD, stopped_at=_NOW)
        .returning(_w.id)
    )


def _build_take_back() -> sa.UpdateBase:
    lost = sa.select(_r.id).where(*_is_lost()).order_by(_r.id)
    # A run that changed after the look is judged anew as it is locked, and is lost until the end.
    # One that is locked is being ended by its worker, or rescued by somebody else.
    taken = lost.with_for_update(skip_locked=True, key_share=True).cte("lost")
    # Nothing begins once the deadline of its firing is over.
    in_time = sa.or_(_r.firing_deadline_at.is_(None), _r.firing_deadline_at > _NOW)
    again = sa.and_(_r.idempotent, _r.rescues < MAX_RESCUES, in_time)
    cancelled = _r.cancel_requested_at.is_not(None)
    back = sa.and_(again, ~cancelled)
    failed = ~sa.or_(again, cancelled)
    worker = sa.func.coalesce(_r.worker_id, "?")
    said = sa.literal("abandoned: worker ") + worker + " stopped beating"
    return (
        sa.update(job_run)
        .where(_r.id.in_(sa.select(taken.c.id)))
        .values(
            status=sa.case(
                (cancelled, RunStatus.CANCELLED), (again, RunStatus.QUEUED), else_=RunStatus.FAILED
            ),
            # A worker that was frozen, not dead, finds its claims void when it comes back.
            fencing_token=_r.fencing_token + 1,
            rescues=_r.rescues + 1,
            # The death of a worker is no failure of the job: the attempt is given back.
            attempt=sa.case((back, _r.attempt - 1), else_=_r.attempt),
            available_at=sa.case((back, _NOW), else_=_r.available_at),
            finished_at=sa.case((back, None), else_=_NOW),
            deadline_at=None,
            reason=said,
            error_type=sa.case((failed, ABANDONED)),
            error_message=sa.case((failed, said)),
        )
        .returning(_r.id, _r.status)
    )


def _waiting_too_long() -> list[sa.ColumnElement[bool]]:
    return [
        literal_state(_r.status, RunStatus.QUEUED),
        _r.available_at < sa.bindparam("before", type_=Instant),
    ]


# A process is silent, or a run has lost its worker, or outlives the deadline of its firing.
IS_ANYTHING_LOST = sa.or_(
    sa.exists().where(*_is_silent()).select_from(worker_instance),
    sa.exists().where(*_is_lost()).select_from(job_run),
    IS_ANY_OVERDUE,
)
_DECLARE_DEAD = _build_declare_dead()
_TAKE_BACK = _build_take_back()
_WAITING = sa.select(_r.job_name).distinct().where(*_waiting_too_long())
_ABILITIES: sa.Select[Any] = sa.select(_w.abilities).where(
    _w.status.in_(LIVING_WORKERS), _w.worker_type == WorkerType.JOB_WORKER
)
_CANCEL_ORPHANS = (
    sa.update(job_run)
    .where(*_waiting_too_long(), _r.job_name.in_(sa.bindparam("names", expanding=True)))
    .values(
        status=RunStatus.CANCELLED,
        finished_at=_NOW,
        reason="the job is no longer in the definitions",
    )
    .returning(_r.id)
)
