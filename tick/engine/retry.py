"""Runs that ended badly go back to the queue, because a person says so.

Their attempts go on being numbered, with a fresh budget of them. Their occurrence lives again, and
comes to an outcome anew when they have ended.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.db import AnyRow
from tick.engine.counting import count_beside, count_occurrences
from tick.engine.ready import announce_ready
from tick.engine.settle import settle_occurrences
from tick.errors import Busy, NotFound, Refused
from tick.models import job_run, job_run_dependency, job_schedule, occurrence
from tick.states import ENDED_OUTCOMES, UNFINISHED_RUNS, OccurrenceKind, Outcome, RunStatus

RETRYABLE = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.SKIPPED)
_r, _d, _o, _s = job_run.c, job_run_dependency.c, occurrence.c, job_schedule.c


def lock_occurrence(connection: sa.Connection, occurrence_id: int) -> sa.Row[Any]:
    """The occurrence as it stands, locked after its schedule, as everybody does it on PostgreSQL.

    Raises NotFound.
    """
    mine = _o.id == occurrence_id
    schedule = sa.select(_o.schedule_id).where(mine).scalar_subquery()
    connection.execute(sa.select(_s.id).where(_s.id == schedule).with_for_update(key_share=True))
    row = connection.execute(
        sa.select(occurrence).where(mine).with_for_update(key_share=True)
    ).first()
    if row is None:
        raise NotFound(
            f"There is no occurrence {occurrence_id}; `tick runs` lists the latest runs."
        )
    return row


def blocked_by(connection: sa.Connection, run_id: int) -> AnyRow | None:
    """The job and status of a run that this one waits for in vain, if there is one."""
    upstream = job_run.alias("upstream").c
    return connection.execute(
        sa.select(upstream.job_name, upstream.status)
        .where(
            _d.run_id == run_id,
            ~_d.tolerant,
            upstream.id == _d.depends_on_id,
            upstream.status.in_(RETRYABLE),
        )
        .order_by(upstream.id)
    ).first()


def requeue(
    connection: sa.Connection,
    run_ids: Collection[int],
    budgets: Mapping[str, int],
    *,
    now: datetime,
    reason: str,
) -> list[int]:
    """Put the runs back that ended badly; their ids. `budgets`: attempts by name of the job.

    Lock their occurrence first, and call `revive` afterwards. Raises Busy when one is unique and
    another run of its job is unfinished; Refused when that came up at this moment.
    """
    _check_unique(connection, run_ids)
    announce_ready(connection)
    count_beside(connection, run_ids)
    budget = sa.case(dict(budgets), value=_r.job_name, else_=1) if budgets else 1
    put_back = (
        sa.update(job_run)
        .where(_r.id.in_(sorted(run_ids)), _r.status.in_(RETRYABLE))
        .values(
            status=RunStatus.QUEUED,
            max_attempts=_r.attempt + budget,
            rescues=0,
            available_at=now,
            cancel_requested_at=None,
            finished_at=None,
            counted=False,
            progress=None,
            progress_text=None,
            reason=reason,
        )
        .returning(_r.id)
    )
    try:
        return sorted(connection.execute(put_back).scalars())
    except sa.exc.IntegrityError:
        raise Refused("Another run of a unique job has just been queued; look again.") from None


def _check_unique(connection: sa.Connection, run_ids: Collection[int]) -> None:
    other = job_run.alias("other").c
    clash = connection.execute(
        sa.select(_r.id, _r.job_name, other.id.label("other_id"), other.status)
        .where(
            _r.id.in_(sorted(run_ids)),
            _r.status.in_(RETRYABLE),
            other.job_name == _r.job_name,
            other.unique_key == _r.unique_key,
            other.status.in_(UNFINISHED_RUNS),
        )
        .limit(1)
    ).first()
    if clash is not None:
        raise Busy(
            f"Run {clash.id} ({clash.job_name}) is unique, and run {clash.other_id} of the same "
            f"job is {clash.status}. Wait for it to end or cancel it, then retry.",
            run_id=clash.other_id,
        )


def revive(connection: sa.Connection, was: sa.Row[Any], now: datetime) -> None:
    """Let the locked occurrence live again, and its failure count no more."""
    count_occurrences(connection, [was.id])
    if was.outcome == Outcome.FAILED and was.kind != OccurrenceKind.MANUAL:
        connection.execute(
            sa.update(job_schedule)
            .where(_s.id == was.schedule_id)
            .values(
                failure_count=_one_less(_s.failure_count),
                consecutive_failures=_one_less(_s.consecutive_failures),
            )
        )
    connection.execute(
        sa.update(occurrence)
        .where(_o.id == was.id, _o.outcome == was.outcome, _o.outcome.in_(ENDED_OUTCOMES))
        .values(outcome=Outcome.RUNNING, counted=False)
    )
    settle_occurrences(connection, [was.id], now)


def _one_less(count: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.case((count > 0, count - 1), else_=0)
