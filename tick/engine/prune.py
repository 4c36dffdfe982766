"""Old rows go, in small slices, so that no transaction is long. What still matters stays."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tick.models import job_log, job_run, job_schedule, occurrence, tick_log, worker_instance
from tick.states import LIVE_OUTCOMES, WorkerStatus

SLICE = 1000
OCCURRENCES_AT_ONCE = 50
# Ticks are many, and of interest for days. The audit is never pruned.
TICK_DAYS = 14
_o, _r, _l, _s = occurrence.c, job_run.c, job_log.c, job_schedule.c
_t, _w = tick_log.c, worker_instance.c


def prune_all(engine: sa.Engine, now: datetime, keep_days: int) -> dict[str, int]:
    """Delete what is older than `keep_days`; how many rows of each table went.

    Each schedule's last firing, whatever is not finished, and processes that still beat stay. The
    high-water mark keeps a pruned instant from firing again.
    """
    old = now - timedelta(days=keep_days)
    ticks = now - timedelta(days=min(keep_days, TICK_DAYS))
    gone = _prune_occurrences(engine, old)
    gone["tick_log"] = _delete(engine, tick_log, _t.started_at < ticks)
    ended = _w.status.in_((WorkerStatus.STOPPED, WorkerStatus.DEAD))
    gone["worker_instance"] = _delete(engine, worker_instance, _w.last_heartbeat_at < old, ended)
    return gone


def _prune_occurrences(engine: sa.Engine, old: datetime) -> dict[str, int]:
    """Some occurrences at a time: first their logs, then their runs, then they themselves."""
    last = sa.select(_s.last_occurrence_id).where(_s.last_occurrence_id.is_not(None))
    unwanted = [_o.decided_at < old, _o.outcome.not_in(LIVE_OUTCOMES), _o.id.not_in(last)]
    found = sa.select(_o.id).where(*unwanted).order_by(_o.id).limit(OCCURRENCES_AT_ONCE)
    gone = {"job_log": 0, "job_run": 0, "occurrence": 0}
    while True:
        with engine.connect() as connection:
            ids = connection.execute(found).scalars().all()
        if not ids:
            return gone
        runs = sa.select(_r.id).where(_r.occurrence_id.in_(ids))
        gone["job_log"] += _delete(engine, job_log, _l.run_id.in_(runs))
        gone["job_run"] += _delete(engine, job_run, _r.occurrence_id.in_(ids))
        gone["occurrence"] += _delete(engine, occurrence, _o.id.in_(ids))


def _delete(engine: sa.Engine, table: sa.Table, *which: sa.ColumnElement[Any]) -> int:
    gone = 0
    while True:
        slice_ = sa.select(table.c.id).where(*which).limit(SLICE)
        with engine.begin() as connection:
            removed = connection.execute(sa.delete(table).where(table.c.id.in_(slice_))).rowcount
        gone += removed
        if removed < SLICE:
            return gone
