"""How an attempt ended stays in the log of its run: the run's own row tells of the last alone."""

from collections.abc import Collection

import sqlalchemy as sa

from tick.states import LogLevel, RunStatus
from tick.store.sql import batches
from tick.store.tables import job_log, job_run

_r, _l = job_run.c, job_log.c
ENDED = "ended"
"""The field of the line with the state; it is the last line of its attempt."""
_MOST_TEXT = 500


def note_ends(connection: sa.Connection, run_ids: Collection[int]) -> None:
    """Write a line for each of the runs that ended after an attempt, before it goes back."""
    for part in batches(run_ids):
        connection.execute(_NOTE, {"ids": part})


def _build_note() -> sa.Insert:
    cancelled = _r.status == RunStatus.CANCELLED
    error = sa.func.coalesce(_r.error_type + ": ", "") + sa.func.coalesce(_r.error_message, "")
    said = sa.case((cancelled, _r.reason), (_r.error_type.is_not(None), error), else_=_r.reason)
    ended = [
        sa.literal({ENDED: status.value}, _l.fields.type)
        for status in (RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.SKIPPED)
    ]
    rows = sa.select(
        _r.id,
        _r.attempt,
        _r.finished_at,
        sa.literal(LogLevel.WARNING.value),
        sa.func.substr(sa.func.coalesce(said, "no reason is known"), 1, _MOST_TEXT),
        sa.case((cancelled, ended[0]), (_r.status == RunStatus.FAILED, ended[1]), else_=ended[2]),
    ).where(
        _r.id.in_(sa.bindparam("ids", expanding=True)),
        _r.attempt > 0,
        _r.finished_at.is_not(None),
        _r.status.in_((RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.SKIPPED)),
    )
    columns = ["run_id", "attempt", "at", "level", "message", "fields"]
    return sa.insert(job_log).from_select(columns, rows.order_by(_r.id))


_NOTE = _build_note()
