"""The queues, with their runs, limits and pauses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.engine.runs.queues import QueuePause, paused_queues
from tick.ops.queries.revisions import revision_of
from tick.ops.schemas import Schema
from tick.states import RunStatus
from tick.store.sql import literal_state
from tick.store.tables import job_run

_r = job_run.c
COUNT_UP_TO = 10_000


class Queue(Schema):
    """A queue that has something to do, a limit, or a pause."""

    name: str
    queued: int
    running: int
    limit: int | None = Field(description="the most runs at one time")
    paused_since: datetime | None
    paused_by: str | None
    paused_reason: str | None
    revision: str = Field(description="changes when somebody pauses or resumes it; for If-Match")


def list_queues(connection: sa.Connection, limits: Mapping[str, int]) -> tuple[Queue, ...]:
    """Return the queues by name; `limits`: the most runs at one time, by queue. Two statements."""
    counts = {(row.queue, row.status): row.runs for row in connection.execute(_COUNTS)}
    paused = paused_queues(connection)
    names = {queue for queue, _ in counts} | paused.keys() | limits.keys()
    return tuple(
        Queue(
            name=name,
            queued=counts.get((name, RunStatus.QUEUED), 0),
            running=counts.get((name, RunStatus.RUNNING), 0),
            limit=limits.get(name),
            **_pause(paused.get(name)),
        )
        for name in sorted(names)
    )


def _pause(pause: QueuePause | None) -> dict[str, Any]:
    since, by, reason = (pause.since, pause.by, pause.reason) if pause else (None, None, None)
    return {
        "paused_since": since,
        "paused_by": by,
        "paused_reason": reason,
        "revision": revision_of(since, by, reason),
    }


def _some(status: RunStatus) -> sa.Select[tuple[str, str]]:
    query = sa.select(_r.queue, _r.status).where(literal_state(_r.status, status))
    # Bounded, as every page of workers counts anew. SQLite takes no LIMIT in the parts of a UNION.
    return sa.select(query.limit(COUNT_UP_TO).subquery())


_UNFINISHED = sa.union_all(_some(RunStatus.QUEUED), _some(RunStatus.RUNNING)).subquery()
_COUNTS = sa.select(
    _UNFINISHED.c.queue, _UNFINISHED.c.status, sa.func.count().label("runs")
).group_by(_UNFINISHED.c.queue, _UNFINISHED.c.status)
