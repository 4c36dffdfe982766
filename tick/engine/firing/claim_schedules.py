"""Finds due schedules and claims them: the one place where a tick locks schedules.

A claim is a guarded UPDATE inside the transaction that also fires and releases, so a crash at any
point leaves no lock behind. SKIP LOCKED (where the database has it) only saves work.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.ledger.backfills import in_the_way
from tick.engine.ledger.zones import NO_ZONE
from tick.policy.missed import Deferral
from tick.policy.planner import Cursor
from tick.policy.rule import RULE_FORMAT, Rule
from tick.policy.target import Target
from tick.policy.windows import AnyWindow
from tick.states import Outcome
from tick.store.sql import any_of_param, json_param, json_rows
from tick.store.tables import IS_ACTIVE, job_schedule, occurrence, schedule_version

_s, _v, _o = job_schedule.c, schedule_version.c, occurrence.c
DEFERRED = (_s.deferred_to, _s.deferred_as, _s.deferred_reason)
_NOW = sa.bindparam("now_", type_=_s.locked_at.type)
_STALE = sa.bindparam("stale", type_=_s.locked_at.type)
# A claim and its release commit together, so no tick of this release leaves a lock that others see:
# one that is seen was left by something else, and must not keep its schedule out for ever.
STALE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class TickClaim:
    """A claim of a tick: its ids, and the instant and zone data by which it decides."""

    tick_id: str
    claim_id: str
    now: datetime
    zones: Collection[int] = (NO_ZONE,)


@dataclass(frozen=True)
class RunningSchedule:
    """A claimed schedule with `live` unfinished occurrences; `blocker` is the oldest of them."""

    schedule_id: str
    live: int
    blocker: int


@dataclass(frozen=True)
class PlanGroup:
    """Claimed schedules with the same rule, target and cursor, for which one plan is made.

    `target_key` names the jobs, `mode` says how they were selected. Each of the `schedules`, given
    by id, has decided everything up to `decided_to`, some perhaps more; `windows` are theirs.
    """

    rule: Rule
    cursor: Cursor
    target_key: str
    mode: str
    schedules: Sequence[str]
    decided_to: datetime
    windows: Sequence[AnyWindow] = ()


def claim_due_schedules(
    connection: sa.Connection,
    claim: TickClaim,
    *,
    limit: int,
    only: str | None = None,
    wait: bool = False,
) -> int:
    """Claim up to `limit` due schedules that go by the claim's zone data; how many.

    `only` narrows to one schedule; `wait` waits for rows that another transaction holds instead of
    passing over.
    """
    statement = _claim(connection.dialect.name, only is not None, wait)
    values = {"claim": claim.claim_id, "now_": claim.now, "zones": claim.zones, "limit_": limit}
    values["stale"] = claim.now - STALE_AFTER
    if only is not None:
        values["only"] = only
    return connection.execute(statement, values).rowcount


@cache
def _claim(dialect: str, only_one: bool, wait: bool) -> sa.Update:
    is_free = sa.or_(_s.locked_at.is_(None), _s.locked_at < _STALE)
    found = _due_ids(dialect).where(is_free)
    if only_one:
        found = found.where(_s.id == sa.bindparam("only"))
    if dialect == "postgresql":
        # In a CTE the rows are looked for, and locked, once. One that changed in between is judged
        # anew as it is locked: what the CTE names stays due.
        locked = found.with_for_update(skip_locked=not wait).cte("due")
        found = sa.select(locked.c.id)
    # The token only rises: who claimed before, and is slow, can tell that the schedule moved on.
    return (
        sa.update(job_schedule)
        .where(_s.id.in_(found))
        .values(locked_by=sa.bindparam("claim"), locked_at=_NOW, lock_token=_s.lock_token + 1)
    )


def is_for_this_release(*also: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether this release can read a schedule's rule; `also` are conditions on the version."""
    # A newer release may have written it, during a rolling deploy.
    # A scalar subquery: it is looked up by key, only for rows that satisfy the other conditions.
    found = sa.select(_v.rule_format).where(_v.id == _s.version_id, *also).correlate(job_schedule)
    return found.scalar_subquery() <= sa.literal_column(str(RULE_FORMAT))


def is_for_this_process(dialect: str) -> sa.ColumnElement[bool]:
    """Whether this release can read the rule, and has the zone data that decide it (`zones`)."""
    return is_for_this_release(any_of_param(dialect, _v.zone_data_id, "zones"))


def _is_marked_due() -> list[sa.ColumnElement[bool] | sa.TextClause]:
    return [
        IS_ACTIVE,
        _s.next_run_at <= _NOW,
        sa.or_(_s.retry_after.is_(None), _s.retry_after <= _NOW),
    ]


def any_due(connection: sa.Connection, now: datetime, zones: Collection[int] = (NO_ZONE,)) -> bool:
    """Whether some schedule is due that goes by these zone data, locked or not."""
    return bool(due_ids(connection, now, 1, zones))


def due_ids(
    connection: sa.Connection, now: datetime, limit: int, zones: Collection[int] = (NO_ZONE,)
) -> Sequence[str]:
    """The ids of due schedules that go by these zone data, the longest due first."""
    values = {"now_": now, "limit_": limit, "zones": zones}
    return connection.execute(_due_ids(connection.dialect.name), values).scalars().all()


