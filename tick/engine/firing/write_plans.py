"""Writes down what was planned: ledger rows, runs and the schedules' cursors, set-based.

Rows travel as JSON parameters, so a chunk takes a constant number of statements, however many
schedules it holds. Nothing but keys is joined on: however old the database's statistics are, it
can't choose a slow plan.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import (
    DEFERRED,
    PlanGroup,
    RunningSchedule,
    TickClaim,
    json_of,
    planned_rows,
    running_rows,
)
from tick.engine.firing.enqueue import NO_JOBS, enqueue_planned
from tick.engine.firing.run_statements import fired_as
from tick.engine.ledger.rows import held_columns, row_of
from tick.errors import PlanFailed
from tick.policy.planner import OverlapDecision, Plan, must_pause
from tick.policy.target import Target
from tick.states import Outcome
from tick.store.sql import insert_ignore, json_param, json_rows, opaque_filter
from tick.store.tables import job_run, job_schedule, occurrence

_s, _o, _r = job_schedule.c, occurrence.c, job_run.c
_NAMES_BLOCKER = {OverlapDecision.WAIT_FOR_BLOCKER, OverlapDecision.REPLACE_BLOCKER}
# One firing a tick is caught up: what is left is not due again in this one, but a minute later.
CATCH_UP_PAUSE = timedelta(seconds=30)

Plans = Sequence[tuple[PlanGroup, Plan]]


def write_plans(
    connection: sa.Connection,
    claim: TickClaim,
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
        "claimed": json_param(claimed),
        "plans": json_param([_plan_row(*item, targets, claim.now) for item in numbered]),
    }
    rows = [row for item in numbered for row in _ledger_rows(*item, targets, claim.now)]
    given = {"claimed": planned["claimed"], "rows": json_param(rows), "busy": json_of(busy)}
    values = {**given, "tick": claim.tick_id, "instant": claim.now}
    connection.execute(_insert_occurrences(connection.dialect.name), values)
    runs = 0
    if any(plan.fire for _, plan in plans):
        target_of = {id: group.target_key for group, _ in plans for id in group.schedules}
        runs = enqueue_planned(connection, claim, planned, targets, target_of)
    _advance_all(connection, claim, planned, len(claimed))
    return runs


def _advance_all(
    connection: sa.Connection, claim: TickClaim, planned: Mapping[str, str], claimed: int
) -> None:
    values = {**planned, "claim": claim.claim_id, "tick": claim.tick_id, "instant": claim.now}
    advanced = connection.execute(_advance(connection.dialect.name), values).rowcount
    # Rows and runs of a schedule that somebody else claimed meanwhile must not stand: the exception
    # rolls them back.
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
        "fire": plan.fire,
        "ends_by": rule.ends_by(now),
        "target_key": group.target_key,
        "mode": group.mode,
        "first_job": jobs[0].name if jobs else None,
        "decided_to": plan.decided_to,
        "next_run_at": plan.next_run_at,
        "retry_after": now + CATCH_UP_PAUSE if must_pause(rule, plan, now) else None,
        "deferred_to": deferral.until if deferral else None,
        "deferred_as": deferral.outcome if deferral else None,
        "deferred_reason": deferral.reason if deferral else None,
    }


def _ledger_rows(
    number: int, group: PlanGroup, plan: Plan, targets: Mapping[str, Target], now: datetime
) -> list[dict[str, Any]]:
    """The rows of one plan. What a row leaves out is NULL: a missing JSON key becomes that."""
    rows = [
        row_of(entry) | {"runs": 0, "names_blocker": entry.outcome is Outcome.SKIPPED_OVERLAP}
        for entry in plan.not_fired
    ]
    if plan.fire is not None:
        size = len(targets[group.target_key].jobs)
        fired: dict[str, Any] = {
            "outcome": Outcome.QUEUED if size else Outcome.SUCCESS,
            "scheduled_for": plan.fire,
            "nominal_for": plan.nominal_for,
            "count": 1,
            "reason": plan.fire_reason if size else NO_JOBS,
            "names_blocker": plan.verdict in _NAMES_BLOCKER,
            "runs": size,
            **held_columns(plan.hold),
        }
        # An instant that a person asked for can't be late.
        if not group.cursor.is_requested:
            fired["late_seconds"] = (now - plan.fire).total_seconds()
        rows.append(fired)
    due = {"plan": number, "due_since": group.cursor.due_since, "kind": group.rule.kind}
    return [due | row for row in rows]


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
        # The longest due first, so that ids, and with them the order of claims, follow time.
        .order_by(row.c.due_since, claimed.c.id, row.c.scheduled_for)
    )
    return insert_ignore(dialect, occurrence).from_select(list(values), rows)


_SAME_FOR_ALL = (
    *(_o.kind, _o.scheduled_for, _o.scheduled_until, _o.nominal_for, _o.count),
    *(_o.outcome, _o.reason, _o.reason_kind, _o.late_seconds, _o.runs),
    *(_o.held_by, _o.held_until),
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
            # Two fences: the claim is still ours, and nothing that was decided is decided again
            # unless a person asked for that very instant.
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
