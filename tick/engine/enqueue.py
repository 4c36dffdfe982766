"""JobRuns and their dependencies for occurrences that fired: by plan, or by a person.

Set-based: one statement for the runs and one for the edges, however many occurrences and jobs.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tick.db import AnyRow, json_rows, unguessed
from tick.engine.claim_schedules import planned_rows
from tick.models import (
    Json,
    job_run,
    job_run_dependency,
    job_schedule,
    occurrence,
    schedule_version,
)
from tick.policy.target import Target
from tick.states import OccurrenceKind, Outcome, RunStatus, Trigger

_s, _v, _o, _r = job_schedule.c, schedule_version.c, occurrence.c, job_run.c
_d = job_run_dependency.c
NO_JOBS = "the selection holds no job"


@dataclass(frozen=True)
class Manual:
    """A firing that a person or a token asked for. `key` makes a repeated request harmless."""

    key: str
    title: str
    mode: str
    actor: str
    tick_id: str
    schedule_id: str | None = None
    version_id: int | None = None
    blocked_by_id: int | None = None
    reason: str | None = None


def enqueue_planned(
    connection: sa.Connection,
    *,
    tick_id: str,
    now: datetime,
    planned: Mapping[str, str],
    targets: Mapping[str, Target],
    target_of: Mapping[Any, str],
) -> int:
    """Runs for the occurrences that this tick fired by plan; how many.

    `planned` holds the parameters of `planned_rows`. `target_of` gives the key of a schedule's
    target.
    """
    mine = {**planned, "tick": tick_id}
    fired = _by_plan(connection.dialect.name)
    return _enqueue(connection, fired, mine, now, targets, target_of)


def enqueue_manual(connection: sa.Connection, manual: Manual, target: Target, now: datetime) -> int:
    """An occurrence of its own with its runs; its id. The cursor of the schedule stays put.

    The same key again writes nothing and gives back the first one's id.
    """
    values = {
        **{name: value for name, value in asdict(manual).items() if name not in {"mode", "actor"}},
        "kind": OccurrenceKind.MANUAL,
        "outcome": Outcome.QUEUED if target.jobs else Outcome.SUCCESS,
        "reason": manual.reason if target.jobs else NO_JOBS,
        "triggered_by": manual.actor,
        "decided_at": now,
        "runs": len(target.jobs),
    }
    created = connection.execute(
        quiet_insert(connection.dialect.name, occurrence).values(values).returning(_o.id)
    ).scalar()
    if created is None:
        found: int = connection.execute(sa.select(_o.id).where(_o.key == manual.key)).scalar_one()
        return found
    enqueue_occurrence(connection, created, manual.mode, target, now)
    return int(created)


def enqueue_occurrence(
    connection: sa.Connection, occurrence_id: int, mode: str, target: Target, now: datetime
) -> int:
    """Runs for one occurrence that a person asked for, and that is in the ledger; how many."""
    mine = {"occurrence": occurrence_id, "mode_": mode}
    targets = {_MANUAL_KEY: target}
    return _enqueue(connection, _by_id(), mine, now, targets, defaultdict(lambda: _MANUAL_KEY))


def quiet_insert(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT to which a row that is already there is no error, and no row."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def _enqueue(
    connection: sa.Connection,
    fired: "_Fired",
    mine: Mapping[str, Any],
    now: datetime,
    targets: Mapping[str, Target],
    target_of: Mapping[Any, str],
) -> int:
    dialect = connection.dialect.name
    jobs = [row for key, target in targets.items() for row in _job_rows(key, target)]
    parameters = {**mine, "instant": now, "jobs": json.dumps(jobs)}
    if not any(target.edges for target in targets.values()):
        return connection.execute(_insert_runs(dialect, fired), parameters).rowcount
    runs = connection.execute(_insert_and_read_runs(dialect, fired), parameters).all()
    edges = list(_edge_rows(runs, targets, target_of))
    connection.execute(_insert_edges(dialect), {"edges": json.dumps(edges)})
    return len(runs)


def _job_rows(key: str, target: Target) -> list[dict[str, Any]]:
    return [
        {
            "selection": key,
            "seq": seq,
            "job_name": job.name,
            "job_group": job.group,
            "queue": job.queue,
            "priority": job.priority,
            "max_attempts": job.max_attempts,
            "idempotent": job.idempotent,
            "params": dict(job.params),
        }
        for seq, job in enumerate(target.jobs)
    ]


def _edge_rows(
    runs: Sequence[AnyRow], targets: Mapping[str, Target], target_of: Mapping[Any, str]
) -> Iterator[dict[str, Any]]:
    """The dependencies between runs of the same occurrence."""
    batches: dict[tuple[int, str | None], dict[str, int]] = defaultdict(dict)
    for run in runs:
        batches[run.occurrence_id, run.schedule_id][run.job_name] = run.id
    for (_, schedule_id), ids in batches.items():
        for edge in targets[target_of[schedule_id]].edges:
            if edge.job in ids and edge.depends_on in ids:
                yield {
                    "run_id": ids[edge.job],
                    "depends_on_id": ids[edge.depends_on],
                    "tolerant": edge.tolerant,
                    "tolerated": edge.tolerated,
                }


# --- the statements, built once for each database and each way to fire ---

_MANUAL_KEY = "manual"


@dataclass(frozen=True)
class _Fired:
    """Fired occurrences as SQL, and what their runs take over from them."""

    source: sa.FromClause
    where: tuple[sa.ColumnElement[bool], ...]
    selection: sa.ColumnElement[Any]
    schedule_name: sa.ColumnElement[Any]
    mode: sa.ColumnElement[Any]
    trigger: Trigger


@cache
def _by_plan(dialect: str) -> _Fired:
    claimed, plan = planned_rows(dialect)
    return _Fired(
        source=claimed.join(plan, plan.c.number == claimed.c.plan)
        .join(occurrence, fired_as(claimed, plan))
        .join(job_schedule, _s.id == claimed.c.id),
        where=(),
        selection=plan.c.target_key,
        schedule_name=_s.name,
        mode=plan.c.mode,
        trigger=Trigger.CRON,
    )


def fired_as(claimed: sa.FromClause, plan: sa.FromClause) -> sa.ColumnElement[bool]:
    """The join of a planned schedule with the occurrence that this very tick fired for it."""
    return sa.and_(
        _o.schedule_id == claimed.c.id,
        _o.scheduled_for == plan.c.fire,
        unguessed(_o.tick_id == sa.bindparam("tick")),
    )


@cache
def _by_id() -> _Fired:
    return _Fired(
        source=occurrence.outerjoin(job_schedule, _s.id == _o.schedule_id),
        where=(_o.id == sa.bindparam("occurrence"),),
        selection=sa.literal_column(f"'{_MANUAL_KEY}'", sa.String),
        schedule_name=_s.name,
        mode=sa.bindparam("mode_", type_=sa.String),
        trigger=Trigger.MANUAL,
    )


@cache
def _insert_runs(dialect: str, fired: _Fired) -> sa.Insert:
    jobs = json_rows(
        dialect,
        "jobs",
        [
            sa.column("selection", sa.String),
            sa.column("seq", sa.Integer),
            sa.column("job_name", sa.String),
            sa.column("job_group", sa.String),
            sa.column("queue", sa.String),
            sa.column("priority", sa.Integer),
            sa.column("max_attempts", sa.Integer),
            sa.column("idempotent", sa.Boolean),
            sa.column("params", Json),
        ],
        "job",
    )
    instant = sa.bindparam("instant", type_=_r.queued_at.type)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "occurrence_id": _o.id,
        "schedule_id": _o.schedule_id,
        "scheduled_for": _o.scheduled_for,
        "job_name": jobs.c.job_name,
        "job_group": jobs.c.job_group,
        "status": sa.literal_column(f"'{RunStatus.QUEUED}'"),
        "trigger": sa.literal_column(f"'{fired.trigger}'"),
        "triggered_by": _o.triggered_by,
        "queue": jobs.c.queue,
        "priority": jobs.c.priority,
        "params": jobs.c.params,
        "run_metadata": _metadata(dialect, fired),
        "max_attempts": jobs.c.max_attempts,
        "idempotent": jobs.c.idempotent,
        "available_at": instant,
        "queued_at": instant,
    }
    rows = (
        sa.select(*columns.values())
        .select_from(fired.source.join(jobs, jobs.c.selection == fired.selection))
        .where(*fired.where)
        .order_by(_o.id, jobs.c.seq)
    )
    inserted = quiet_insert(dialect, job_run).from_select(list(columns), rows)
    return inserted.execution_options(preserve_rowcount=True)


@cache
def _insert_and_read_runs(dialect: str, fired: _Fired) -> sa.UpdateBase:
    return _insert_runs(dialect, fired).returning(
        _r.id, _r.occurrence_id, _r.schedule_id, _r.job_name
    )


def _metadata(dialect: str, fired: _Fired) -> sa.ColumnElement[Any]:
    """The proposal's {scheduleId, scheduleName, executionMode, scheduledFor}."""
    if dialect == "postgresql":
        build, instant = (
            sa.func.jsonb_build_object,
            sa.func.to_char(_o.scheduled_for, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        )
    else:
        build, instant = (
            sa.func.json_object,
            sa.func.strftime("%Y-%m-%dT%H:%M:%SZ", _o.scheduled_for),
        )
    pairs = {
        "scheduleId": _o.schedule_id,
        "scheduleName": fired.schedule_name,
        "executionMode": sa.cast(fired.mode, sa.Text),
        "scheduledFor": instant,
    }
    flat = [item for key, value in pairs.items() for item in (sa.literal_column(f"'{key}'"), value)]
    return sa.type_coerce(build(*flat), Json)


@cache
def _insert_edges(dialect: str) -> sa.Insert:
    edge = json_rows(dialect, "edges", list(_d), "edge")
    # SQLite would take ON CONFLICT for a join's condition, were there no WHERE before it.
    rows = sa.select(*edge.c).where(sa.true())
    return quiet_insert(dialect, job_run_dependency).from_select(list(edge.c.keys()), rows)
