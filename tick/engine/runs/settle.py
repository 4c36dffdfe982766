"""An occurrence comes to its outcome when its last run has ended.

Rows are counted, never counters raised, so that settling twice or late changes nothing. To be
called in a transaction of its own, after the one that ended the runs: of two workers that end the
last two runs at one moment, the one that commits last then sees both.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.runs.expire import DEADLINE_EXCEEDED
from tick.engine.runs.schedule_limits import LIMITED_RULE, heed_limits
from tick.engine.runs.wake_workers import announce_ready
from tick.policy.outcome import cases
from tick.policy.rule import Rule
from tick.states import (
    LIVE_OUTCOMES,
    UNFINISHED_RUNS,
    OccurrenceKind,
    Outcome,
    ReasonKind,
    RunStatus,
)
from tick.store.sql import MOST_BOUND, any_of_param, batches, json_param, json_rows, literal_state
from tick.store.tables import Instant, job_run, job_run_dependency, job_schedule, occurrence

_o, _r, _s = occurrence.c, job_run.c, job_schedule.c
LATE = "its deadline was over before it had ended"
_GOOD = frozenset({Outcome.SUCCESS, Outcome.PARTIAL})


def settle_occurrences(
    connection: sa.Connection, ids: Collection[int], now: datetime, *, started: Collection[int] = ()
) -> int:
    """Bring the counts of the live ones among `ids` up to date, and their outcome if all ended.

    How many came to their outcome. An occurrence is settled once: the guard is its own outcome.
    In those that are `started`, runs began and none ended: nobody waited for that.
    """
    return sum(
        _settle_locked(connection, _lock(connection, part, wait=True), now, started)
        for part in batches(ids)
    )


def settle_forgotten(connection: sa.Connection, now: datetime) -> int:
    """Settle every live occurrence that has no unfinished run, whoever ended its runs."""
    # What another transaction has locked is left to it, or to the next time.
    ids = connection.execute(_FORGOTTEN).scalars().all()
    return _settle_locked(connection, _lock(connection, ids, wait=False), now)


@dataclass(frozen=True)
class _Locked:
    """Occurrences under lock, and those of them that are at their end, schedule included."""

    ids: frozenset[int] = frozenset()
    at_end: frozenset[int] = frozenset()
    failing: frozenset[str] = frozenset()
    """The schedules among them whose last firings failed."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """The rules of the schedules among them that may have limits."""


def _lock(connection: sa.Connection, ids: Collection[int], *, wait: bool) -> _Locked:
    """Lock schedules, then occurrences, each in the order of their ids."""
    if not ids:
        return _Locked()
    dialect = connection.dialect.name
    # An occurrence that comes to its end after this look is left to whoever brought it there.
    at_end = connection.execute(_at_end_of(dialect), {"ids": ids}).all()
    wanted = {row.schedule_id for row in at_end if row.schedule_id is not None}
    # A firing without a schedule is whole without that lock.
    failures: dict[str | None, int] = {None: 0}
    rules: dict[str, Rule] = {}
    # Schedules only of occurrences at their end, for a tick passes over one that is locked.
    if wanted:
        statement = _lock_rows(dialect, *_OF_SCHEDULE, wait=wait)
        for id, in_a_row, rule in connection.execute(statement, {"ids": wanted}):
            failures[id] = in_a_row
            if rule is not None:
                rules[id] = Rule.from_json(rule)
    statement = _lock_rows(dialect, _o.id, wait=wait)
    locked = frozenset(connection.execute(statement, {"ids": ids}).scalars())
    whole = frozenset(row.id for row in at_end if row.schedule_id in failures)
    failing = frozenset(name for name, in_a_row in failures.items() if name and in_a_row)
    return _Locked(locked, locked & whole, failing, rules)


def _settle_locked(
    connection: sa.Connection, locked: _Locked, now: datetime, started: Collection[int] = ()
) -> int:
    if not locked.ids:
        return 0
    values = {"ids": locked.ids, "at_end": locked.at_end, "now": now}
    written = connection.execute(_settle(connection.dialect.name), values).all()
    settled = [row for row in written if row.outcome not in LIVE_OUTCOMES]
    has_ends = any(row.outcome in LIVE_OUTCOMES and row.id not in started for row in written)
    if has_ends or _is_waited_for(connection, settled):
        # Something may have waited for a run, or for an occurrence, that has ended.
        announce_ready(connection)
    failing = locked.failing | {row.schedule_id for row in settled if row.outcome == Outcome.FAILED}
    # Good outcomes after good ones change no counter.
    telling = (row for row in settled if row.schedule_id in failing)
    _count_failures(connection, sorted(telling, key=lambda row: row.id))
    heed_limits(connection, locked.rules, settled, now)
    return len(settled)


def _is_waited_for(connection: sa.Connection, settled: Iterable[Any]) -> bool:
    """Whether an occurrence of their schedules was to begin after one of them."""
    by_id = {row.id: row.schedule_id for row in settled if row.schedule_id is not None}
    values = {"ids": by_id.keys(), "schedules": set(by_id.values())}
    statement = _waiting_for(connection.dialect.name)
    return bool(by_id) and connection.execute(statement, values).first() is not None


def _count_failures(connection: sa.Connection, settled: Iterable[Any]) -> None:
    """Bring the counters of schedules up to date, by occurrences in the order of their ids."""
    changes: dict[str, dict[str, Any]] = {}
    for row in settled:
        # Manual firings don't count: somebody was watching those.
        if row.schedule_id is None or row.kind == OccurrenceKind.MANUAL:
            continue
        new = {"id": row.schedule_id, "failures": 0, "in_a_row": 0, "kept_row": 1}
        change = changes.setdefault(row.schedule_id, new)
        if row.outcome == Outcome.FAILED:
            change["failures"] += 1
            change["in_a_row"] += 1
        elif row.outcome in _GOOD:
            # A good outcome ends the row of failures, the part before this transaction included.
            change |= {"in_a_row": 0, "kept_row": 0}
    if changes:
        rows = json_param(list(changes.values()))
        connection.execute(_add(connection.dialect.name), {"rows": rows})


@cache
def _lock_rows(dialect: str, *columns: sa.ColumnElement[Any], wait: bool) -> sa.Select[Any]:
    """The rows under lock, by the first of the columns."""
    key = columns[0]
    rows = sa.select(*columns).where(any_of_param(dialect, key, "ids")).order_by(key)
    # Key share: whoever inserts a row that refers to one of these need not wait.
    return rows.with_for_update(key_share=True, skip_locked=not wait)


def _at_end() -> sa.Select[Any]:
    """Live occurrences without an unfinished run."""
    unfinished = sa.exists().where(
        _r.occurrence_id == _o.id, literal_state(_r.status, *UNFINISHED_RUNS)
    )
    return sa.select(_o.id, _o.schedule_id).where(
        literal_state(_o.outcome, *LIVE_OUTCOMES), ~unfinished.correlate(occurrence)
    )


@cache
def _waiting_for(dialect: str) -> sa.Select[Any]:
    """Live occurrences that one of the `ids` holds back, found by their `schedules`."""
    is_live = literal_state(_o.outcome, *LIVE_OUTCOMES)
    # No index knows the blocker; that of live occurrences begins with the schedule.
    its = any_of_param(dialect, _o.schedule_id, "schedules")
    found = sa.select(_o.id).where(is_live, its, any_of_param(dialect, _o.blocked_by_id, "ids"))
    return found.limit(1)


@cache
def _at_end_of(dialect: str) -> sa.Select[Any]:
    return _at_end().where(any_of_param(dialect, _o.id, "ids"))


def tally(*which: sa.ColumnElement[bool]) -> sa.Subquery:
    """The runs of these occurrences, counted as `outcome_in` wants them."""

    def count(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0)), 0)

    return (
        sa.select(
            _o.id,
            count(literal_state(_r.status, *UNFINISHED_RUNS)).label("unfinished"),
            count(_has_begun()).label("started"),
            count(_r.status == RunStatus.SUCCESS).label("succeeded"),
            count(_r.status == RunStatus.FAILED).label("failed"),
            # Those whose every dependent tolerates it, and that have one.
            count(_r.status == RunStatus.FAILED, _is_tolerated()).label("tolerated"),
            count(_r.status == RunStatus.SKIPPED, _is_left_out()).label("left_out"),
            count(_is_expired()).label("expired"),
            count(_r.status == RunStatus.CANCELLED).label("cancelled"),
            count(_r.status == RunStatus.SKIPPED).label("skipped"),
            sa.func.min(_r.started_at).label("first_started_at"),
            sa.func.max(_r.finished_at).label("last_finished_at"),
        )
        .select_from(occurrence.outerjoin(job_run, _r.occurrence_id == _o.id))
        .where(*which)
        .group_by(_o.id)
        .subquery("tally")
    )


def outcome_in(counted: sa.Subquery) -> sa.ColumnElement[str]:
    """The outcome of each of the occurrences in a tally: what `policy.outcome` says, as SQL."""
    return sa.case(*cases(counted.c), else_=Outcome.SUCCESS)


def _has_begun() -> sa.ColumnElement[bool]:
    """Whether it started, or a worker holds it."""
    return sa.or_(_r.started_at.is_not(None), _r.status == RunStatus.RUNNING)


def _is_expired() -> sa.ColumnElement[bool]:
    """The deadline of its firing was over when it ended, and it was not done."""
    unsuccessful = _r.status.in_((RunStatus.FAILED, RunStatus.CANCELLED))
    # Its worker's clock may be a little behind that of the claim.
    too_late = sa.or_(_r.firing_deadline_at <= _r.finished_at, _r.error_type == DEADLINE_EXCEEDED)
    # Not what somebody cancelled before, however long it took to stop.
    in_time = sa.func.coalesce(_r.cancel_requested_at < _r.firing_deadline_at, sa.false())
    return sa.and_(unsuccessful, _r.firing_deadline_at.is_not(None), too_late, ~in_time)


def _is_tolerated() -> sa.ColumnElement[bool]:
    """Somebody declared the run's failure tolerable, and nothing else waits for its success."""
    edge = job_run_dependency.c
    dependent = sa.exists().where(edge.depends_on_id == _r.id).correlate(job_run)
    return sa.and_(dependent.where(edge.tolerated), ~dependent.where(~edge.tolerant))


