"""Runs that ended badly go back to the queue, because a person says so.

Their attempts go on being numbered, with a fresh budget of them. Their occurrence lives again, and
comes to an outcome anew when they have ended.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.engine.runs.dependents import skipped_because
from tick.engine.runs.settle import settle_occurrences
from tick.engine.runs.wake_workers import announce_ready
from tick.engine.statistics.count import count_beside, count_occurrences
from tick.errors import Busy, NotFound, Refused
from tick.policy.put_back import ENDED_BADLY, RequeuePlan, RunGraph, RunNode
from tick.states import (
    ENDED_OUTCOMES,
    UNFINISHED_RUNS,
    LogLevel,
    OccurrenceKind,
    Outcome,
    RunStatus,
)
from tick.store.sql import AnyRow, batches
from tick.store.tables import job_log, job_run, job_run_dependency, job_schedule, occurrence

_r, _d, _o, _s, _l = job_run.c, job_run_dependency.c, occurrence.c, job_schedule.c, job_log.c
ENDED = "ended"
"""The field with the state in the line that tells how an attempt ended: the last line of it."""
_MOST_TEXT = 500


def lock_occurrence(connection: sa.Connection, occurrence_id: int) -> sa.Row[Any]:
    """The occurrence as it stands, locked on PostgreSQL. Raises NotFound."""
    mine = _o.id == occurrence_id
    schedule = sa.select(_o.schedule_id).where(mine).scalar_subquery()
    # The schedule before the occurrence, as everybody does it: the two never cross.
    connection.execute(sa.select(_s.id).where(_s.id == schedule).with_for_update(key_share=True))
    locked = sa.select(occurrence).where(mine).with_for_update(key_share=True)
    row = connection.execute(locked).first()
    if row is None:
        raise NotFound(
            f"There is no occurrence {occurrence_id}; `tick runs` lists the latest runs."
        )
    return row


def read_graph(connection: sa.Connection, occurrence_id: int, *, lock: bool) -> RunGraph:
    """The runs of the occurrence, and which waits for which; with `lock` they are locked."""
    mine = _r.occurrence_id == occurrence_id
    columns = (_r.id, _r.job_name, _r.status, _r.reason, _r.skipped_for_id)
    # In the order in which a finish locks them: one that comes now waits, and then sees what this
    # transaction has put back.
    query = sa.select(*columns).where(mine).order_by(_r.id)
    runs = connection.execute(query.with_for_update(key_share=True) if lock else query).all()
    edges = sa.select(_d.run_id, _d.depends_on_id).where(mine, _d.run_id == _r.id, ~_d.tolerant)
    needs: dict[int, set[int]] = {}
    for run_id, depends_on_id in connection.execute(edges):
        needs.setdefault(run_id, set()).add(depends_on_id)
    # What a release before 0008 skips, during an upgrade say, only its reason tells.
    named = {
        skipped_because(run.job_name, status): run.id
        for run in runs[::-1]
        for status in ENDED_BADLY
    }

    def node(run: AnyRow) -> RunNode:
        skipped_for = run.skipped_for_id or named.get(run.reason)
        its = frozenset(needs.get(run.id, ()))
        return RunNode(run.id, run.job_name, RunStatus(run.status), its, skipped_for)

    return RunGraph([node(run) for run in runs])


def requeue(
    connection: sa.Connection,
    graph: RunGraph,
    plan: RequeuePlan,
    budgets: Mapping[str, int],
    *,
    now: datetime,
    reason: str,
    ends_by: datetime | None = None,
) -> list[int]:
    """Put back what the plan wants; the ids. `budgets`: attempts by name of the job.

    `ends_by` is when these have to have ended.

    Lock their occurrence first, and call `revive` afterwards. Raises Busy when one is unique and
    another run of its job is unfinished; Refused when that came up at this moment.
    """
    _check_unique(connection, plan.again)
    announce_ready(connection)
    # While the rows still say it: what happened stays counted, and its end stays in the log.
    count_beside(connection, plan.again)
    for part in batches(plan.again):
        connection.execute(_NOTE_END, {"ids": part})
    budget = sa.case(dict(budgets), value=_r.job_name, else_=1) if budgets else 1
    values = {"max_attempts": _r.attempt + budget, "available_at": now, "reason": reason}
    values |= {"firing_deadline_at": ends_by}
    put_back = _PUT_BACK.values(values)
    try:
        ids = [
            run_id
            for part in batches(plan.again)
            for run_id in connection.execute(put_back, {"ids": part}).scalars()
        ]
    except sa.exc.IntegrityError:
        # One was queued after the look above: the unique index of unfinished runs is the guard.
        raise Refused("Another run of a unique job has just been queued; look again.") from None
    _say_why_others_stay(connection, graph, plan)
    return sorted(ids)


def _say_why_others_stay(connection: sa.Connection, graph: RunGraph, plan: RequeuePlan) -> None:
    said: dict[tuple[int, str], list[int]] = {}
    for run_id, root_id in plan.held.items():
        root = graph[root_id]
        said.setdefault((root_id, skipped_because(root.job_name, root.status)), []).append(run_id)
    for run_id in plan.left_out:
        if (skipped_for := graph[run_id].skipped_for) is not None:
            words = f"{graph[skipped_for].job_name} did not succeed, and was retried without it"
            said.setdefault((skipped_for, words), []).append(run_id)
    for (root_id, words), run_ids in said.items():
        for part in batches(run_ids):
            values = {"ids": part, "root": root_id, "words": words}
            connection.execute(_STAYS_FOR, values)


def _check_unique(connection: sa.Connection, run_ids: Collection[int]) -> None:
    for part in batches(run_ids):
        clash = connection.execute(_CLASH, {"ids": part}).first()
        if clash is not None:
            raise Busy(
                f"Run {clash.id} ({clash.job_name}) is unique, and run {clash.other_id} of the "
                f"same job is {clash.status}. Wait for it to end or cancel it, then retry.",
                run_id=clash.other_id,
            )


def revive(connection: sa.Connection, was: sa.Row[Any], now: datetime) -> None:
    """Let the locked occurrence live again, and its failure count no more."""
    count_occurrences(connection, [was.id])
    # A firing by hand that fails is counted by no schedule, so there is nothing to take back.
    if was.outcome == Outcome.FAILED and was.kind != OccurrenceKind.MANUAL:
        connection.execute(
            sa.update(job_schedule)
            .where(_s.id == was.schedule_id)
            .values(
                failure_count=_one_less(_s.failure_count),
                consecutive_failures=_one_less(_s.consecutive_failures),
            )
        )
    connection.execute(
        sa.update(occurrence)
        .where(_o.id == was.id, _o.outcome == was.outcome, _o.outcome.in_(ENDED_OUTCOMES))
        .values(outcome=Outcome.RUNNING, counted=False)
    )
    settle_occurrences(connection, [was.id], now)


def _one_less(count: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.case((count > 0, count - 1), else_=0)


def _build_note_end() -> sa.Insert:
    """A line in the log of each run that ended after an attempt."""
    # The run's own row tells of its last attempt alone.
    ends = (RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.SKIPPED)
    cancelled = _r.status == RunStatus.CANCELLED
    error = sa.func.coalesce(_r.error_type + ": ", "") + sa.func.coalesce(_r.error_message, "")
    said = sa.case((cancelled, _r.reason), (_r.error_type.is_not(None), error), else_=_r.reason)
    ended = [(_r.status == end, sa.literal({ENDED: end.value}, _l.fields.type)) for end in ends]
    line = {
        "run_id": _r.id,
        "attempt": _r.attempt,
        "at": _r.finished_at,
        "level": sa.literal(LogLevel.WARNING.value),
        "message": sa.func.substr(sa.func.coalesce(said, "no reason is known"), 1, _MOST_TEXT),
        "fields": sa.case(*ended),
    }
    rows = sa.select(*line.values()).where(
        _THESE, _r.attempt > 0, _r.finished_at.is_not(None), _r.status.in_(ends)
    )
    return sa.insert(job_log).from_select(list(line), rows.order_by(_r.id))


_THESE = _r.id.in_(sa.bindparam("ids", expanding=True))
_NOTE_END = _build_note_end()
_PUT_BACK = (
    sa.update(job_run)
    .where(_THESE, _r.status.in_(ENDED_BADLY))
    .values(
        status=RunStatus.QUEUED,
        # A person who retries it gives it a fresh start with rescues as well.
        rescues=0,
        cancel_requested_at=None,
        finished_at=None,
        counted=False,
        progress=None,
        progress_text=None,
        skipped_for_id=None,
    )
    .returning(_r.id)
)
_STAYS_FOR = (
    sa.update(job_run)
    .where(_THESE, _r.status == RunStatus.SKIPPED)
    .values(skipped_for_id=sa.bindparam("root"), reason=sa.bindparam("words"))
)
_other = job_run.alias("other").c
_CLASH = (
    sa.select(_r.id, _r.job_name, _other.id.label("other_id"), _other.status)
    .where(
        _THESE,
        _r.status.in_(ENDED_BADLY),
        _other.job_name == _r.job_name,
        _other.unique_key == _r.unique_key,
        _other.status.in_(UNFINISHED_RUNS),
    )
    .order_by(_r.id)
    .limit(1)
)
