"""The figures for a monitoring system, read from the database in one snapshot."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from tick.engine.ledger.environment import ENVIRONMENT
from tick.engine.ledger.tick_log import HAS_COME
from tick.engine.statistics.count import Sums
from tick.engine.statistics.prune import sums_of_ticks
from tick.engine.statistics.prune_state import pruned_ticks
from tick.ops.queries.snapshot import snapshot
from tick.ops.queries.stats import Table, sum_all_time
from tick.policy.missed import usual_tick_seconds
from tick.policy.tick_health import CLOCKS_DIFFER
from tick.states import LIVING_WORKERS, RunStatus, ScheduleState, WorkerStatus
from tick.store.database import Database
from tick.store.sql import AnyRow, literal_state
from tick.store.tables import job_run, job_schedule, schedule_version, tick_log, worker_instance

_t, _r, _s, _w = tick_log.c, job_run.c, job_schedule.c, worker_instance.c
_v = schedule_version.c
_LEARNED_FROM = 20


@dataclass(frozen=True)
class Reading:
    """All figures of one moment. Counts of the past only rise, also when rows are pruned."""

    now: datetime
    ticks: dict[str, int]
    """Sums over all ticks there ever were, by the name of the column; `ticks`, `failed`."""
    last_tick: AnyRow | None
    """`started_at`, `took_seconds`, `late_seconds`; None before the first."""
    tick_seconds: float
    """The usual distance between ticks."""
    runs: Table
    occurrences: Table
    unfinished: list[AnyRow]
    """`job_name`, `queue`, `status`, `runs`."""
    oldest_queued: list[AnyRow]
    """`queue`, `since`: when the run became available that has been so for longest."""
    workers: dict[tuple[str, str], int]
    """By worker type and state: running, draining or silent."""
    environment: str | None
    """The one that the database belongs to."""
    schedules: list[AnyRow]
    """`id`, `enabled`, `state`, `next_run_at`, `consecutive_failures`; `rule` for `next_firing`."""


def read_metrics(database: Database, now: datetime, dead_after_seconds: float) -> Reading:
    """Read all figures; ten statements or so, none over the whole table of runs."""
    with snapshot(database) as connection:
        runs, occurrences = sum_all_time(connection)
        schedules = connection.execute(_SCHEDULES).all()
        for row in schedules:
            # A counter that is seen for the first time at 1 has not increased for whoever scrapes.
            occurrences.setdefault((row.id, 0), Sums(int))
        ticks = connection.execute(_LAST_TICKS, {"until": now + CLOCKS_DIFFER}).all()
        gaps = [
            (newer.started_at - older.started_at).total_seconds()
            for newer, older in pairwise(ticks)
        ]
        sums, environment = _all_ticks(connection)
        return Reading(
            now=now,
            ticks=sums,
            environment=environment,
            last_tick=ticks[0] if ticks else None,
            tick_seconds=usual_tick_seconds(gaps),
            runs=runs,
            occurrences=occurrences,
            unfinished=list(connection.execute(_UNFINISHED)),
            oldest_queued=list(connection.execute(_OLDEST, {"now": now})),
            workers=_workers(connection, now - timedelta(seconds=dead_after_seconds)),
            schedules=list(schedules),
        )


def _all_ticks(connection: sa.Connection) -> tuple[dict[str, int], str | None]:
    """Return the sums over all ticks, and with them the environment of the database."""
    # What was pruned is added, since a counter that falls looks like a restart.
    pruned = pruned_ticks(connection)
    *kept, environment = connection.execute(_KEPT_TICKS).one()
    names = _KEPT_TICKS.selected_columns.keys()
    sums = {name: number + pruned.get(name, 0) for name, number in zip(names, kept, strict=False)}
    return sums, environment


def _workers(connection: sa.Connection, beats_since: datetime) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for row in connection.execute(_LIVING):
        beats = row.last_heartbeat_at >= beats_since
        state = ("draining" if row.status == WorkerStatus.DRAINING else "running") if beats else ""
        key = (row.worker_type, state or "silent")
        found[key] = found.get(key, 0) + 1
    return found


def _of_status(status: RunStatus) -> sa.Select[Any]:
    return (
        sa.select(_r.job_name, _r.queue, _r.status, sa.func.count().label("runs"))
        .where(literal_state(_r.status, status))
        .group_by(_r.job_name, _r.queue, _r.status)
    )


_KEPT_TICKS = sa.select(*sums_of_ticks(), ENVIRONMENT.label("environment"))
_LAST_TICKS = (
    sa.select(_t.started_at, _t.took_seconds, _t.late_seconds)
    .where(HAS_COME)
    .order_by(_t.started_at.desc())
    .limit(_LEARNED_FROM)
)
_UNFINISHED = sa.union_all(_of_status(RunStatus.QUEUED), _of_status(RunStatus.RUNNING))
_OLDEST = (
    sa.select(_r.queue, sa.func.min(_r.available_at).label("since"))
    .where(literal_state(_r.status, RunStatus.QUEUED), _r.available_at <= sa.bindparam("now"))
    .group_by(_r.queue)
)
_LIVING = sa.select(_w.worker_type, _w.status, _w.last_heartbeat_at).where(
    literal_state(_w.status, *LIVING_WORKERS)
)
# Of most schedules the mark is when they fire; a calendar may drop that instant.
_RULE = sa.select(_v.rule).where(_v.id == _s.version_id, _v.rule_format > 1).scalar_subquery()
_SCHEDULES = sa.select(
    *(_s.id, _s.enabled, _s.state, _s.next_run_at, _s.consecutive_failures, _RULE.label("rule"))
).where(_s.state != ScheduleState.REMOVED)