def _is_left_out() -> sa.ColumnElement[bool]:
    """The run that it was skipped for has succeeded since, retried without it."""
    root = job_run.alias("root")
    # Not EXISTS: for one of many rows PostgreSQL would read every run that succeeded.
    status = sa.select(root.c.status).where(root.c.id == _r.skipped_for_id).correlate(job_run)
    return status.scalar_subquery() == RunStatus.SUCCESS


@cache
def _settle(dialect: str) -> sa.UpdateBase:
    counted = tally(any_of_param(dialect, _o.id, "ids"), literal_state(_o.outcome, *LIVE_OUTCOMES))
    same = ("succeeded", "failed", "cancelled", "skipped", "first_started_at")
    ended_at = sa.func.coalesce(counted.c.last_finished_at, sa.bindparam("now", type_=Instant))
    return (
        sa.update(occurrence)
        .where(
            _o.id == counted.c.id,
            literal_state(_o.outcome, *LIVE_OUTCOMES),
            # An outcome only with the schedule under lock: its counters change with it.
            sa.or_(counted.c.unfinished > 0, any_of_param(dialect, _o.id, "at_end")),
        )
        .values({name: counted.c[name] for name in same})
        .values(
            outcome=outcome_in(counted),
            **_why_late(sa.and_(counted.c.unfinished == 0, counted.c.expired > 0)),
            last_finished_at=sa.case((counted.c.unfinished == 0, ended_at)),
            # One that an operator's retry brought back to life ends anew, and is judged anew.
            judged=sa.false(),
        )
        .returning(_o.id, _o.schedule_id, _o.kind, _o.outcome)
    )


