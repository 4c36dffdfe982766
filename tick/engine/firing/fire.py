"""Claim due schedules, plan them, write the plans: within the caller's one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import (
    PlanGroup,
    TickClaim,
    claim_due_schedules,
    find_running,
    read_plan_groups,
)
from tick.engine.firing.write_plans import Plans, write_plans
from tick.engine.ledger.backfills import in_the_way
from tick.engine.ledger.windows import windows_touching
from tick.engine.runs.cancel import cancel_runs
from tick.errors import PlanFailed
from tick.policy.planner import OverlapDecision, Plan, due_since, plan, throttle
from tick.policy.rule import Rule
from tick.policy.target import Target
from tick.policy.windows import AnyWindow, of_schedule
from tick.states import UNFINISHED_RUNS
from tick.store.tables import job_run, job_schedule, occurrence

_s, _r, _o = job_schedule.c, job_run.c, occurrence.c


@dataclass(frozen=True)
class Fired:
    """The decisions of a transaction; `throttled` schedules have a firing left for a later tick."""

    schedules: int = 0
    runs: int = 0
    throttled: int = 0


def fire_due(
    connection: sa.Connection,
    claim: TickClaim,
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
    claimed = claim_due_schedules(connection, claim, limit=limit, only=only, wait=wait)
    if not claimed:
        return Fired()
    busy = find_running(connection, claim.claim_id)
    groups, targets = read_plan_groups(connection, claim.claim_id, busy)
    groups = _split_by_cursor(connection, claim.claim_id, groups)
    since = min(group.cursor.due_since for group in groups)
    windows = windows_touching(connection, since, claim.now)
    labels = _labels(connection, claim.claim_id, windows)
    groups = list(_split_by_windows(groups, windows, labels))
    plans = [(group, _plan(group, claim.now, tick_seconds)) for group in groups]
    if most_runs is not None:
        plans = list(_throttle(plans, targets, most_runs, claim.now, tick_seconds))
    # Before the new runs are written: what is cancelled here are the old ones only.
    _replace(connection, claim, plans)
    runs = write_plans(connection, claim, plans, targets, busy)
    throttled = sum(len(group.schedules) for group, each in plans if each.throttled)
    return Fired(claimed, runs, throttled)


@contextmanager
def _planning(rule: Rule) -> Iterator[None]:
    """Raise PlanFailed, which names the rule, for any error inside the block."""
    try:
        yield
    except Exception as error:
        raise PlanFailed(
            f"planning by {rule.to_json()} failed: {type(error).__name__}: {error}"
        ) from error


def _split_by_cursor(
    connection: sa.Connection, claim_id: str, groups: Sequence[PlanGroup]
) -> list[PlanGroup]:
    """The groups, each due since its first undecided instant. Raises PlanFailed."""
    # The stored next instant only lets an index find the schedule. It was worked out some time ago,
    # and the rules of its time zone may have changed since: so a plan begins after the cursor.
    since = [_due_since(group, group.decided_to) for group in groups]
    if all(at == group.cursor.due_since for at, group in zip(since, groups, strict=True)):
        return list(groups)
    # Where an instant lies before the one that is marked, the schedules of a group may differ in
    # what they have decided: then it is split.
    rows = connection.execute(_CURSORS, {"claim": claim_id})
    cursors: dict[str, datetime] = {row.id: row.decided_to for row in rows}
    return [
        part
        for at, group in zip(since, groups, strict=True)
        for part in ([group] if at == group.cursor.due_since else _split(group, cursors))
    ]


def _split(group: PlanGroup, cursors: dict[str, datetime]) -> Iterator[PlanGroup]:
    found: dict[datetime, list[str]] = {}
    since = {at: _due_since(group, at) for at in {cursors[id] for id in group.schedules}}
    for id in group.schedules:
        found.setdefault(since[cursors[id]], []).append(id)
    for at, ids in found.items():
        yield replace(group, cursor=replace(group.cursor, due_since=at), schedules=ids)


def _due_since(group: PlanGroup, decided_to: datetime) -> datetime:
    with _planning(group.rule):
        return due_since(group.rule, decided_to, group.cursor.due_since)


def _labels(
    connection: sa.Connection, claim_id: str, windows: Sequence[AnyWindow]
) -> dict[str, Sequence[str]]:
    """The labels of the claimed schedules, if a window goes by labels."""
    if all(window.label is None for window in windows):
        return {}
    return {row.id: row.labels or () for row in connection.execute(_LABELS, {"claim": claim_id})}


def _split_by_windows(
    groups: Sequence[PlanGroup],
    windows: Sequence[AnyWindow],
    labels: Mapping[str, Sequence[str]],
) -> Iterator[PlanGroup]:
    """The groups with their windows: schedules of a group that have the same ones stay together."""
    if not windows:
        yield from groups
        return
    for group in groups:
        alike: dict[tuple[int, ...], tuple[Sequence[AnyWindow], list[str]]] = {}
        for id in group.schedules:
            its = of_schedule(windows, id, labels.get(id))
            alike.setdefault(tuple(each.id for each in its), (its, []))[1].append(id)
        for its, ids in alike.values():
            yield replace(group, schedules=ids, windows=its)


def _plan(group: PlanGroup, now: datetime, tick_seconds: float) -> Plan:
    with _planning(group.rule):
        return plan(group.rule, group.cursor, now, tick_seconds, group.windows)


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
            rule, cursor, windows = group.rule, group.cursor, group.windows
            stopped = throttle(rule, cursor, planned, now, tick_seconds, windows)
            yield replace(group, schedules=waiting), stopped


def _replace(connection: sa.Connection, claim: TickClaim, plans: Plans) -> None:
    """Cancel what still runs or is queued of the schedules whose firing replaces it."""
    replacing = {
        id: group.rule.max_concurrent
        for group, planned in plans
        if planned.fire and planned.verdict is OverlapDecision.REPLACE_BLOCKER
        for id in group.schedules
    }
    if not replacing:
        return
    its = sa.and_(_o.schedule_id.in_(replacing), *in_the_way())
    columns = (_r.id, _r.schedule_id, _r.occurrence_id)
    unfinished = sa.select(*columns).where(
        _r.occurrence_id.in_(sa.select(_o.id).where(its)), _r.status.in_(UNFINISHED_RUNS)
    )
    rows = connection.execute(unfinished).all()
    # Where several may run, the oldest make way, so that there is room for one more.
    kept = {
        occurrence_id
        for id, most in replacing.items()
        if most > 1
        for occurrence_id in sorted({row.occurrence_id for row in rows if row.schedule_id == id})[
            1 - most :
        ]
    }
    ids = [row.id for row in rows if row.occurrence_id not in kept]
    # Those that run are only asked to stop: what comes instead waits until they have.
    cancel_runs(connection, ids, now=claim.now, reason="replaced by a newer occurrence")


_LABELS = sa.select(_s.id, _s.labels).where(_s.locked_by == sa.bindparam("claim"))
_CURSORS = sa.select(_s.id, _s.decided_to).where(_s.locked_by == sa.bindparam("claim"))
