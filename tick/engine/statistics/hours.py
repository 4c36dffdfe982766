"""Sums up by hour and name, in the database itself: no ended row is fetched.

One statement for each table of hours. Lengths and buckets are those of tick.policy.histogram, to
the last bit.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from tick.policy.histogram import LATE_BOUNDS, PER_SECOND, TOOK_BOUNDS, WAITED_BOUNDS
from tick.states import ENDED_OUTCOMES, LIVE_OUTCOMES, OccurrenceKind, Outcome, RunStatus
from tick.store.sql import insert_into, literal_state
from tick.store.tables import (
    Instant,
    buckets,
    job_run,
    job_run_dependency,
    occurrence,
    occurrence_hour,
    run_hour,
)

ALL_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""The hour of the rows that sum up all others, and what has been pruned."""
_r, _o = job_run.c, occurrence.c
_COUNT_OF = {
    RunStatus.SUCCESS: "succeeded",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.SKIPPED: "skipped",
}
_Value = sa.ColumnElement[Any]
_Bounds = Mapping[str, Sequence[float]]


def sums(dialect: str, table: sa.Table, chosen: sa.ColumnElement[bool]) -> sa.CTE:
    """Return the sums of chosen rows that ended: the columns of run_hour or occurrence_hour."""
    return (_sums_of_runs if table is job_run else _sums_of_occurrences)(dialect, chosen)


def _sums_of_runs(dialect: str, chosen: sa.ColumnElement[bool]) -> sa.CTE:
    """By the hours in which they ended; lengths and waits are those of the last attempts."""
    was_done = _r.started_at.is_not(None) & literal_state(
        _r.status, RunStatus.SUCCESS, RunStatus.FAILED
    )
    ended = _ended(
        sa.select(
            _hour(dialect, _r.finished_at).label("hour"),
            _r.job_name.label("name"),
            _r.status.label("state"),
            _literal("1").label("number"),
            _if(was_done, _seconds(dialect, _r.started_at, _r.finished_at)).label("took"),
            _if(was_done, _waited(dialect)).label("waited"),
        ).where(chosen)
    )
    bounds = {"took": TOOK_BOUNDS, "waited": WAITED_BOUNDS}
    alike = _alike(ended, bounds)
    counts = {name: _of_state(alike, state, "number") for state, name in _COUNT_OF.items()}
    counts["lost_seconds"] = _of_state(alike, RunStatus.FAILED, "took_seconds")
    return _by_hour(run_hour, alike, bounds, counts)


def _sums_of_occurrences(dialect: str, chosen: sa.ColumnElement[bool]) -> sa.CTE:
    """By the hours of their nominal instants."""
    # A person's firing does not tell how well its schedule does: it is counted under the empty id.
    by_hand = _o.kind == _word(OccurrenceKind.MANUAL)
    its_own = sa.func.coalesce(_o.schedule_id, _word(""))
    fired = literal_state(_o.outcome, *ENDED_OUTCOMES)
    ended = _ended(
        sa.select(
            _hour(dialect, sa.func.coalesce(_o.scheduled_for, _o.decided_at)).label("hour"),
            sa.case((by_hand, _word("")), else_=its_own).label("name"),
            _o.outcome.label("state"),
            _o.count.label("number"),
            _if(fired, _seconds(dialect, _o.first_started_at, _o.last_finished_at)).label("took"),
            # Only what fired by itself can be late: a person's firing has no instant to keep.
            _if(fired & _o.triggered_by.is_(None), _o.late_seconds).label("late"),
        ).where(chosen)
    )
    bounds = {"took": TOOK_BOUNDS, "late": LATE_BOUNDS}
    alike = _alike(ended, bounds)
    states = [outcome for outcome in Outcome if outcome not in LIVE_OUTCOMES]
    counts = {state.lower(): _of_state(alike, state, "number") for state in states}
    return _by_hour(occurrence_hour, alike, bounds, counts)


def add_up(dialect: str, table: sa.Table, chosen: sa.ColumnElement[bool]) -> sa.Insert:
    """Add those sums to the table of hours, and to its rows of all time."""
    added = sums(dialect, table, chosen).c
    hours = run_hour if table is job_run else occurrence_hour
    hour, name, *values = hours.c
    ever: _Value = _literal("'1970-01-01 00:00:00.000000'")
    if dialect == "postgresql":
        ever = _literal("timestamptz '1970-01-01 00:00:00+00'")
    total = [sa.func.sum(added[value.name]) for value in values]
    of_all_time = sa.select(ever, added.name, *total).group_by(added.name)
    both = sa.union_all(sa.select(*added), of_all_time).subquery("both")
    # In one order, so that two who count never wait for each other.
    rows = sa.select(*both.c).order_by(both.c.hour, both.c.name)
    insert = insert_into(dialect, hours).from_select(list(hours.c), rows)
    risen = {value.name: value + insert.excluded[value.name] for value in values}
    return insert.on_conflict_do_update(index_elements=[hour, name], set_=risen)


