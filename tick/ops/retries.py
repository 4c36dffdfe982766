"""Running again what ended badly, inside the same occurrence. Pressed twice, it happens once."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.db import Database
from tick.define.registry import Registry
from tick.engine import audit, lifecycle
from tick.engine.audit import Author
from tick.engine.retry import RETRYABLE, blocked_by, lock_occurrence, requeue, revive
from tick.errors import Busy, NotFound, Refused
from tick.models import job_run, occurrence
from tick.states import LIVE_OUTCOMES, OverlapPolicy, RunStatus

_o, _r = occurrence.c, job_run.c
_BAD = (RunStatus.FAILED, RunStatus.CANCELLED)


def retry_run(
    database: Database,
    registry: Registry,
    run_id: int,
    *,
    now: datetime,
    author: Author,
    reason: str | None = None,
    override_overlap: bool = False,
) -> bool:
    """Put one run back into the queue; False when it is there or runs already.

    What was skipped because of it stays so: see `retry_occurrence`. Raises NotFound; Refused when
    it succeeded, waits for a run that ended badly, or its schedule runs another occurrence.
    """
    with database.write.begin() as connection:
        where = sa.select(_r.occurrence_id).where(_r.id == run_id)
        if (occurrence_id := connection.execute(where).scalar()) is None:
            raise NotFound(f"There is no run {run_id}; `tick runs` lists the latest.")
        was = lock_occurrence(connection, occurrence_id)
        before = put_back(
            connection,
            registry,
            was,
            run_id,
            now=now,
            author=author,
            reason=reason,
            override_overlap=override_overlap,
        )
        if before is None:
            return False
        _record(connection, "run.retry", run_id, before, [run_id], now, author, reason)
    return True


def put_back(
    connection: sa.Connection,
    registry: Registry,
    was: sa.Row[Any],
    run_id: int,
    *,
    now: datetime,
    author: Author,
    reason: str | None,
    override_overlap: bool,
) -> str | None:
    """Put one run of the locked occurrence back; its status before, or None if it has not ended.

    The step inside `retry_run`, without its entry in the audit. Raises Refused as it does.
    """
    run = connection.execute(sa.select(job_run).where(_r.id == run_id)).one()
    if run.status == RunStatus.SUCCESS:
        raise Refused(
            f"Run {run_id} ({run.job_name}) succeeded; `tick run --job {run.job_name}` runs "
            "the job anew."
        )
    if run.status not in RETRYABLE:
        return None
    if upstream := blocked_by(connection, run_id):
        raise Refused(
            f"Run {run_id} waits for {upstream.job_name}, which ended as {upstream.status}; "
            f"`tick retry --occurrence {was.id}` runs both again."
        )
    if not override_overlap:
        _check_overlap(connection, was)
    _retry(connection, registry, was, [run], now, author.did("put back", reason))
    return str(run.status)


def retry_occurrence(
    database: Database,
    registry: Registry,
    occurrence_id: int,
    *,
    now: datetime,
    author: Author,
    reason: str | None = None,
    override_overlap: bool = False,
) -> list[int]:
    """Put back what failed or was cancelled, and what was skipped; the ids of these runs.

    None when they are in the queue or run already. Raises NotFound; Refused when nothing ended
    badly, or its schedule runs another occurrence.
    """
    with database.write.begin() as connection:
        was = lock_occurrence(connection, occurrence_id)
        runs = _runs_of(connection, occurrence_id)
        if not any(run.status in _BAD for run in runs):
            if was.outcome in LIVE_OUTCOMES:
                return []
            raise Refused(f"Nothing in occurrence {occurrence_id} failed or was cancelled.")
        if not override_overlap:
            _check_overlap(connection, was)
        again = [run for run in runs if run.status in RETRYABLE]
        ids = _retry(connection, registry, was, again, now, author.did("put back", reason))
        _record(
            connection, "occurrence.retry", occurrence_id, was.outcome, ids, now, author, reason
        )
    return ids


def _runs_of(connection: sa.Connection, occurrence_id: int) -> Collection[sa.Row[Any]]:
    mine = sa.select(job_run).where(_r.occurrence_id == occurrence_id).order_by(_r.id)
    return connection.execute(mine).all()


def _check_overlap(connection: sa.Connection, was: sa.Row[Any]) -> None:
    """Raises Busy when the schedule runs another occurrence and may not run two."""
    if was.schedule_id is None:
        return
    known = lifecycle.find_schedule(connection, was.schedule_id)
    other = connection.execute(
        sa.select(sa.func.min(_o.id)).where(
            _o.schedule_id == was.schedule_id, _o.outcome.in_(LIVE_OUTCOMES), _o.id != was.id
        )
    ).scalar()
    if other is not None and known.rule.overlap is not OverlapPolicy.ALLOW:
        raise Busy(
            f"{known.row.name} is still running (occurrence {other}). Wait for it to finish, "
            "cancel it, or retry with the overlap overridden.",
            occurrence_id=other,
        )


def _retry(
    connection: sa.Connection,
    registry: Registry,
    was: sa.Row[Any],
    runs: Collection[sa.Row[Any]],
    now: datetime,
    said: str,
) -> list[int]:
    names = {run.job_name for run in runs} & registry.jobs.keys()
    budgets = {name: registry.jobs[name].max_attempts for name in names}
    ids = requeue(connection, [run.id for run in runs], budgets, now=now, reason=said)
    revive(connection, was, now)
    return ids


def _record(
    connection: sa.Connection,
    action: str,
    subject: int,
    before: str,
    runs: list[int],
    now: datetime,
    author: Author,
    reason: str | None,
) -> None:
    audit.record(
        connection,
        at=now,
        author=author,
        action=action,
        subject=str(subject),
        before={"state": before},
        after={"runs": runs},
        reason=reason,
    )
