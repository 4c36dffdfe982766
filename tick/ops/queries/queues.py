"""The queues, as people see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.engine.runs.queues import paused_queues
from tick.ops.queries.revisions import revision_of
from tick.states import RunStatus
from tick.store.sql import literal_state
from tick.store.tables import job_run

_r = job_run.c
COUNT_UP_TO = 10_000


@dataclass(frozen=True)
class QueueRow:
    """A queue that has something to do, a limit, or a pause. Counts stop at COUNT_UP_TO in all."""

    name: str
    queued: int
    running: int
    limit: int | None
    paused_since: datetime | None
    paused_by: str | None
    paused_reason: str | None

    @property
    def revision(self) -> str:
        """Changes when somebody pauses or resumes it."""
        return revision_of(self.paused_since, self.paused_by, self.paused_reason)


def list_queues(connection: sa.Connection, limits: Mapping[str, int]) -> list[QueueRow]:
    """All such queues by name; two statements. `limits`: the most runs at one time, by queue."""
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


def _some(status: RunStatus) -> sa.Select[tuple[str, str]]:
    query = sa.select(_r.queue, _r.status).where(literal_state(_r.status, status))
    return sa.select(query.limit(COUNT_UP_TO).subquery())


_UNFINISHED = sa.union_all(_some(RunStatus.QUEUED), _some(RunStatus.RUNNING)).subquery()
_COUNTS = sa.select(
    _UNFINISHED.c.queue, _UNFINISHED.c.status, sa.func.count().label("runs")
).group_by(_UNFINISHED.c.queue, _UNFINISHED.c.status)
