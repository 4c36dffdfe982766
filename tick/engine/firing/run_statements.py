"""The runs of fired occurrences as SQL, built once for each database and each way to fire."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import planned_rows
from tick.states import UNFINISHED_RUNS, RunStatus, Trigger
from tick.store.sql import insert_ignore, json_rows, opaque_filter
from tick.store.tables import Json, job_run, job_run_dependency, job_schedule, occurrence

_s, _o, _r = job_schedule.c, occurrence.c, job_run.c
_d = job_run_dependency.c
MANUAL_KEY = "manual"
"""Stands for the target of what a person asked for."""
_WRITTEN = (_r.id, _r.occurrence_id, _r.schedule_id, _r.job_name)
_INSTANT = sa.bindparam("instant", type_=_r.queued_at.type)


@dataclass(frozen=True)
class FiredRows:
    """Fired occurrences as SQL, and what their runs take over from them."""

    source: sa.FromClause
    where: tuple[sa.ColumnElement[bool], ...]
    selection: sa.ColumnElement[Any]
    schedule_name: sa.ColumnElement[Any]
    mode: sa.ColumnElement[Any]
    ends_by: sa.ColumnElement[Any]
    trigger: Trigger


@cache
def fired_by_plan(dialect: str) -> FiredRows:
    """The occurrences that this tick fired by plan."""
    claimed, plan = planned_rows(dialect)
    return FiredRows(
        source=claimed.join(plan, plan.c.number == claimed.c.plan)
        .join(occurrence, fired_as(claimed, plan))
        .join(job_schedule, _s.id == claimed.c.id),
        where=(),
        selection=plan.c.target_key,
        schedule_name=_s.name,
        mode=plan.c.mode,
        ends_by=plan.c.ends_by,
        trigger=Trigger.CRON,
    )


def fired_as(claimed: sa.FromClause, plan: sa.FromClause) -> sa.ColumnElement[bool]:
    """The join of a planned schedule with the occurrence that this very tick fired for it."""
    return sa.and_(
        _o.schedule_id == claimed.c.id,
        _o.scheduled_for == plan.c.fire,
        opaque_filter(_o.tick_id == sa.bindparam("tick")),
    )


@cache
def fired_by_hand() -> FiredRows:
    """The occurrence that a person asked for."""
    return FiredRows(
        source=occurrence.outerjoin(job_schedule, _s.id == _o.schedule_id),
        where=(_o.id == sa.bindparam("occurrence"),),
        selection=sa.literal_column(f"'{MANUAL_KEY}'", sa.String),
        schedule_name=_s.name,
        mode=sa.bindparam("mode_", type_=sa.String),
        ends_by=sa.bindparam("ends_by", type_=_r.firing_deadline_at.type),
        trigger=Trigger.MANUAL,
    )


@cache
def insert_runs(dialect: str, fired: FiredRows) -> sa.Insert:
    """Queue the runs; one whose unique key an unfinished run has is left out."""
    jobs = _job_rows(dialect)
    inserted = _insert(dialect, fired, jobs, _columns(dialect, fired, jobs))
    # SQLAlchemy forgets the row count of an INSERT unless it is told to keep it.
    return inserted.execution_options(preserve_rowcount=True)


@cache
def insert_and_read_runs(dialect: str, fired: FiredRows) -> sa.UpdateBase:
    """The same; gives the runs back."""
    return insert_runs(dialect, fired).returning(*_WRITTEN)


@cache
def insert_repeats(dialect: str, fired: FiredRows) -> sa.UpdateBase:
    """The runs that were left out: skipped, with the reason. Gives them back."""
    jobs = _job_rows(dialect)
    columns = _columns(dialect, fired, jobs) | {
        "status": sa.literal_column(f"'{RunStatus.SKIPPED}'"),
        "finished_at": _INSTANT,
        "reason": _why_repeated(jobs),
    }
    own = job_run.alias("own").c
    is_there = sa.exists().where(own.occurrence_id == _o.id, own.job_name == jobs.c.job_name)
    inserted = _insert(dialect, fired, jobs, columns, ~is_there)
    return inserted.returning(*_WRITTEN)


def _why_repeated(jobs: sa.FromClause) -> sa.ColumnElement[str]:
    active = job_run.alias("active").c
    found = sa.select(sa.func.min(active.id)).where(
        active.job_name == jobs.c.job_name,
        active.unique_key == jobs.c.unique_key,
        active.status.in_(UNFINISHED_RUNS),
    )
    number = sa.cast(found.scalar_subquery(), sa.String)
    # It may have ended since it stood in the way.
    named = sa.func.coalesce(sa.literal("run ") + number, "another run")
    return named + " of this job is unfinished, and it is unique"


def _job_rows(dialect: str) -> sa.FromClause:
    selection, seq = sa.column("selection", sa.String), sa.column("seq", sa.Integer)
    return json_rows(dialect, "jobs", [selection, seq, *_OF_THE_JOB], "job")


_OF_THE_JOB = (
    *(_r.job_name, _r.job_group, _r.queue, _r.priority, _r.params),
    *(_r.max_attempts, _r.idempotent, _r.unique_key, _r.timeout_seconds),
)


def _columns(
    dialect: str, fired: FiredRows, jobs: sa.FromClause
) -> dict[str, sa.ColumnElement[Any]]:
    return {
        "occurrence_id": _o.id,
        "schedule_id": _o.schedule_id,
        "scheduled_for": _o.scheduled_for,
        **{column.name: jobs.c[column.name] for column in _OF_THE_JOB},
        "status": sa.literal_column(f"'{RunStatus.QUEUED}'"),
        "trigger": sa.literal_column(f"'{fired.trigger}'"),
        "triggered_by": _o.triggered_by,
        "run_metadata": _metadata(dialect, fired),
        "firing_deadline_at": fired.ends_by,
        "available_at": _INSTANT,
        "queued_at": _INSTANT,
    }


def _insert(
    dialect: str,
    fired: FiredRows,
    jobs: sa.FromClause,
    columns: Mapping[str, sa.ColumnElement[Any]],
    *conditions: sa.ColumnElement[bool],
) -> sa.Insert:
    rows = (
        sa.select(*columns.values())
        .select_from(fired.source.join(jobs, jobs.c.selection == fired.selection))
        .where(*fired.where, *conditions)
        # Ids in the order of the targets: of equally urgent runs, a worker takes the lowest id.
        .order_by(_o.id, jobs.c.seq)
    )
    return insert_ignore(dialect, job_run).from_select(list(columns), rows)


def _metadata(dialect: str, fired: FiredRows) -> sa.ColumnElement[Any]:
    """The proposal's {scheduleId, scheduleName, executionMode, scheduledFor}."""
    if dialect == "postgresql":
        build = sa.func.jsonb_build_object
        in_utc = sa.func.timezone("UTC", _o.scheduled_for)
        instant = sa.func.to_char(in_utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    else:
        build = sa.func.json_object
        instant = sa.func.strftime("%Y-%m-%dT%H:%M:%SZ", _o.scheduled_for)
    pairs = {
        "scheduleId": _o.schedule_id,
        "scheduleName": fired.schedule_name,
        "executionMode": sa.cast(fired.mode, sa.Text),
        "scheduledFor": instant,
    }
    flat = [item for key, value in pairs.items() for item in (sa.literal_column(f"'{key}'"), value)]
    return sa.type_coerce(build(*flat), Json)


@cache
def insert_edges(dialect: str) -> sa.Insert:
    """The dependencies between runs."""
    edge = json_rows(dialect, "edges", list(_d), "edge")
    # SQLite would take ON CONFLICT for a join's condition, were there no WHERE before it.
    rows = sa.select(*edge.c).where(sa.true())
    return insert_ignore(dialect, job_run_dependency).from_select(list(edge.c.keys()), rows)
