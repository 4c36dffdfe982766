"""JobRuns, as people read them."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.errors import NotFound
from tick.models import job_run, job_run_dependency, job_schedule
from tick.ops.queries.paging import PAGE_ROWS, Page, cut
from tick.states import UNFINISHED_RUNS, RunStatus, Trigger

_r, _s, _d = job_run.c, job_schedule.c, job_run_dependency.c
MAX_RUNS_OF_OCCURRENCE = 500


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run as a list shows it."""

    id: int
    occurrence_id: int
    schedule_id: str | None
    scheduled_for: datetime | None
    job_name: str
    job_group: str
    status: str
    trigger: str
    triggered_by: str | None
    attempt: int
    max_attempts: int
    available_at: datetime
    cancel_requested_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: float | None
    progress_text: str | None
    reason: str | None
    error_type: str | None
    error_message: str | None
    schedule_name: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether it has not finished."""
        return self.status in UNFINISHED_RUNS

    @property
    def can_be_retried(self) -> bool:
        """Whether it ended otherwise than well."""
        return not self.is_live and self.status != RunStatus.SUCCESS

    def took_seconds(self, now: datetime) -> float | None:
        """How long its last attempt took, or has taken until `now`; None when none started."""
        if self.started_at is None or self.status == RunStatus.QUEUED:
            return None
        return max(0.0, ((self.finished_at or now) - self.started_at).total_seconds())

    def waited_seconds(self, now: datetime) -> float:
        """From when it was put in the queue to its start, its end without one, or `now`."""
        end = self.started_at or self.finished_at or now
        return max(0.0, (end - self.queued_at).total_seconds())


@dataclass(frozen=True, kw_only=True)
class RunDetail(RunRow):
    """Everything that is known about a run."""

    queue: str
    priority: int
    params: Any
    run_metadata: Any
    rescues: int
    worker_id: str | None
    fencing_token: int
    deadline_at: datetime | None
    result: str | None
    error_traceback: str | None


@dataclass(frozen=True)
class Neighbour:
    """A run that another one waits for, or that waits for it."""

    run_id: int
    job_name: str
    status: str
    tolerant: bool


@dataclass(frozen=True)
class RunFilter:
    """Which runs to list; what is None does not matter."""

    status: RunStatus | None = None
    trigger: Trigger | None = None
    job_name: str | None = None
    job_group: str | None = None
    schedule_id: str | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The filter as SQL."""
        chosen = [
            _r[field.name] == value
            for field in fields(self)
            if field.name != "status" and (value := getattr(self, field.name)) is not None
        ]
        if self.status is not None:
            # A literal, or SQLite could not use the partial index of that status.
            chosen.append(_r.status == sa.literal(self.status.value, literal_execute=True))
        return chosen


def _select(row: type[RunRow]) -> sa.Select[Any]:
    columns = [_r[field.name] for field in fields(row) if field.name in _r]
    return sa.select(*columns, _s.name.label("schedule_name")).outerjoin_from(
        job_run, job_schedule, _s.id == _r.schedule_id
    )


_ROWS, _DETAIL = _select(RunRow), _select(RunDetail)


def list_runs(
    connection: sa.Connection, chosen: RunFilter, *, before: int | None = None
) -> Page[RunRow]:
    """A page of runs, newest first."""
    query = _ROWS.where(*chosen.conditions()).order_by(_r.id.desc()).limit(PAGE_ROWS + 1)
    if before is not None:
        query = query.where(_r.id < before)
    return cut([RunRow(**row._mapping) for row in connection.execute(query)])


def runs_of_occurrence(connection: sa.Connection, occurrence_id: int) -> list[RunRow]:
    """The runs of one occurrence in dependency order, at most MAX_RUNS_OF_OCCURRENCE."""
    query = _ROWS.where(_r.occurrence_id == occurrence_id).order_by(_r.id)
    found = connection.execute(query.limit(MAX_RUNS_OF_OCCURRENCE))
    return [RunRow(**row._mapping) for row in found]


def get_run(connection: sa.Connection, run_id: int) -> RunDetail:
    """One run. Raises NotFound."""
    row = connection.execute(_DETAIL.where(_r.id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no run {run_id}; it may have been pruned.")
    return RunDetail(**row._mapping)


def upstream_by_run(
    connection: sa.Connection, occurrence_id: int
) -> dict[int, tuple[Neighbour, ...]]:
    """For each run of the occurrence that waits for others: those others."""
    awaited = job_run.alias("awaited")
    query = (
        sa.select(_d.run_id, awaited.c.id, awaited.c.job_name, awaited.c.status, _d.tolerant)
        .join_from(job_run_dependency, awaited, awaited.c.id == _d.depends_on_id)
        .where(awaited.c.occurrence_id == occurrence_id)
        .order_by(_d.run_id, awaited.c.id)
        .limit(20 * MAX_RUNS_OF_OCCURRENCE)
    )
    found: dict[int, tuple[Neighbour, ...]] = {}
    for run_id, *rest in connection.execute(query):
        found[run_id] = (*found.get(run_id, ()), Neighbour(*rest))
    return found


def neighbours(connection: sa.Connection, run_id: int) -> tuple[list[Neighbour], list[Neighbour]]:
    """What the run waits for, and what waits for it."""

    def at_the_end_of(end: sa.Column[int], start: sa.Column[int]) -> list[Neighbour]:
        query = (
            sa.select(_r.id, _r.job_name, _r.status, _d.tolerant)
            .join_from(job_run_dependency, job_run, _r.id == end)
            .where(start == run_id)
            .order_by(_r.id)
            .limit(MAX_RUNS_OF_OCCURRENCE)
        )
        return [Neighbour(*row) for row in connection.execute(query)]

    return at_the_end_of(_d.depends_on_id, _d.run_id), at_the_end_of(_d.run_id, _d.depends_on_id)
