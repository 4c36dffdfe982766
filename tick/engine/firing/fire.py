"""Claim due schedules, plan them, write the plans: within the caller's one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import (
    PlanGroup,
    claim_due_schedules,
    find_running,
    read_plan_groups,
)
from tick.engine.firing.cursors import planning, split_by_cursor
from tick.engine.firing.write_plans import Plans, TickClaim, write_plans
from tick.engine.ledger.windows import windows_touching
from tick.engine.runs.cancel import cancel_runs
from tick.policy.overlap import OverlapDecision
from tick.policy.planner import Plan, plan, throttle
from tick.policy.target import Target
from tick.policy.windows import Window
from tick.states import UNFINISHED_RUNS
from tick.store.tables import job_run


@dataclass(frozen=True)
class Fired:
    """The decisions of a transaction; `throttled` schedules have a firing left for a later tick."""

    schedules: int = 0
    runs: int = 0
    throttled: int = 0


def fire_due(
    connection: sa.Connection,
    decision: TickClaim,
    *,
    limit: int,
    tick_seconds: float,
    only: str | None = None,
    wait: bool = False,
    most_runs: int | None = None,
) -> Fired:
    """Fire up to `limit` due schedules and release them; nothing stays locked.

    `tick_seconds` is the learned distance between ticks. Once `most_runs` runs are made (the
    last firing is not cut), what else is due waits for the next tick or is HELD. Raises PlanFailed
    when a schedule can't be planned; the caller then rolls back.
    """
    claimed = claim_due_schedules(
        connection,
        claim_id=decision.claim_id,
        now=decision.now,
        limit=limit,
        zones=decision.zones,
        only=only,
        wait=wait,
    )
    if not claimed:
        return Fired()
    busy = find_running(connection, decision.claim_id)
    groups, targets = read_plan_groups(connection, decision.claim_id, busy)
    groups = split_by_cursor(connection, decision.claim_id, groups)
    since = min(group.cursor.due_since for group in groups)
    windows = windows_touching(connection, since, decision.now)
    plans = [(group, _plan(group, decision.now, tick_seconds, windows)) for group in groups]
    if most_runs is not None:
        plans = list(_throttle(plans, targets, most_runs, decision.now, tick_seconds))
    _replace(connection, decision, plans)
    runs = write_plans(connection, decision, plans, targets, busy)
    return Fired(
        claimed, runs, sum(len(group.schedules) for group, each in plans if each.throttled)
    )


def _plan(group: PlanGroup, now: datetime, tick_seconds: float, windows: Sequence[Window]) -> Plan:
    with planning(group.rule):
        return plan(group.rule, group.cursor, now, tick_seconds, windows)


def _throttle(
    plans: Plans, targets: Mapping[str, Target], most_runs: int, now: datetime, tick_seconds: float
) -> Iterator[tuple[PlanGroup, Plan]]:
    """The plans, the longest due first, until they make `most_runs` runs; the rest is throttled."""
    left = most_runs
    for group, planned in sorted(plans, key=lambda item: item[0].cursor.due_since):
        size = len(targets[group.target_key].jobs) if planned.fire else 0
        free = max(ceil(left / size), 0) if size else len(group.schedules)
        alike = sorted(group.schedules)  # the database gives them in any order
        firing, waiting = alike[:free], alike[free:]
        left -= size * len(firing)
        if firing:
            yield replace(group, schedules=firing), planned
        if waiting:
            stopped = throttle(group.rule, group.cursor, planned, now, tick_seconds)
            yield replace(group, schedules=waiting), stopped


def _replace(connection: sa.Connection, decision: TickClaim, plans: Plans) -> None:
    """Cancel what still runs or is queued of the schedules whose firing replaces it.

    The runs that come instead wait until these have stopped.
    """
    replacing = [
        id
        for group, planned in plans
        if planned.fire and planned.verdict is OverlapDecision.REPLACE_BLOCKER
        for id in group.schedules
    ]
    if not replacing:
        return
    r = job_run.c
    unfinished = sa.select(r.id).where(r.schedule_id.in_(replacing), r.status.in_(UNFINISHED_RUNS))
    ids = connection.execute(unfinished).scalars().all()
    cancel_runs(connection, ids, now=decision.now, reason="replaced by a newer occurrence")
