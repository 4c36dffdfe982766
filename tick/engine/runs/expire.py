"""Ends the runs of firings whose deadline is over, whoever holds them, or nobody.

A worker ends its own runs in time, as it does at a timeout, and claims none that is too late. This
ends what waits in the queue, and asks for the end of what a worker overlooked: one of an older
release, say. Every step is a guarded update, so that several at once do no harm.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.engine.runs.cancel import cancel_runs
from tick.states import RunStatus
from tick.store.sql import literal_state
from tick.store.tables import IS_BOUNDED, Instant, job_run

DEADLINE_EXCEEDED = "DeadlineExceeded"
"""The type of the error of a run that its firing's deadline ended."""
OVER = "the deadline of its firing was over"
# For the worker's own end of a run, which kills at the deadline and tells what the job printed.
WORKERS_OWN = timedelta(seconds=15)
_MOST_AT_ONCE = 500
_r = job_run.c


def end_overdue(connection: sa.Connection, now: datetime) -> int:
    """Cancel what is queued past its firing's deadline, and what runs long past it; how many.

    Their occurrences are settled afterwards, in a transaction of its own.
    """
    overdue = connection.execute(_OVERDUE, overdue_values(now)).scalars().all()
    if overdue:
        cancel_runs(connection, overdue, now=now, reason=OVER)
    return len(overdue)


def overdue_values(now: datetime) -> dict[str, datetime]:
    """The parameters of IS_ANY_OVERDUE."""
    return {"over": now, "long_over": now - WORKERS_OWN}


def _is_overdue() -> list[Any]:
    over, long_over = (sa.bindparam(name, type_=Instant) for name in ("over", "long_over"))
    queued = sa.and_(literal_state(_r.status, RunStatus.QUEUED), _r.firing_deadline_at <= over)
    running = literal_state(_r.status, RunStatus.RUNNING)
    overlooked = sa.and_(running, _r.firing_deadline_at <= long_over)
    # The first two let the index of these few be used.
    return [
        sa.text(IS_BOUNDED),
        _r.firing_deadline_at <= over,
        _r.cancel_requested_at.is_(None),
        sa.or_(queued, overlooked),
    ]


IS_ANY_OVERDUE = sa.exists().where(*_is_overdue()).select_from(job_run)
_OVERDUE = sa.select(_r.id).where(*_is_overdue()).order_by(_r.id).limit(_MOST_AT_ONCE)
