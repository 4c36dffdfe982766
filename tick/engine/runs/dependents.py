"""Skips the runs that wait for one that did not succeed, down the line: they can never start."""

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.states import RunStatus
from tick.store.sql import MOST_BOUND, batches, json_param, json_rows, literal_state
from tick.store.tables import Instant, job_run, job_run_dependency

_ENDED_BADLY = {
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "was cancelled",
    RunStatus.SKIPPED: "was skipped",
}
_r, _d = job_run.c, job_run_dependency.c
_NOW = sa.bindparam("now", type_=Instant)


def skip_dependents(connection: sa.Connection, run_ids: Collection[int], now: datetime) -> None:
    """Skip the runs that wait, directly or not, for those of `run_ids` that ended badly."""
    for ids in batches(run_ids):
        rows = [
            {"id": row.id, "reason": skipped_because(row.job_name, row.status), "root": row.root_id}
            for row in connection.execute(_BLOCKED, {"ids": ids})
        ]
        if rows:
            values = {"now": now, "rows": json_param(rows)}
            connection.execute(_skip(connection.dialect.name), values)


def skipped_because(job_name: str, status: str) -> str:
    """Why a run is skipped that needs this one: `features failed`."""
    return f"{job_name} {_ENDED_BADLY[RunStatus(status)]}"


def skip_forgotten(connection: sa.Connection, now: datetime) -> None:
    """The same for every queued run, whoever ended what it waits for."""
    skip_dependents(connection, connection.execute(_HOPELESS).scalars().all(), now)


def _build_blocked() -> sa.Select[Any]:
    """The queued runs below, each with one root. Locks them in the order of their ids."""
    root, waiting = job_run.alias("root"), job_run.alias("waiting")
    first = sa.select(_d.run_id.label("id"), _d.depends_on_id.label("root_id")).where(
        _d.depends_on_id.in_(sa.bindparam("ids", expanding=True)),
        _d.depends_on_id == root.c.id,
        root.c.status.in_(_ENDED_BADLY),
        _holds_back(waiting),
    )
    below = first.cte("below", recursive=True)
    # UNION, not UNION ALL: a diamond is walked once, however many ways lead through it.
    below = below.union(
        sa.select(_d.run_id, below.c.root_id).where(
            _d.depends_on_id == below.c.id, _holds_back(waiting)
        )
    )
    one_root = (
        sa.select(below.c.id, sa.func.min(below.c.root_id).label("root_id"))
        .group_by(below.c.id)
        .subquery("one_root")
    )
    named = job_run.alias("named")
    return (
        sa.select(_r.id, named.c.id.label("root_id"), named.c.job_name, named.c.status)
        .join_from(one_root, job_run, _r.id == one_root.c.id)
        .join(named, named.c.id == one_root.c.root_id)
        .order_by(_r.id)
        .with_for_update(key_share=True, of=job_run)
    )


def _holds_back(waiting: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(~_d.tolerant, waiting.c.id == _d.run_id, waiting.c.status == RunStatus.QUEUED)


@cache
def _skip(dialect: str) -> sa.UpdateBase:
    root = sa.column("root", sa.BigInteger)
    blocked = json_rows(dialect, "rows", [_r.id, _r.reason, root], "blocked")
    return (
        sa.update(job_run)
        .where(_r.id == blocked.c.id, _r.status == RunStatus.QUEUED)
        .values(
            status=RunStatus.SKIPPED,
            reason=blocked.c.reason,
            skipped_for_id=blocked.c.root,
            finished_at=_NOW,
        )
    )


def _build_hopeless() -> sa.Select[int]:
    upstream = job_run.alias("upstream")
    return (
        sa.select(_d.depends_on_id)
        .distinct()
        .limit(MOST_BOUND)
        .where(
            literal_state(_r.status, RunStatus.QUEUED),
            _d.run_id == _r.id,
            ~_d.tolerant,
            upstream.c.id == _d.depends_on_id,
            upstream.c.status.in_(_ENDED_BADLY),
        )
    )


_BLOCKED = _build_blocked()
_HOPELESS = _build_hopeless()
