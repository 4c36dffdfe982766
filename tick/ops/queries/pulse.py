"""Whether the system lives: its ticks, its workers and what they have to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa

from tick.models import job_run, tick_log, worker_instance
from tick.policy.missed import usual_tick_seconds
from tick.states import WorkerType

_t, _w, _r = tick_log.c, worker_instance.c, job_run.c
COUNT_UP_TO = 1000
_TICKS_LEARNED_FROM = 20
_LATE_AFTER_INTERVALS = 3


@dataclass(frozen=True)
class Pulse:
    """The strip on top of the pages. Counts stop at COUNT_UP_TO + 1: more is not worth a scan."""

    last_tick_at: datetime | None
    last_tick_source: str | None
    last_tick_error: str | None
    usual_seconds: float
    workers: int
    running: int
    queued: int

    def ticks_are_late(self, now: datetime) -> bool:
        """Whether the last tick is older than three of the usual intervals between ticks."""
        if self.last_tick_at is None:
            return False
        age = (now - self.last_tick_at).total_seconds()
        return age > _LATE_AFTER_INTERVALS * self.usual_seconds


def take_pulse(connection: sa.Connection, now: datetime, dead_after_seconds: float) -> Pulse:
    """How the system does; two statements."""
    ticks = connection.execute(_LAST_TICKS).all()
    last = ticks[0] if ticks else None
    gaps = [
        (newer.started_at - older.started_at).total_seconds() for newer, older in pairwise(ticks)
    ]
    alive_since = now - timedelta(seconds=dead_after_seconds)
    counts = connection.execute(_COUNTS, {"alive_since": alive_since}).one()
    return Pulse(
        last_tick_at=last.started_at if last else None,
        last_tick_source=last.source if last else None,
        last_tick_error=last.error if last else None,
        usual_seconds=usual_tick_seconds(gaps),
        **counts._mapping,
    )


def _bounded_count(query: sa.Select[int], label: str) -> sa.Label[int]:
    rows = query.limit(COUNT_UP_TO + 1).subquery()
    return sa.select(sa.func.count()).select_from(rows).scalar_subquery().label(label)


_LAST_TICKS = (
    sa.select(_t.started_at, _t.source, _t.error)
    .order_by(_t.started_at.desc())
    .limit(_TICKS_LEARNED_FROM)
)
# The statuses are literals, so that the partial indexes serve.
_COUNTS = sa.select(
    _bounded_count(
        sa.select(sa.literal(1)).where(
            _w.worker_type == WorkerType.JOB_WORKER.value,
            sa.text("worker_instance.status IN ('RUNNING', 'DRAINING')"),
            _w.last_heartbeat_at >= sa.bindparam("alive_since"),
        ),
        "workers",
    ),
    _bounded_count(
        sa.select(sa.literal(1)).where(sa.text("job_run.status = 'RUNNING'")).select_from(job_run),
        "running",
    ),
    _bounded_count(
        sa.select(sa.literal(1)).where(sa.text("job_run.status = 'QUEUED'")).select_from(job_run),
        "queued",
    ),
)
