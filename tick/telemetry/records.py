"""Reads the runs and occurrences that were counted, for export."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa

from tick.store.tables import job_run, occurrence

_r, _o = job_run.c, occurrence.c


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """Holds a run that ended; `tick_id` names the tick, or the action, that fired it."""

    id: int
    occurrence_id: int
    tick_id: str
    schedule_id: str | None
    job_name: str
    job_group: str
    queue: str
    trigger: str
    status: str
    attempt: int
    worker_id: str | None
    started_at: datetime | None
    finished_at: datetime
    reason: str | None
    error_type: str | None
    error_message: str | None
    error_traceback: str | None


@dataclass(frozen=True, kw_only=True)
class OccurrenceRecord:
    """Holds an occurrence that came to its outcome, or instants that did not fire."""

    id: int
    tick_id: str
    schedule_id: str | None
    kind: str
    outcome: str
    reason: str | None
    scheduled_for: datetime | None
    decided_at: datetime
    last_finished_at: datetime | None
    runs: int


_RUNS = sa.select(
    _o.tick_id, *(_r[field.name] for field in fields(RunRecord) if field.name != "tick_id")
).join_from(job_run, occurrence)
_OCCURRENCES = sa.select(*(_o[field.name] for field in fields(OccurrenceRecord)))


def read_runs(connection: sa.Connection, ids: Collection[int], since: datetime) -> list[RunRecord]:
    """Return the runs that ended since then."""
    # Of the runs that were counted, one that is being retried has no end any more.
    query = _RUNS.where(_r.id.in_(ids), _r.finished_at >= since).order_by(_r.id)
    return [RunRecord(**row._mapping) for row in connection.execute(query)]


def read_occurrences(
    connection: sa.Connection, ids: Collection[int], since: datetime
) -> list[OccurrenceRecord]:
    """Return the occurrences that ended since then, or were decided without firing."""
    # Instants that did not fire have no run that could end.
    ended_at = sa.func.coalesce(_o.last_finished_at, _o.decided_at, type_=_o.decided_at.type)
    query = _OCCURRENCES.where(_o.id.in_(ids), ended_at >= since).order_by(_o.id)
    return [OccurrenceRecord(**row._mapping) for row in connection.execute(query)]
