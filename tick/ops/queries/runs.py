"""Runs: their shapes, and how they are found and listed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from pydantic import BeforeValidator, Field

from tick.errors import NotFound
from tick.ops.queries.id_ranges import SEARCHED, IdRange, find_id_range
from tick.ops.queries.limits import overrides_of
from tick.ops.queries.paging import PAGE_ROWS, paged, sorted_ids
from tick.ops.schemas import Internal, Page, Schema
from tick.states import LIVING_WORKERS, UNFINISHED_RUNS, RunStatus, Trigger, WorkerType
from tick.store.sql import literal_state
from tick.store.tables import (
    job_run,
    job_schedule,
    occurrence,
    schedule_version,
    worker_instance,
)

_r, _s, _w = job_run.c, job_schedule.c, worker_instance.c
MAX_RUNS_OF_OCCURRENCE = 500


class Run(Schema):
    """One execution of a job, perhaps in several attempts."""

    id: int
    occurrence_id: int
    schedule_id: str | None
    schedule_name: str | None
    scheduled_for: datetime | None
    job_name: str
    job_group: str
    status: RunStatus
    trigger: Trigger
    triggered_by: str | None
    attempt: int
    max_attempts: int
    available_at: datetime = Field(description="not claimed before")
    firing_deadline_at: datetime | None = Field(
        description="when its whole firing has to have ended"
    )
    cancel_requested_at: datetime | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: float | None = Field(description="from 0 to 1")
    progress_text: str | None
    reason: str | None = Field(description="why it was skipped, cancelled or put back")
    lacks: str | None = Field(description="why no worker can take it, while it is queued")
    error_type: str | None
    error_message: str | None

    @property
    def is_live(self) -> bool:
        """Whether it has not finished."""
        return self.status in UNFINISHED_RUNS

    @property
    def can_be_retried(self) -> bool:
        """Whether it ended otherwise than well."""
        return not self.is_live and self.status != RunStatus.SUCCESS

    def took_seconds(self, now: datetime) -> float | None:
        """Return how long its last attempt took, or has taken until `now`; None if none started."""
        if self.started_at is None or self.status == RunStatus.QUEUED:
            return None
        return max(0.0, ((self.finished_at or now) - self.started_at).total_seconds())

    def waited_seconds(self, now: datetime) -> float:
        """Return the time from queueing to its start, to its end without one, or to `now`."""
        end = self.started_at or self.finished_at or now
        return max(0.0, (end - self.queued_at).total_seconds())


def _overrides(of: object) -> object:
    # The row has the target of the version that it was fired under, if there is one.
    return sorted(overrides_of(of)) if of is None or isinstance(of, str) else of


class RunDetail(Run):
    """Everything that is known about a run."""

    queue: str
    priority: int
    params: Any
    run_metadata: Any
    rescues: int = Field(description="how often its worker died")
    worker_id: str | None
    fencing_token: int
    overridden: Annotated[tuple[str, ...], BeforeValidator(_overrides)] = Field(
        description="of priority, retries and timeout_seconds, what its schedule decided"
    )
    deadline_at: datetime | None = Field(description="when its attempt is ended")
    timeout_seconds: float | None = Field(description="its schedule's; null: that of its job")
    result: str | None = Field(description="JSON text, cut if it was too long")
    error_traceback: str | None


class RetriedRun(RunDetail):
    """A run that was put back, with all runs that went back by it."""

    put_back: tuple[int, ...] = Field(
        description="itself, and what was skipped because of it; none if it had not ended"
    )


AnyRun = TypeVar("AnyRun", bound=Run)


@dataclass(frozen=True)
class RunFilter:
    """The conditions on a list of runs; `since` and `until` bound the time of queueing."""

    status: RunStatus | None = None
    trigger: Trigger | None = None
    job: str | None = None
    group: str | None = None
    schedule: str | None = None
    worker: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None

    @property
    def set_parts(self) -> dict[str, object]:
        """Return the conditions that were set, by the name of the field."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def is_indexed(self) -> bool:
        """Whether an index gives the runs in order, without a look at any that do not match."""
        parts = set(self.set_parts)
        if self.status is not None and self.status not in _INDEXED_STATUSES:
            return False
        return len(parts) <= 1 and parts <= {"status", "job", "schedule"}

    @property
    def is_live(self) -> bool:
        """Whether it selects an unfinished status: few runs, however long the history."""
        return self.status in UNFINISHED_RUNS

    def id_range(self, connection: sa.Connection, before: int | None) -> IdRange:
        """Return the ids to search in."""
        return find_id_range(
            connection, _r.id, _r.queued_at, since=self.since, until=self.until, before=before
        )

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return the filter as SQL."""
        parts = self.set_parts
        chosen = [column == parts[name] for name, column in _EQUAL.items() if name in parts]
        if self.status is not None:
            chosen.append(literal_state(_r.status, self.status))
        if self.since is not None:
            chosen.append(_r.queued_at >= self.since)
        if self.until is not None:
            chosen.append(_r.queued_at < self.until)
        if self.text is not None:
            chosen.append(
                sa.or_(*(_r[name].icontains(self.text, autoescape=True) for name in _READ))
            )
        return chosen


_EQUAL = {
    "trigger": _r.trigger,
    "job": _r.job_name,
    "group": _r.job_group,
    "schedule": _r.schedule_id,
    "worker": _r.worker_id,
}
_READ = ("job_name", "error_type", "error_message", "reason", "progress_text")
_INDEXED_STATUSES = (RunStatus.FAILED, *UNFINISHED_RUNS)


def _select(shape: type[Run]) -> sa.Select[Any]:
    columns = [_r[name] for name in shape.model_fields if name in _r]
    return sa.select(*columns, _s.name.label("schedule_name")).outerjoin_from(
        job_run, job_schedule, _s.id == _r.schedule_id
    )


class RunPage(Page[Run]):
    """Runs, newest first."""

    searched: Internal[int | None] = None
    """How many runs were searched, if too few of them matched; `next` searches older ones."""


_FIRED_UNDER = (
    sa.select(schedule_version.c.target)
    .join_from(occurrence, schedule_version, schedule_version.c.id == occurrence.c.version_id)
    .where(occurrence.c.id == _r.occurrence_id)
    .correlate(job_run)
    .scalar_subquery()
    .label("overridden")
)
_ROWS, _DETAIL = _select(Run), _select(RunDetail).add_columns(_FIRED_UNDER)


def list_runs(
    connection: sa.Connection, chosen: RunFilter, *, before: int | None = None
) -> RunPage:
    """Return a page of runs, newest first."""
    query = _ROWS.where(*chosen.conditions()).limit(PAGE_ROWS + 1)
    if chosen.is_indexed:
        # An index of unfinished runs holds few, which are sorted faster than all ids are walked.
        ids = sorted_ids(_r.id) if chosen.is_live else _r.id
        query = query if before is None else query.where(ids < before)
        return paged(RunPage, _read(connection, query.order_by(ids.desc()), Run))
    # No index serves it: a bounded part at a time, or a rare match would cost a scan of all runs.
    query = query.order_by(_r.id.desc())
    id_range = chosen.id_range(connection, before)
    page = paged(RunPage, _read(connection, query.where(id_range.contains(_r.id)), Run))
    if page.next is None and id_range.goes_on:
        return RunPage(items=page.items, next=str(id_range.start), searched=SEARCHED)
    return page


def list_matching(
    connection: sa.Connection, chosen: RunFilter, statuses: Iterable[RunStatus], limit: int
) -> list[Run]:
    """Return the newest `limit` runs of these statuses that match, among the newest SEARCHED."""
    id_range = chosen.id_range(connection, None)
    query = _ROWS.where(*chosen.conditions(), _r.status.in_(list(statuses)))
    found = connection.execute(
        query.where(id_range.contains(_r.id)).order_by(_r.id.desc()).limit(limit)
    )
    return [Run(lacks=None, **row._mapping) for row in found]


def runs_by_id(connection: sa.Connection, ids: Iterable[int]) -> list[Run]:
    """Return the runs of these ids that exist, newest first."""
    found = connection.execute(_ROWS.where(_r.id.in_(list(ids))).order_by(_r.id.desc()))
    return [Run(lacks=None, **row._mapping) for row in found]


def _read(connection: sa.Connection, query: sa.Select[Any], shape: type[AnyRun]) -> list[AnyRun]:
    """Read runs; if some are queued, a second statement tells what they lack."""
    rows = connection.execute(query).all()
    queued = {row.id: row.job_name for row in rows if row.status == RunStatus.QUEUED}
    lacks = _lacks_by_job(connection, set(queued.values()))
    return [shape(lacks=lacks.get(queued.get(row.id, "")), **row._mapping) for row in rows]


def _lacks_by_job(connection: sa.Connection, job_names: set[str]) -> dict[str, str]:
    """Return why no worker can take a queued run, by its job."""
    living = connection.execute(_ABILITIES).scalars().all() if job_names else ()
    # Without a living worker nothing is said: a tick may run jobs as well, now and then.
    if not living or any("jobs" not in abilities for abilities in living):
        return {}
    known = {name for abilities in living for name in abilities["jobs"]}
    return dict.fromkeys(job_names - known, "no living worker knows this job")


_ABILITIES = sa.select(_w.abilities).where(
    _w.status.in_(LIVING_WORKERS), _w.worker_type == WorkerType.JOB_WORKER
)


def runs_of_occurrence(connection: sa.Connection, occurrence_id: int) -> list[Run]:
    """Return the runs of an occurrence in dependency order, at most MAX_RUNS_OF_OCCURRENCE."""
    query = _ROWS.where(_r.occurrence_id == occurrence_id).order_by(_r.id)
    return _read(connection, query.limit(MAX_RUNS_OF_OCCURRENCE), Run)


def get_run(connection: sa.Connection, run_id: int) -> RunDetail:
    """Return a run. Raises NotFound."""
    found = _read(connection, _DETAIL.where(_r.id == run_id), RunDetail)
    if not found:
        raise NotFound(f"There is no run {run_id}; it may have been pruned.")
    return found[0]


def read_retried(connection: sa.Connection, run_id: int, put_back: Sequence[int]) -> RetriedRun:
    """Return a run with the runs that a retry of it put back. Raises NotFound."""
    run = get_run(connection, run_id)
    return RetriedRun(**vars(run), put_back=tuple(put_back))
