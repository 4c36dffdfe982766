"""The queues, as people see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.engine.queues import paused_queues
from tick.models import job_run
from tick.states import RunStatus

_r = job_run.c


@dataclass(frozen=True)
class QueueRow:
    """One queue that has something to do, a limit, or a pause."""

    name: str
    queued: int
    running: int
    limit: int | None
    paused_since: datetime | None
    paused_by: str | None
    paused_reason: str | None


def list_queues(connection: sa.Connection, limits: Mapping[str, int]) -> list[QueueRow]:
    """All such queues by name. `limits`: the most runs at one time, by queue."""
    counts = {(row.queue, row.status): row.runs for row in connection.execute(_COUNTS)}
    paused = paused_queues(connection)
    names = {queue for queue, _ in counts} | paused.keys() | limits.keys()
    return [
        QueueRow(
            name=name,
            queued=counts.get((name, RunStatus.QUEUED), 0),
            running=counts.get((name, RunStatus.RUNNING), 0),
            limit=limits.get(name),
            paused_since=paused[name].since if name in paused else None,
            paused_by=paused[name].by if name in paused else None,
            paused_reason=paused[name].reason if name in paused else None,
        )
        for name in sorted(names)
    ]


def _count(status: RunStatus) -> sa.Select[tuple[str, str, int]]:
    return (
        sa.select(_r.queue, sa.literal(status.value).label("status"), sa.func.count().label("runs"))
        # A literal, so that the partial index serves.
        .where(sa.text(f"job_run.status = '{status}'"))
        .group_by(_r.queue)
    )


_COUNTS = sa.union_all(_count(RunStatus.QUEUED), _count(RunStatus.RUNNING))
