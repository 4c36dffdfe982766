"""JobRuns, as people read them."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from tick.errors import NotFound
from tick.ops.queries.id_ranges import SEARCHED, Stretch, find_stretch
from tick.ops.queries.paging import PAGE_ROWS, Page, cut, sorted_ids
from tick.ops.queries.waiting import lacks_by_job
from tick.states import UNFINISHED_RUNS, RunStatus, Trigger
from tick.store.sql import literal_state
from tick.store.tables import job_run, job_run_dependency, job_schedule

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
    lacks: str | None = None
    """Why no worker can take it, while it is queued."""

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


AnyRun = TypeVar("AnyRun", bound=RunRow)


@dataclass(frozen=True)
class Neighbour:
    """A run that another one waits for, or that waits for it."""

    run_id: int
    job_name: str
    status: str
    tolerant: bool


@dataclass(frozen=True)
class RunFilter:
    """Which runs to list; what is None does not matter. `since` and `until`: when it was queued."""

    status: RunStatus | None = None
    trigger: Trigger | None = None
    job_name: str | None = None
    job_group: str | None = None
    schedule_id: str | None = None
    worker_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None

    @property
    def set_parts(self) -> dict[str, object]:
        """What matters, by the name of the field."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def is_indexed(self) -> bool:
        """Whether an index gives the runs in order, without a look at any that do not match."""
        parts = set(self.set_parts)
        if self.status is not None and self.status not in _INDEXED_STATUSES:
            return False
        return len(parts) <= 1 and parts <= {"status", "job_name", "schedule_id"}

    @property
    def is_live(self) -> bool:
        """Whether the runs of an unfinished status are sought: few, whatever the history."""
        return self.status in UNFINISHED_RUNS

    def stretch(self, connection: sa.Connection, before: int | None) -> Stretch:
        """Where to look for them."""
        return find_stretch(
            connection, _r.id, _r.queued_at, since=self.since, until=self.until, before=before
        )

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The filter as SQL."""
        parts = self.set_parts
        chosen = [_r[name] == parts[name] for name in _EQUAL if name in parts]
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


_EQUAL = ("trigger", "job_name", "job_group", "schedule_id", "worker_id")
_READ = ("job_name", "error_type", "error_message", "reason", "progress_text")
_INDEXED_STATUSES = (RunStatus.FAILED, *UNFINISHED_RUNS)


def _select(row: type[RunRow]) -> sa.Select[Any]:
    columns = [_r[field.name] for field in fields(row) if field.name in _r]
    return sa.select(*columns, _s.name.label("schedule_name")).outerjoin_from(
        job_run, job_schedule, _s.id == _r.schedule_id
    )


@dataclass(frozen=True)
class RunPage(Page[RunRow]):
    """Runs; after a search that found too few, `older` continues it below the `searched` runs."""

    searched: int | None = None


_ROWS, _DETAIL = _select(RunRow), _select(RunDetail)


def list_runs(
    connection: sa.Connection, chosen: RunFilter, *, before: int | None = None
) -> RunPage:
    """A page of runs, newest first.

    A filter that no index serves is looked for among SEARCHED runs at a time, however rare it is.
    """
    query = _ROWS.where(*chosen.conditions()).limit(PAGE_ROWS + 1)
    if chosen.is_indexed:
        ids = sorted_ids(_r.id) if chosen.is_live else _r.id
        query = query if before is None else query.where(ids < before)
        return _page(connection, query.order_by(ids.desc()))
    query = query.order_by(_r.id.desc())
    stretch = chosen.stretch(connection, before)
    page = _page(connection, query.where(stretch.holds(_r.id)))
    if page.older is None and stretch.goes_on:
        return replace(page, older=stretch.start, searched=SEARCHED)
    return page


def list_matching(
    connection: sa.Connection, chosen: RunFilter, statuses: Iterable[RunStatus], limit: int
) -> list[RunRow]:
    """The newest `limit` runs of these statuses that match, among the newest SEARCHED."""
    stretch = chosen.stretch(connection, None)
    query = _ROWS.where(*chosen.conditions(), _r.status.in_(list(statuses)))
    found = connection.execute(
        query.where(stretch.holds(_r.id)).order_by(_r.id.desc()).limit(limit)
    )
    return [RunRow(**row._mapping) for row in found]


def runs_by_id(connection: sa.Connection, ids: Iterable[int]) -> list[RunRow]:
    """Those of the runs that exist, newest first."""
    found = connection.execute(_ROWS.where(_r.id.in_(list(ids))).order_by(_r.id.desc()))
    return [RunRow(**row._mapping) for row in found]


def _page(connection: sa.Connection, query: sa.Select[Any]) -> RunPage:
    page = cut([RunRow(**row._mapping) for row in connection.execute(query)])
    return RunPage(tuple(_with_lacks(connection, page.rows)), page.older)


def _with_lacks(connection: sa.Connection, rows: Iterable[AnyRun]) -> list[AnyRun]:
    """The runs, those in the queue with what they lack; one statement if there are any."""
    rows = list(rows)
    queued = {row.job_name for row in rows if row.status == RunStatus.QUEUED}
    lacks = lacks_by_job(connection, queued)
    return [
        replace(row, lacks=lacks.get(row.job_name)) if row.status == RunStatus.QUEUED else row
        for row in rows
    ]


def runs_of_occurrence(connection: sa.Connection, occurrence_id: int) -> list[RunRow]:
    """The runs of one occurrence in dependency order, at most MAX_RUNS_OF_OCCURRENCE."""
    query = _ROWS.where(_r.occurrence_id == occurrence_id).order_by(_r.id)
    found = connection.execute(query.limit(MAX_RUNS_OF_OCCURRENCE))
    return _with_lacks(connection, [RunRow(**row._mapping) for row in found])


def get_run(connection: sa.Connection, run_id: int) -> RunDetail:
    """One run. Raises NotFound."""
    row = connection.execute(_DETAIL.where(_r.id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no run {run_id}; it may have been pruned.")
    (run,) = _with_lacks(connection, [RunDetail(**row._mapping)])
    return run


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
    """What the run waits for, and what waits for it; one statement."""

    def at_the_end_of(end: sa.Column[int], start: sa.Column[int], place: int) -> sa.Select[Any]:
        query = (
            sa.select(sa.literal(place).label("place"), _r.id, _r.job_name, _r.status, _d.tolerant)
            .join_from(job_run_dependency, job_run, _r.id == end)
            .where(start == run_id)
            .order_by(_r.id)
            .limit(MAX_RUNS_OF_OCCURRENCE)
        )
        return sa.select(query.subquery())

    both = at_the_end_of(_d.depends_on_id, _d.run_id, 0).union_all(
        at_the_end_of(_d.run_id, _d.depends_on_id, 1)
    )
    found: tuple[list[Neighbour], list[Neighbour]] = ([], [])
    for place, *rest in connection.execute(both.order_by("place", "id")):
        found[place].append(Neighbour(*rest))
    return found
