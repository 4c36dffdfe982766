"""What was planned, written down: ledger rows, runs and the schedules' cursors, set-based.

Rows travel as JSON parameters, so a chunk takes a constant number of statements, however many
schedules it holds. Nothing but keys is joined on: however old the database's statistics are, it
can't choose a slow plan.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import (
    DEFERRED,
    PlanGroup,
    RunningSchedule,
    json_of,
    planned_rows,
    running_rows,
)
from tick.engine.firing.enqueue import NO_JOBS, enqueue_planned
from tick.engine.firing.run_statements import fired_as
from tick.engine.ledger.rows import row_of
from tick.engine.ledger.zones import NO_ZONE
from tick.errors import PlanFailed
from tick.policy.overlap import OverlapDecision
from tick.policy.planner import Plan, must_pause
from tick.policy.target import Target
from tick.states import Outcome
from tick.store.sql import insert_ignore, instant_text, json_rows, opaque_filter
from tick.store.tables import job_run, job_schedule, occurrence

_s, _o, _r = job_schedule.c, occurrence.c, job_run.c
_NAMES_BLOCKER = {OverlapDecision.WAIT_FOR_BLOCKER, OverlapDecision.REPLACE_BLOCKER}
CATCH_UP_PAUSE = timedelta(seconds=30)

Plans = Sequence[tuple[PlanGroup, Plan]]


@dataclass(frozen=True)
class TickClaim:
    """A claim of a tick: its ids, and the instant and zone data by which it decides."""

    tick_id: str
    claim_id: str
    now: datetime
    zones: Collection[int] = (NO_ZONE,)


def write_plans(
    connection: sa.Connection,
    decision: TickClaim,
    plans: Plans,
    targets: Mapping[str, Target],
    busy: Sequence[RunningSchedule],
) -> int:
    """Write the plans of the claimed schedules, advance and release them; how many runs.

    An instant that already stands in the ledger is left alone and gets no second set of runs.
    Raises PlanFailed when a claimed schedule could not be advanced: its claim was lost.
    """
    numbered = [(number, group, plan) for number, (group, plan) in enumerate(plans)]
    claimed = [{"id": id, "plan": n} for n, group, _ in numbered for id in group.schedules]
    planned = {
        "claimed": json.dumps(claimed),
        "plans": json.dumps([_plan_row(*item, targets, decision.now) for item in numbered]),
    }
    rows = [row for item in numbered for row in _ledger_rows(*item, targets, decision.now)]
    _write_ledger(connection, decision, planned["claimed"], rows, busy)
    runs = 0
    if any(plan.fire for _, plan in plans):
        target_of = {id: group.target_key for group, _ in plans for id in group.schedules}
        runs = enqueue_planned(
            connection,
            tick_id=decision.tick_id,
            now=decision.now,
            planned=planned,
            targets=targets,
            target_of=target_of,
        )
    _advance_all(connection, decision, planned, len(claimed))
    return runs


def _write_ledger(
    connection: sa.Connection,
    decision: TickClaim,
    claimed: str,
    rows: Sequence[dict[str, Any]],
    busy: Sequence[RunningSchedule],
) -> None:
    connection.execute(
        _insert_occurrences(connection.dialect.name),
        {
            "claimed": claimed,
            "rows": json.dumps(rows),
            "busy": json_of(busy),
            "tick": decision.tick_id,
            "instant": decision.now,
        },
    )


def _advance_all(
    connection: sa.Connection, decision: TickClaim, planned: Mapping[str, str], claimed: int
) -> None:
    advanced = connection.execute(
        _advance(connection.dialect.name),
        {
            **planned,
            "claim": decision.claim_id,
            "tick": decision.tick_id,
            "instant": decision.now,
        },
    ).rowcount
    if advanced != claimed:
        raise PlanFailed(
            f"{claimed - advanced} of {claimed} claimed schedules were taken by another tick; "
            "nothing was written, and the next tick decides them."
        )


def _plan_row(
    number: int, group: PlanGroup, plan: Plan, targets: Mapping[str, Target], now: datetime
) -> dict[str, Any]:
    jobs, rule = targets[group.target_key].jobs, group.rule
    deferral = plan.deferral
    return {
        "number": number,
        "fire": instant_text(plan.fire),
        "target_key": group.target_key,
        "mode": group.mode,
        "first_job": jobs[0].name if jobs else None,
        "decided_to": instant_text(plan.decided_to),
        "next_run_at": instant_text(plan.next_run_at),
        "retry_after": instant_text(now + CATCH_UP_PAUSE) if must_pause(rule, plan, now) else None,
        "deferred_to": instant_text(deferral.until) if deferral else None,
        "deferred_as": deferral.outcome if deferral else None,
        "deferred_reason": deferral.reason if deferral else None,
    }


def _ledger_rows(
    number: int, group: PlanGroup, plan: Plan, targets: Mapping[str, Target], now: datetime
) -> list[dict[str, Any]]:
    rows = [
        _ledger_row(**row_of(entry), names_blocker=entry.outcome is Outcome.SKIPPED_OVERLAP)
        for entry in plan.not_fired
    ]
    if plan.fire is not None:
        size = len(targets[group.target_key].jobs)
        rows.append(
            _ledger_row(
                outcome=Outcome.QUEUED if size else Outcome.SUCCESS,
                scheduled_for=plan.fire,
                reason=plan.fire_reason if size else NO_JOBS,
                # An instant that a person asked for can't be late.
                late_seconds=(
                    None if group.cursor.is_requested else (now - plan.fire).total_seconds()
                ),
                names_blocker=plan.verdict in _NAMES_BLOCKER,
                runs=size,
            )
        )
    due_since = instant_text(group.cursor.due_since)
    return [{"plan": number, "due_since": due_since, "kind": group.rule.kind} | r for r in rows]


def _ledger_row(
    *,
    outcome: Outcome,
    scheduled_for: datetime,
    reason: str | None,
    names_blocker: bool,
    scheduled_until: datetime | None = None,
    count: int = 1,
    late_seconds: float | None = None,
    runs: int = 0,
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "scheduled_for": instant_text(scheduled_for),
        "scheduled_until": instant_text(scheduled_until),
        "count": count,
        "reason": reason,
        "late_seconds": late_seconds,
        "names_blocker": names_blocker,
        "runs": runs,
    }


# --- the statements, built once for each database ---


@cache
def _insert_occurrences(dialect: str) -> sa.Insert:
    claimed, _ = planned_rows(dialect)
    busy = running_rows(dialect)
    columns = [
        sa.column("plan", sa.Integer),
        sa.column("due_since", _o.scheduled_for.type),
        sa.column("names_blocker", sa.Boolean),
        *_SAME_FOR_ALL,
    ]
    row = json_rows(dialect, "rows", columns, "row")
    values: dict[str, sa.ColumnElement[Any]] = {
        "schedule_id": claimed.c.id,
        "version_id": _s.version_id,
        "blocked_by_id": sa.case((row.c.names_blocker, busy.c.blocker), else_=None),
        "tick_id": sa.bindparam("tick"),
        "decided_at": sa.bindparam("instant", type_=_o.decided_at.type),
        **{column.name: row.c[column.name] for column in _SAME_FOR_ALL},
    }
    rows = (
        sa.select(*values.values())
        .select_from(
            claimed.join(row, row.c.plan == claimed.c.plan)
            .join(job_schedule, _s.id == claimed.c.id)
            .outerjoin(busy, busy.c.schedule_id == claimed.c.id)
        )
        .order_by(row.c.due_since, claimed.c.id, row.c.scheduled_for)
    )
    return insert_ignore(dialect, occurrence).from_select(list(values), rows)


_SAME_FOR_ALL = (
    _o.kind,
    _o.scheduled_for,
    _o.scheduled_until,
    _o.count,
    _o.outcome,
    _o.reason,
    _o.late_seconds,
    _o.runs,
)


@cache
def _advance(dialect: str) -> sa.Update:
    """Move each claimed schedule past what was decided, note what it fired, and release it."""
    new = _decided(dialect).c
    did_fire = new.occurrence_id.is_not(None)
    now = sa.bindparam("instant", type_=_s.updated_at.type)
    return (
        sa.update(job_schedule)
        .where(
            _s.id == new.id,
            opaque_filter(_s.locked_by == sa.bindparam("claim")),
            sa.or_(_s.decided_to <= new.decided_to, _s.asked_for == new.decided_to),
        )
        .values(
            # It only rises, even when a person asked for an instant below it.
            decided_to=sa.case(
                (_s.decided_to < new.decided_to, new.decided_to), else_=_s.decided_to
            ),
            next_run_at=new.next_run_at,
            retry_after=new.retry_after,
            **{column.name: new[column.name] for column in DEFERRED},
            last_run_at=sa.case((did_fire, now), else_=_s.last_run_at),
            last_occurrence_id=sa.func.coalesce(new.occurrence_id, _s.last_occurrence_id),
            last_run_id=sa.func.coalesce(new.run_id, _s.last_run_id),
            run_count=_s.run_count + sa.case((did_fire, 1), else_=0),
            fire_errors=0,
            last_error=None,
            asked_for=None,
            locked_by=None,
            locked_at=None,
            updated_at=now,
        )
    )


def _decided(dialect: str) -> sa.Subquery:
    """The claimed schedules with their new cursor, what they fired in this tick, its first run."""
    claimed, plan = planned_rows(dialect)
    first_run = sa.and_(_r.occurrence_id == _o.id, opaque_filter(_r.job_name == plan.c.first_job))
    return (
        sa.select(
            claimed.c.id,
            plan.c.decided_to,
            plan.c.next_run_at,
            plan.c.retry_after,
            *(plan.c[column.name] for column in DEFERRED),
            _o.id.label("occurrence_id"),
            _r.id.label("run_id"),
        )
        .select_from(
            claimed.join(plan, plan.c.number == claimed.c.plan)
            .outerjoin(occurrence, fired_as(claimed, plan))
            .outerjoin(job_run, first_run)
        )
        .subquery("decided")
    )
