"""A worker's claim: finds runs that are ready, and makes them its own.

Dependencies are judged here, when claiming, and nowhere else: a promotion when the upstream
finishes would lose a run whose two last upstreams finish at one moment.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.define.jobs import JobDefinition
from tick.engine.runs.limits import LIMITED, Capacity
from tick.engine.runs.queues import is_paused
from tick.executors.claimed_run import ClaimedRun
from tick.states import ENDED_RUNS, LIVE_OUTCOMES, RunStatus
from tick.store.sql import any_of_param, instant_in, instant_text, literal_state, opaque_filter
from tick.store.tables import Instant, job_run, job_run_dependency, occurrence

_r = job_run.c
_NOW = sa.bindparam("now", type_=Instant)


def claim_runs(
    connection: sa.Connection,
    *,
    worker_id: str,
    now: datetime,
    limit: int,
    jobs: Mapping[str, JobDefinition],
    queues: Collection[str] | None = None,
    capacity: Capacity | None = None,
    ahead: bool = False,
) -> list[ClaimedRun]:
    """Take up to `limit` ready runs of the given `jobs`, the most urgent first.

    Each gets a fencing token of its own and its deadline. They count as started now; those that are
    taken `ahead`, of idempotent jobs whose firing has no deadline, have not started. `queues`
    narrows to some queues. Where there are limits, `capacity` is what `acquire_capacity` gave in
    the same transaction.
    """
    # Their occurrences are settled soon, in a transaction of its own: so a claim, which holds runs,
    # never waits for an occurrence, and the order of locks stays.
    if limit <= 0 or not jobs:
        return []
    values = {"worker": worker_id, "now": now, "most": limit, "known": jobs.keys()}
    values |= {"deadlines": _deadlines(jobs.values(), now)}
    values |= {"ahead": ahead, "started": None if ahead else now}
    if queues is not None:
        values["queues"] = list(queues)
    if capacity is None:
        rows = connection.execute(_claim(connection.dialect.name, queues is not None), values).all()
    else:
        rows = _claim_within(connection, capacity, values)
    # RETURNING has no order of its own.
    rows = sorted(rows, key=lambda row: (-row.priority, row.run_id))
    return _with_own_deadlines(connection, [as_claimed_run(row) for row in rows], now)


def _with_own_deadlines(
    connection: sa.Connection, runs: list[ClaimedRun], now: datetime
) -> list[ClaimedRun]:
    """The runs, whose deadlines go by what their schedules say where these say something."""
    found = [run.bounded(now) for run in runs]
    changed = [
        {"run": run.run_id, "deadline": run.deadline}
        for run, before in zip(found, runs, strict=True)
        if run.deadline != before.deadline
    ]
    # They are this transaction's, and few: most schedules leave it to their jobs.
    if changed:
        connection.execute(_OWN_DEADLINE, changed)
    return found


def _claim_within(
    connection: sa.Connection, capacity: Capacity, values: dict[str, Any]
) -> Sequence[sa.Row[Any]]:
    """Take the most urgent runs that no limit forbids."""
    # Each round looks at as many as are wanted, and leaves out what the rounds before found full:
    # a long queue of a job that is at its limit hides no other.
    dialect, limit = connection.dialect.name, values["most"]
    rows: list[sa.Row[Any]] = []
    while len(rows) < limit:
        most = limit - len(rows)
        round_ = values | capacity.full() | {"most": most}
        found = connection.execute(_candidates(dialect, "queues" in values), round_).all()
        if chosen := [row.id for row in found if capacity.take(row)]:
            rows += connection.execute(_claim_these(dialect), values | {"ids": chosen}).all()
        if len(found) < most:
            break  # the end of the queue
    return rows


CLAIMED_COLUMNS = (
    _r.id.label("run_id"),
    _r.fencing_token,
    _r.job_name,
    _r.occurrence_id,
    _r.schedule_id,
    _r.scheduled_for,
    _r.attempt,
    _r.max_attempts,
    _r.params,
    _r.deadline_at.label("deadline"),
    _r.timeout_seconds,
    _r.firing_deadline_at.label("firing_deadline"),
)
"""The columns of a ClaimedRun, in its order."""


def as_claimed_run(row: sa.Row[Any]) -> ClaimedRun:
    """The run of a row that begins with CLAIMED_COLUMNS."""
    return ClaimedRun(*row[: len(CLAIMED_COLUMNS)])


def _deadlines(jobs: Iterable[JobDefinition], now: datetime) -> str:
    """The deadline of each job as JSON. Few differ, so each text is made once."""
    timeouts = {job.name: job.timeout_seconds for job in jobs}
    instants = {
        seconds: instant_text(now + timedelta(seconds=seconds))
        for seconds in set(timeouts.values())
    }
    return json.dumps({name: instants[seconds] for name, seconds in timeouts.items()})


@cache
def _claim(dialect: str, some_queues: bool) -> sa.UpdateBase:
    picked = _pick(dialect, some_queues).cte("picked")
    return _take(dialect, _r.id.in_(sa.select(picked.c.id)))


@cache
def _claim_these(dialect: str) -> sa.UpdateBase:
    return _take(dialect, any_of_param(dialect, _r.id, "ids"))


@cache
def _candidates(dialect: str, some_queues: bool) -> sa.Select[Any]:
    has_room = (column.not_in(sa.bindparam(column.name, expanding=True)) for column in LIMITED)
    return _pick(dialect, some_queues).add_columns(*LIMITED).where(*has_room)


def _ready() -> list[Any]:
    return [
        literal_state(_r.status, RunStatus.QUEUED),
        _r.available_at <= _NOW,
        _r.cancel_requested_at.is_(None),
        sa.or_(_r.firing_deadline_at.is_(None), _r.firing_deadline_at > _NOW),
    ]


_OWN_DEADLINE = (
    sa.update(job_run)
    .where(_r.id == sa.bindparam("run"))
    .values(deadline_at=sa.bindparam("deadline"))
)


def _take(dialect: str, chosen: sa.ColumnElement[bool]) -> sa.UpdateBase:
    # The ids are locked, so to say this again changes nothing: it lets the planner take the small
    # index of the queue, and ids that a caller did not lock are no way to take a run twice.
    return (
        sa.update(job_run)
        .where(chosen, *_ready())
        .values(
            status=RunStatus.RUNNING,
            # Whoever had the run before holds a lower token, and can write nothing about it.
            fencing_token=_r.fencing_token + 1,
            attempt=_r.attempt + 1,
            worker_id=sa.bindparam("worker"),
            started_at=sa.bindparam("started", type_=Instant),
            deadline_at=instant_in(dialect, "deadlines", _r.job_name),
            # What the attempt before left behind.
            progress=sa.null(),
            progress_text=sa.null(),
            reason=sa.null(),
        )
        .returning(*CLAIMED_COLUMNS, _r.priority)
    )


def _pick(dialect: str, some_queues: bool) -> sa.Select[Any]:
    """The ids of the most urgent ready runs, passing over those that another claim holds."""
    # To be found by walking along the queue in its order until there are enough. The filters are
    # opaque so that the planner begins with none of them, such as with all runs of a job that there
    # ever were.
    picked = sa.select(_r.id).where(
        *_ready(),
        opaque_filter(any_of_param(dialect, _r.job_name, "known")),
        opaque_filter(~is_paused(_r.queue)),
        *waits_for_nothing(),
        # A run that is claimed ahead may be begun twice if its worker dies before it says so, and
        # may wait until the deadline of its firing is over.
        sa.or_(
            sa.and_(_r.idempotent, _r.firing_deadline_at.is_(None)),
            ~sa.bindparam("ahead", type_=sa.Boolean),
        ),
    )
    if some_queues:
        picked = picked.where(_r.queue.in_(sa.bindparam("queues", expanding=True)))
    return (
        picked.order_by(_r.priority.desc(), _r.id)
        .limit(sa.bindparam("most", type_=sa.Integer))
        # Key share: a row that refers to a run, such as a line of its log, need not wait.
        .with_for_update(skip_locked=True, key_share=True, of=job_run)
    )


def waits_for_nothing() -> list[sa.ColumnElement[bool]]:
    """The conditions that the runs it depends on ended well, and the occurrence before it ended."""
    return [~_waits_for_a_run(), ~_waits_for_an_occurrence()]


def _waits_for_a_run() -> sa.Exists:
    edge, upstream = job_run_dependency.c, job_run.alias("upstream")
    satisfied = sa.or_(
        upstream.c.status == RunStatus.SUCCESS,
        sa.and_(edge.tolerant, literal_state(upstream.c.status, *ENDED_RUNS)),
    )
    return _there_is(edge.run_id == _r.id, edge.depends_on_id == upstream.c.id, ~satisfied)


def _waits_for_an_occurrence() -> sa.Exists:
    """Under the overlap policies queue_one and replace, the earlier occurrence goes first."""
    own, blocker = occurrence.alias("own"), occurrence.alias("blocker")
    return _there_is(
        own.c.id == _r.occurrence_id,
        blocker.c.id == own.c.blocked_by_id,
        literal_state(blocker.c.outcome, *LIVE_OUTCOMES),
    )


def _there_is(*conditions: sa.ColumnElement[bool]) -> sa.Exists:
    # The offset has it asked for each run in turn, instead of for the whole history beforehand.
    return sa.select(sa.literal(1)).where(*conditions).offset(0).correlate(job_run).exists()


@dataclass(frozen=True)
class HeldRun:
    """A run that is RUNNING in the worker's name."""

    run: ClaimedRun
    has_started: bool
    cancel_requested: bool


def held_runs(connection: sa.Connection, worker_id: str) -> list[HeldRun]:
    """All runs that are RUNNING in the worker's name, for it to compare with what it has."""
    rows = connection.execute(_HELD, {"worker": worker_id})
    return [HeldRun(as_claimed_run(row), row.has_started, row.is_to_cancel) for row in rows]


_HELD: sa.Select[Any] = sa.select(
    *CLAIMED_COLUMNS,
    _r.started_at.is_not(None).label("has_started"),
    _r.cancel_requested_at.is_not(None).label("is_to_cancel"),
).where(_r.worker_id == sa.bindparam("worker"), literal_state(_r.status, RunStatus.RUNNING))
