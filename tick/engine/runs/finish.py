"""The one way a run ends, or goes back to the queue: a batch of endings in two statements.

Occurrences are settled afterwards (`tick.engine.runs.settle`), in a transaction of their own: that
keeps the order of locks (schedule, occurrence, run), and whoever commits last sees all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.runs.dependents import skip_dependents
from tick.engine.runs.expire import DEADLINE_EXCEEDED
from tick.engine.runs.wake_workers import announce_ready
from tick.executors.claimed_run import ClaimedRun
from tick.policy.retry import AttemptEnd, RetryDecision
from tick.states import RunStatus
from tick.store.sql import json_param, json_rows
from tick.store.tables import Instant, job_run

NO_TIME_LEFT = "not tried again: its firing has to have ended by then"
_r = job_run.c
_NOW = sa.bindparam("now", type_=Instant)


@dataclass(frozen=True)
class FinishedAttempt:
    """The end of one claimed run's attempt, and the decision on the run."""

    run: ClaimedRun
    end: AttemptEnd
    verdict: RetryDecision
    began: float | None = None
    """By `time.monotonic`; None if it never began."""


@dataclass(frozen=True)
class FinishResult:
    """The endings that the database took; `stale` ones are of a claim that lost its run."""

    statuses: Mapping[int, RunStatus]
    stale: Sequence[FinishedAttempt]
    occurrences: frozenset[int]
    """To be settled."""


def finish_runs(
    connection: sa.Connection,
    endings: Iterable[FinishedAttempt],
    now: datetime,
    moment: float = 0.0,
) -> FinishResult:
    """End the runs, or put them back, each if its fencing token is still the run's.

    `moment` is what `time.monotonic` says at `now`. A run that is to go back but whose cancellation
    was asked for ends as CANCELLED. What waits for a run that ended without success is skipped.
    """
    # By id, as all who lock runs do: two of them never wait for each other.
    endings = sorted(endings, key=lambda ending: ending.run.run_id)
    if not endings:
        return FinishResult({}, (), frozenset())
    values = {"now": now, "rows": json_param([_row(ending, now, moment) for ending in endings])}
    rows = connection.execute(_finish(connection.dialect.name), values).all()
    statuses = {row.id: RunStatus(row.status) for row in rows}
    if RunStatus.QUEUED in statuses.values():
        announce_ready(connection)
    good = {RunStatus.QUEUED, RunStatus.SUCCESS}
    bad = [run_id for run_id, status in statuses.items() if status not in good]
    skip_dependents(connection, bad, now)
    touched = {row.occurrence_id for row in rows}
    stale = [ending for ending in endings if ending.run.run_id not in statuses]
    # A stale ending may be one that was accepted while the answer got lost: settle it as well.
    touched |= {ending.run.occurrence_id for ending in stale}
    return FinishResult(statuses, stale, frozenset(touched))


def _row(ending: FinishedAttempt, now: datetime, moment: float) -> dict[str, Any]:
    end, verdict, began = ending.end, ending.verdict, ending.began
    back = verdict.status is RunStatus.QUEUED
    row = {
        "id": ending.run.run_id,
        "fencing_token": ending.run.fencing_token,
        "status": verdict.status,
        "available_at": now + timedelta(seconds=verdict.delay_seconds) if back else None,
        "started_at": None if began is None else instant_of(began, now, moment),
        "given_back": int(verdict.gives_attempt_back),
        "reason": verdict.reason,
        "result": end.result,
        "error_type": end.error_type,
        "error_message": end.error_message,
        "error_traceback": end.error_traceback,
    }
    # Omit None values, which most are: a missing JSON key becomes NULL.
    return {name: value for name, value in row.items() if value is not None}


def instant_of(began: float, now: datetime, moment: float) -> datetime:
    """The instant of a `time.monotonic` reading, which says `moment` at `now`."""
    # Never later than `now`: a run that ends before it began has no length.
    return now - timedelta(seconds=max(0.0, moment - began))


@cache
def _finish(dialect: str) -> sa.UpdateBase:
    given_back = sa.column("given_back", sa.Integer)
    state = (_r.id, _r.fencing_token, _r.status, _r.available_at, _r.started_at, given_back)
    said = (_r.reason, _r.result, _r.error_type, _r.error_message, _r.error_traceback)
    e = json_rows(dialect, "rows", [*state, *said], "ending").c
    goes_back = e.status == RunStatus.QUEUED
    cancelled = sa.and_(goes_back, _r.cancel_requested_at.is_not(None))
    # It would begin when its whole firing has to have ended.
    too_late = sa.and_(goes_back, ~cancelled, e.available_at >= _r.firing_deadline_at)
    back = sa.and_(goes_back, sa.func.coalesce(~too_late, sa.true()))
    # Whoever asked for the cancellation has left the reason in the row.
    ends_cancelled = sa.or_(cancelled, e.status == RunStatus.CANCELLED)
    succeeded = sa.and_(e.status == RunStatus.SUCCESS, _r.progress.is_not(None))
    return (
        sa.update(job_run)
        .where(_r.id == e.id, _r.fencing_token == e.fencing_token, _r.status == RunStatus.RUNNING)
        .values(
            status=sa.case(
                (cancelled, RunStatus.CANCELLED), (too_late, RunStatus.FAILED), else_=e.status
            ),
            finished_at=sa.case((sa.and_(back, ~cancelled), None), else_=_NOW),
            available_at=sa.case(
                (too_late, _r.available_at),
                else_=sa.func.coalesce(e.available_at, _r.available_at),
            ),
            # A run that was claimed ahead may end before its beginning was written.
            started_at=sa.func.coalesce(e.started_at, _r.started_at),
            attempt=_r.attempt - e.given_back,
            progress=sa.case((succeeded, 1.0), else_=_r.progress),
            deadline_at=sa.null(),
            reason=sa.case(
                (ends_cancelled, sa.func.coalesce(_r.reason, e.reason)),
                (too_late, sa.literal(NO_TIME_LEFT)),
                else_=e.reason,
            ),
            result=e.result,
            error_type=sa.func.coalesce(e.error_type, sa.case((too_late, DEADLINE_EXCEEDED))),
            error_message=sa.func.coalesce(e.error_message, sa.case((too_late, NO_TIME_LEFT))),
            error_traceback=e.error_traceback,
        )
        .returning(_r.id, _r.status, _r.occurrence_id)
    )
