"""Answers that are put together from several queries, for the JSON API and the command line."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from tick.define.registry import Registry
from tick.errors import NotFound
from tick.ops.queries import logs, occurrences, runs, schedules
from tick.ops.queries.courses import read_course
from tick.ops.queries.jobs import latest_run_by_job
from tick.ops.queries.policies import read_policy
from tick.ops.reports.upcoming import count_undecided, next_of
from tick.ops.schemas import Page
from tick.ops.schemas.system import Job
from tick.ops.schemas.work import (
    LogPage,
    OccurrenceWithRuns,
    RetriedRun,
    Run,
    RunWithNeighbours,
    ScheduleWithInstants,
)
from tick.states import LogLevel

PAGE_JOBS = 100
NEXT_INSTANTS = 5


def read_schedule(
    connection: sa.Connection, schedule_id: str, now: datetime
) -> ScheduleWithInstants:
    """A schedule, its next instants, and how many passed while it was off. Raises NotFound."""
    row = schedules.get_schedule(connection, schedule_id)
    course = read_course(connection, schedule_id, now)
    coming = next_of(course, NEXT_INSTANTS) if course else []
    return ScheduleWithInstants.model_validate(
        {
            "schedule": row,
            "policy": course and read_policy(connection, course),
            "upcoming": [each.at for each in coming if each.blackout is None][:NEXT_INSTANTS],
            "undecided": count_undecided(connection, schedule_id, now).count,
        }
    )


def read_occurrence(connection: sa.Connection, occurrence_id: int) -> OccurrenceWithRuns:
    """An occurrence with its runs. Raises NotFound."""
    return OccurrenceWithRuns.model_validate(
        {
            "occurrence": occurrences.get_occurrence(connection, occurrence_id),
            "runs": runs.runs_of_occurrence(connection, occurrence_id),
        }
    )


def read_run(connection: sa.Connection, run_id: int) -> RunWithNeighbours:
    """A run, what it waits for and what waits for it. Raises NotFound."""
    run = runs.get_run(connection, run_id)
    waits_for, needed_by = runs.neighbours(connection, run_id)
    return RunWithNeighbours.model_validate(
        {"run": run, "waits_for": waits_for, "needed_by": needed_by}
    )


def read_retried(connection: sa.Connection, run_id: int, put_back: Sequence[int]) -> RetriedRun:
    """A run, with the runs that a retry of it put back. Raises NotFound."""
    run = runs.get_run(connection, run_id)
    return RetriedRun.model_validate({**vars(run), "put_back": tuple(put_back)})


def read_log(
    connection: sa.Connection,
    run_id: int,
    *,
    after: int | None = None,
    before: int | None = None,
    levels: Sequence[LogLevel] = (),
) -> LogPage:
    """The newest lines, or those after or before an id; `previous` and `next` are such ids.

    Raises NotFound.
    """
    # The state first: lines that come between the two reads are seen by this or the next page.
    run = runs.get_run(connection, run_id)
    if after is None:
        page = logs.last_lines(connection, run_id, logs.LineFilter(levels), before=before)
    else:
        page = logs.LogPage(logs.lines_after(connection, run_id, after, logs.LineFilter(levels)))
    goes_on = run.is_live or before is not None or len(page.lines) == logs.LOG_ROWS
    return LogPage.model_validate(
        {
            "items": page.lines,
            "previous": page.earlier and str(page.earlier),
            "next": str(page.last_id or after or 0) if goes_on else None,
            "status": run.status,
            "cut": logs.count_cut_lines(connection, run_id),
        }
    )


def list_jobs(
    connection: sa.Connection,
    registry: Registry,
    *,
    group: str | None = None,
    after: str | None = None,
) -> Page[Job]:
    """A page of jobs by name with their latest runs; `next` is the name that it goes on after."""
    known = sorted(job.name for job in registry.jobs.values() if group in (None, job.group))
    rest = [name for name in known if name > (after or "")]
    kept = rest[:PAGE_JOBS]
    more = kept[-1] if len(rest) > len(kept) else None
    return Page[Job](items=tuple(_jobs(connection, registry, kept)), next=more)


def read_job(connection: sa.Connection, registry: Registry, name: str) -> Job:
    """One job with its latest run. Raises NotFound."""
    if name not in registry.jobs:
        raise NotFound(f"No job is called {name!r}; `tick jobs` lists those there are.")
    return _jobs(connection, registry, [name])[0]


def _jobs(connection: sa.Connection, registry: Registry, names: Sequence[str]) -> list[Job]:
    latest = latest_run_by_job(connection, names)
    runs = {name: Run.model_validate(row) for name, row in latest.items()}
    return [
        Job.model_validate(registry.jobs[name]).model_copy(update={"latest_run": runs.get(name)})
        for name in names
    ]