def _why_late(is_late: sa.ColumnElement[bool]) -> dict[str, sa.ColumnElement[Any]]:
    """The reason of an occurrence whose deadline was over, beside that for which it fired."""
    told = _o.reason_kind.is_not_distinct_from(ReasonKind.DEADLINE)
    # Of one by hand, the reason is what a person said.
    its_own = _o.kind != OccurrenceKind.MANUAL
    # Retried by a person, it may end in time.
    without = sa.func.replace(sa.func.replace(_o.reason, f"; {LATE}", ""), LATE, "")
    return {
        "reason_kind": sa.case((is_late, ReasonKind.DEADLINE), (told, None), else_=_o.reason_kind),
        "reason": sa.case(
            (sa.and_(is_late, ~told, its_own), sa.func.coalesce(_o.reason + "; ", "") + LATE),
            (sa.and_(told, ~is_late, its_own), sa.func.nullif(without, "")),
            else_=_o.reason,
        ),
    }


@cache
def _add(dialect: str) -> sa.UpdateBase:
    whole = [sa.column(name, sa.Integer) for name in ("failures", "in_a_row", "kept_row")]
    record = json_rows(dialect, "rows", [_s.id, *whole], "record")
    return (
        sa.update(job_schedule)
        .where(_s.id == record.c.id)
        .values(
            failure_count=_s.failure_count + record.c.failures,
            consecutive_failures=_s.consecutive_failures * record.c.kept_row + record.c.in_a_row,
        )
    )


_OF_SCHEDULE = (_s.id, _s.consecutive_failures, LIMITED_RULE)
# In no order: for one by id, SQLite would walk through the whole history.
_FORGOTTEN = _at_end().with_only_columns(_o.id).limit(MOST_BOUND)
IS_ANY_FORGOTTEN = _at_end().exists()