def _waited(dialect: str) -> _Value:
    """Seconds since it was available and the last of what it waited for had ended."""
    upstream, edge = job_run.alias("upstream").c, job_run_dependency.c
    available = _seconds(dialect, _r.available_at, _r.started_at)
    last = sa.select(sa.func.min(_seconds(dialect, upstream.finished_at, _r.started_at)))
    freed = last.where(edge.run_id == _r.id, upstream.id == edge.depends_on_id)
    waited = sa.func.coalesce(freed.correlate(job_run).scalar_subquery(), available)
    # SQLite's min of two values is their smaller one.
    return (sa.func.least if dialect == "postgresql" else sa.func.min)(available, waited)


def _ended(rows: sa.Select[Any]) -> sa.CTE:
    # Materialized: else each length would be worked out anew for each bucket.
    return rows.cte("ended").prefix_with("MATERIALIZED")


def _alike(ended: sa.CTE, bounds: _Bounds) -> sa.CTE:
    """Rows of one hour, name and state, and of the same buckets, as one."""
    key = [ended.c.hour, ended.c.name, ended.c.state]
    rows = sa.select(
        *key,
        *(_bucket(ended.c[kind], of).label(f"{kind}_bucket") for kind, of in bounds.items()),
        sa.func.sum(ended.c.number).label("number"),
        sa.func.count().label("rows"),
        *(sa.func.sum(_exact(ended.c[kind])).label(f"{kind}_seconds") for kind in bounds),
    )
    return rows.group_by(*key, *(f"{kind}_bucket" for kind in bounds)).cte("alike")


def _by_hour(
    table: sa.Table, alike: sa.CTE, bounds: _Bounds, counts: Mapping[str, _Value]
) -> sa.CTE:
    """The table's columns, in its order: the counts, and each kind's sum and histogram."""
    made = dict(counts)
    for kind, of in bounds.items():
        made[f"{kind}_seconds"] = _total(alike.c[f"{kind}_seconds"])
        for number, column in enumerate(buckets(kind, of)):
            is_in = alike.c[f"{kind}_bucket"] == _literal(str(number))
            made[column] = _total(_if(is_in, alike.c.rows))
    _, _, *values = table.c
    columns = (made[value.name].label(value.name) for value in values)
    rows = sa.select(alike.c.hour, alike.c.name, *columns)
    return rows.group_by(alike.c.hour, alike.c.name).cte("by_hour")


def _of_state(alike: sa.CTE, state: str, column: str) -> _Value:
    return _total(_if(alike.c.state == _word(state), alike.c[column]))


def _total(value: _Value) -> _Value:
    return sa.func.coalesce(sa.func.sum(value), _literal("0"))


def _if(condition: sa.ColumnElement[bool], value: _Value) -> _Value:
    return sa.case((condition, value))


def _literal(sql: str, type_: sa.types.TypeEngine[Any] | None = None) -> sa.ColumnClause[Any]:
    return sa.literal_column(sql, type_)


def _word(text: str) -> sa.ColumnClause[str]:
    return _literal(f"'{text}'", sa.String())


def _bucket(seconds: _Value, bounds: Sequence[float]) -> _Value:
    """As tick.policy.histogram.bucket_of; null for a length that is null."""
    places: list[tuple[_Value, _Value]] = [
        (seconds <= _literal(repr(bound)), _literal(str(number)))
        for number, bound in enumerate(bounds)
    ]
    return sa.case(*places, (seconds.is_not(None), _literal(str(len(bounds)))))


def _exact(seconds: _Value) -> _Value:
    """As tick.policy.histogram.exact; null for a length that is negative, as clocks go back."""
    parts = sa.func.round(seconds * _literal(repr(PER_SECOND)))
    return _if(seconds > _literal("0"), parts * _literal(repr(1 / PER_SECOND)))


def _hour(dialect: str, instant: _Value) -> _Value:
    if dialect == "postgresql":
        return sa.func.date_trunc(_word("hour"), instant, _word("UTC"), type_=Instant)
    begun = sa.func.substr(instant, _literal("1"), _literal("13"))
    return sa.type_coerce(begun.op("||")(_word(":00:00.000000")), Instant)


def _seconds(dialect: str, start: _Value, end: _Value) -> _Value:
    """The length between two instants: the same quotient as a timedelta's."""
    if dialect == "postgresql":
        return sa.cast(sa.extract("epoch", end.op("-")(start)), sa.Double)
    length = _microseconds(end) - _microseconds(start)
    return length / _literal("1000000.0", sa.Float())


def _microseconds(instant: _Value) -> _Value:
    """Microseconds since 1970."""
    # From the text, for SQLite's own reckoning ends at the millisecond.
    second = sa.func.substr(instant, _literal("1"), _literal("19"))
    rest = sa.func.substr(instant, _literal("21"), _literal("6"))
    whole = sa.func.strftime(_word("%s"), second, type_=sa.Integer) * _literal("1000000")
    return whole + sa.cast(rest, sa.Integer)