def find_running(connection: sa.Connection, claim_id: str) -> list[RunningSchedule]:
    """The claimed schedules that have unfinished occurrences: few, as a rule."""
    rows = connection.execute(_running(connection.dialect.name), {"claim": claim_id})
    return [RunningSchedule(*row) for row in rows]


def read_plan_groups(
    connection: sa.Connection, claim_id: str, busy: Sequence[RunningSchedule]
) -> tuple[list[PlanGroup], dict[str, Target]]:
    """The claimed schedules, grouped by everything that a plan depends on, and their targets."""
    values = {"claim": claim_id, "busy": json_of(busy)}
    alike = connection.execute(_plan_groups(connection.dialect.name), values).all()
    groups: list[PlanGroup] = []
    for row in alike:
        put_off = row.deferred_to and Deferral(
            row.deferred_to, Outcome(row.deferred_as), row.deferred_reason
        )
        cursor = Cursor(row.due_since, row.live, row.fired, row.asked_for, put_off)
        rule = Rule.from_json(row.rule)
        group = PlanGroup(rule, cursor, row.target_key, row.mode, row.schedules, row.decided_to)
        groups.append(group)
    return groups, {row.target_key: Target.from_json(row.target) for row in alike}


def json_of(busy: Sequence[RunningSchedule]) -> str:
    """The parameter of `running_rows`."""
    return json_param([asdict(item) for item in busy])


def running_rows(dialect: str) -> sa.FromClause:
    """Busy schedules as a table, from a JSON parameter."""
    live, blocker = sa.column("live", sa.Integer), sa.column("blocker", sa.BigInteger)
    return json_rows(dialect, "busy", [_o.schedule_id, live, blocker], "busy")


@cache
def planned_rows(dialect: str) -> tuple[sa.FromClause, sa.FromClause]:
    """Claimed schedules (id, number of their plan), and their plans, from JSON parameters.

    A plan has its number, the instant to `fire`, by when that has to have ended, target_key, mode,
    the target's `first_job`, and the cursor: decided_to, next_run_at, retry_after, what is put off.
    """
    number, fire = sa.column("number", sa.Integer), sa.column("fire", _o.scheduled_for.type)
    target = (_v.target_key, _v.mode, sa.column("first_job", sa.String))
    cursor = (_s.decided_to, _s.next_run_at, _s.retry_after, *DEFERRED)
    claimed = [_s.id, sa.column("plan", sa.Integer)]
    ends_by = sa.column("ends_by", _o.scheduled_for.type)
    plans = json_rows(dialect, "plans", [number, fire, ends_by, *target, *cursor], "plan")
    return json_rows(dialect, "claimed", claimed, "claimed"), plans


@cache
def _plan_groups(dialect: str) -> sa.Select[Any]:
    """The groups, each with the texts of one of its versions: read once a group."""
    alike = _alike(dialect)
    return sa.select(*alike.c, _v.rule, _v.target).join(alike, alike.c.version_id == _v.id)


def _alike(dialect: str) -> sa.Subquery:
    busy = running_rows(dialect)
    as_array = sa.func.json_agg if dialect == "postgresql" else sa.func.json_group_array
    key = (
        _v.rule_key,
        _v.target_key,
        _v.mode,
        _s.next_run_at.label("due_since"),
        sa.func.coalesce(busy.c.live, 0).label("live"),
        # How often it fired matters only where a limit counts it: else no two would be alike.
        sa.case((_v.limited, _s.run_count), else_=0).label("fired"),
        _s.asked_for,
        *DEFERRED,
    )
    return (
        sa.select(
            *key,
            # Any version of the group will do, as all have the same texts.
            sa.func.min(_v.id).label("version_id"),
            sa.func.min(_s.decided_to, type_=_s.decided_to.type).label("decided_to"),
            as_array(_s.id, type_=sa.JSON).label("schedules"),
        )
        .join_from(job_schedule, schedule_version, _v.id == _s.version_id)
        .outerjoin(busy, busy.c.schedule_id == _s.id)
        .where(_s.locked_by == sa.bindparam("claim"))
        .group_by(*(column.element if isinstance(column, sa.Label) else column for column in key))
        .subquery("alike")
    )


@cache
def _running(dialect: str) -> sa.Select[Any]:
    """The claimed schedules with unfinished occurrences."""
    schedule_id: sa.ColumnElement[str] = _o.schedule_id
    if dialect == "sqlite":
        # The empty text keeps it from the index that holds the schedule's whole history.
        schedule_id = schedule_id + sa.literal_column("''")
    return (
        sa.select(
            _o.schedule_id, sa.func.count().label("live"), sa.func.min(_o.id).label("blocker")
        )
        .select_from(job_schedule.join(occurrence, schedule_id == _s.id))
        .where(_s.locked_by == sa.bindparam("claim"), *in_the_way())
        .group_by(_o.schedule_id)
    )


# Whatever the zone data: which of them this process may decide by, the same question finds out.
IS_ANY_DUE = sa.exists().select_from(job_schedule).where(*_is_marked_due(), is_for_this_release())


@cache
def _due_ids(dialect: str) -> sa.Select[Any]:
    return (
        sa.select(_s.id)
        .where(*_is_marked_due(), is_for_this_process(dialect))
        .order_by(_s.next_run_at, _s.id)
        .limit(sa.bindparam("limit_", type_=sa.Integer))
    )
