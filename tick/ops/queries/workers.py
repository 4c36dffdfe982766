"""Processes, living and past: workers, loops and HTTP triggers, and the runs that each has."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.errors import NotFound
from tick.ops.queries.paging import PAGE_ROWS, paged
from tick.ops.schemas import Page, Schema
from tick.states import LIVING_WORKERS, RunStatus, WorkerStatus, WorkerType
from tick.store.sql import literal_state
from tick.store.tables import job_run, worker_instance

_w, _r = worker_instance.c, job_run.c
MOST_LIVING = 100
MOST_AT_WORK = 200


class Worker(Schema):
    """One process, by what it last said of itself."""

    id: str
    worker_type: WorkerType
    status: WorkerStatus
    hostname: str
    pid: int
    version: str
    started_at: datetime
    last_heartbeat_at: datetime
    stopped_at: datetime | None
    abilities: Any = Field(description="what it can do")
    activity: str | None = Field(description="what it is doing")

    @property
    def lives(self) -> bool:
        """Whether it has neither signed off nor been found dead."""
        return self.status in LIVING_WORKERS

    @property
    def queues(self) -> tuple[str, ...]:
        """Return the queues that a worker serves; none if it serves all."""
        named = self.abilities.get("queues") if isinstance(self.abilities, dict) else None
        return tuple(map(str, named or ()))


class WorkerPage(Page[Worker]):
    """Processes by id."""


_ROWS = sa.select(*(_w[name] for name in Worker.model_fields))


def list_workers(
    connection: sa.Connection, *, status: WorkerStatus | None = None, after: str | None = None
) -> WorkerPage:
    """Return a page of processes; of one status, if it is given."""
    query = _ROWS.order_by(_w.id).limit(PAGE_ROWS + 1)
    if status is not None:
        query = query.where(_w.status == status)
    if after is not None:
        query = query.where(_w.id > after)
    return paged(WorkerPage, [Worker(**row._mapping) for row in connection.execute(query)])


def list_living(
    connection: sa.Connection, now: datetime, dead_after_seconds: float
) -> tuple[Worker, ...]:
    """Return the processes that beat lately, at most MOST_LIVING, the latest first."""
    query = (
        _ROWS.where(
            literal_state(_w.status, *LIVING_WORKERS),
            _w.last_heartbeat_at >= now - timedelta(seconds=dead_after_seconds),
        )
        .order_by(_w.last_heartbeat_at.desc(), _w.id)
        .limit(MOST_LIVING)
    )
    return tuple(Worker(**row._mapping) for row in connection.execute(query))


def list_recent(connection: sa.Connection) -> tuple[Worker, ...]:
    """Return a page of the processes that beat last."""
    query = _ROWS.order_by(_w.last_heartbeat_at.desc(), _w.id).limit(PAGE_ROWS)
    return tuple(Worker(**row._mapping) for row in connection.execute(query))


def get_worker(connection: sa.Connection, worker_id: str) -> Worker:
    """Return a process. Raises NotFound."""
    row = connection.execute(_ROWS.where(_w.id == worker_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no worker {worker_id!r}; it may have been pruned.")
    return Worker(**row._mapping)


@dataclass(frozen=True)
class AtWork:
    """A run that a process has in hand."""

    id: int
    worker_id: str
    job_name: str
    started_at: datetime | None
    progress: float | None


def runs_at_work(connection: sa.Connection) -> dict[str, tuple[AtWork, ...]]:
    """Return the runs in hand by worker id, the longest first; MOST_AT_WORK in all."""
    columns = [_r[field.name] for field in fields(AtWork)]
    # No condition on the worker: SQLite would rather walk through the index of all runs that ever
    # had one.
    running = sa.select(*columns).where(literal_state(_r.status, RunStatus.RUNNING))
    found: dict[str, tuple[AtWork, ...]] = {}
    for row in connection.execute(running.order_by(_r.started_at, _r.id).limit(MOST_AT_WORK)):
        if row.worker_id is not None:  # a worker may have been pruned
            found[row.worker_id] = (*found.get(row.worker_id, ()), AtWork(**row._mapping))
    return found
