"""Corrects the plan groups by what their schedules have decided, not by when they are marked due.

The next instant of a schedule is stored so that an index finds it. It was worked out some time ago;
the rules of its time zone may have changed since. A plan therefore begins at the first instant
after the cursor.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import PlanGroup
from tick.errors import PlanFailed
from tick.policy.planner import due_since
from tick.policy.rule import Rule
from tick.store.tables import job_schedule

_s = job_schedule.c


@contextmanager
def planning(rule: Rule) -> Iterator[None]:
    """Raise PlanFailed, which names the rule, for any error inside the block."""
    try:
        yield
    except Exception as error:
        raise PlanFailed(
            f"planning by {rule.to_json()} failed: {type(error).__name__}: {error}"
        ) from error


def split_by_cursor(
    connection: sa.Connection, claim_id: str, groups: Sequence[PlanGroup]
) -> list[PlanGroup]:
    """The groups, each due since its first undecided instant. Raises PlanFailed.

    As a rule they are as they came. Where an instant lies before the one that is marked, the
    schedules of the group may differ in what they have decided: then it is split.
    """
    since = [_due_since(group, group.decided_to) for group in groups]
    if all(at == group.cursor.due_since for at, group in zip(since, groups, strict=True)):
        return list(groups)
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
    with planning(group.rule):
        return due_since(group.rule, decided_to, group.cursor.due_since)


_CURSORS = sa.select(_s.id, _s.decided_to).where(_s.locked_by == sa.bindparam("claim"))
