"""Counts ended runs and occurrences once, by hour: statistics stay fast, and outlive the rows.

A row is marked and its end added in one transaction, and the mark is a guarded UPDATE: whoever
counts at the same moment, each end is counted by one. What happened stays counted: a run that
failed and then succeeded when it was retried is one failure and one success.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.statistics.hours import ALL_TIME, add_up, sums
from tick.states import LIVE_OUTCOMES
from tick.store.sql import any_of_param, batches
from tick.store.tables import job_run, occurrence, occurrence_hour

AT_ONCE = 1000
_r, _o = job_run.c, occurrence.c

Sums = defaultdict[str, float]
Deltas = dict[tuple[datetime, str], Sums]
"""Sums to add, by hour and by name of the job or id of the schedule."""


@dataclass(frozen=True)
class Counted:
    """The ids of what was counted, and whether there may be more to count."""

    runs: Sequence[int]
    occurrences: Sequence[int]
    more: bool


def count_ended(connection: sa.Connection, limit: int = AT_ONCE) -> Counted:
    """Count at most `limit` runs and as many occurrences that ended."""
    runs = connection.execute(_find(job_run), {"most": limit}).scalars().all()
    count_runs(connection, runs)
    occurrences = connection.execute(_find(occurrence), {"most": limit}).scalars().all()
    count_occurrences(connection, occurrences)
    return Counted(runs, occurrences, limit in (len(runs), len(occurrences)))


def count_runs(connection: sa.Connection, ids: Collection[int]) -> None:
    """Count those of the runs that ended and are not counted: before they live again, or go."""
    _count(connection, job_run, ids)


def count_occurrences(connection: sa.Connection, ids: Collection[int]) -> None:
    """The same for occurrences."""
    _count(connection, occurrence, ids)


def _count(connection: sa.Connection, table: sa.Table, ids: Collection[int]) -> None:
    dialect = connection.dialect.name
    for part in batches(ids):
        # The mark first: of two that count at one moment, one gets the row, and adds its end.
        marked = connection.execute(_mark(dialect, table), {"ids": part}).scalars().all()
        if marked:
            connection.execute(_add_up(dialect, table), {"ids": marked})


def count_beside(connection: sa.Connection, run_ids: Collection[int]) -> None:
    """Count what ended in the occurrences of these runs, before some of it lives again."""
    # All at once: whoever holds rows of an hour must not wait for a run that a tick is counting.
    theirs = sa.select(_r.occurrence_id).where(_r.id.in_(sorted(run_ids)))
    ended = sa.select(_r.id).where(_UNCOUNTED["job_run"], _r.occurrence_id.in_(theirs))
    count_runs(connection, connection.execute(ended).scalars().all())


def count_of_schedule(connection: sa.Connection, schedule_id: str) -> None:
    """Count a schedule's instants that are not counted yet, before some are run after all."""
    its = sa.select(_o.id).where(_UNCOUNTED["occurrence"], _o.schedule_id == schedule_id)
    count_occurrences(connection, connection.execute(its).scalars().all())


def uncount_not_fired(
    connection: sa.Connection, schedule_id: str, outcome: str, first: datetime, count: int
) -> None:
    """Take back `count` instants of a range from `first` on, which were counted too early."""
    # They were counted as one row, in the hour of its first instant.
    hour = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours, column = occurrence_hour.c, occurrence_hour.c[outcome.lower()]
    its = sa.update(occurrence_hour).where(hours.schedule_id == schedule_id)
    for each in (ALL_TIME, hour):
        connection.execute(its.where(hours.hour == each).values({column: column - count}))


def rename_counted(connection: sa.Connection, old_id: str, new_id: str) -> None:
    """A renamed schedule keeps its statistics."""
    hours = occurrence_hour.c
    rename = sa.update(occurrence_hour).where(hours.schedule_id == old_id)
    connection.execute(rename.values(schedule_id=new_id))


def uncounted_runs(connection: sa.Connection, most: int) -> Deltas:
    """Return the sums of the newest runs that no tick has counted yet; reads only."""
    return _uncounted(connection, job_run, most)


def uncounted_occurrences(connection: sa.Connection, most: int) -> Deltas:
    """The same for occurrences."""
    return _uncounted(connection, occurrence, most)


def _uncounted(connection: sa.Connection, table: sa.Table, most: int) -> Deltas:
    rows = connection.execute(_waiting(connection.dialect.name, table), {"most": most})
    columns = list(rows.keys())[2:]
    deltas: Deltas = {}
    for hour, name, *values in rows:
        sums = deltas[hour, name] = Sums(int)
        # PostgreSQL sums whole numbers up as decimals.
        pairs = zip(columns, values, strict=True)
        sums |= {key: each if isinstance(each, float) else int(each) for key, each in pairs if each}
    return deltas


# Literals, as the partial indexes have them.
_UNCOUNTED = {
    "job_run": sa.text("NOT job_run.counted AND job_run.finished_at IS NOT NULL"),
    "occurrence": sa.text(
        "NOT occurrence.counted AND occurrence.outcome NOT IN "
        f"({', '.join(repr(str(outcome)) for outcome in LIVE_OUTCOMES)})"
    ),
}
IS_ANY_UNCOUNTED = sa.or_(
    sa.exists().where(_UNCOUNTED["job_run"]).select_from(job_run),
    sa.exists().where(_UNCOUNTED["occurrence"]).select_from(occurrence),
)


@cache
def _find(table: sa.Table) -> sa.Select[Any]:
    """The oldest that are not counted; under lock."""
    # What another transaction has locked is left to it, or to the next time.
    due = sa.select(table.c.id).where(_UNCOUNTED[table.name]).order_by(table.c.id)
    return due.limit(sa.bindparam("most", type_=sa.Integer)).with_for_update(skip_locked=True)


@cache
def _mark(dialect: str, table: sa.Table) -> sa.UpdateBase:
    these = any_of_param(dialect, table.c.id, "ids")
    marked = sa.update(table).where(these, _UNCOUNTED[table.name]).values(counted=True)
    return marked.returning(table.c.id)


@cache
def _add_up(dialect: str, table: sa.Table) -> sa.Insert:
    return add_up(dialect, table, any_of_param(dialect, table.c.id, "ids"))


@cache
def _waiting(dialect: str, table: sa.Table) -> sa.Select[Any]:
    newest = sa.select(table.c.id).where(_UNCOUNTED[table.name]).order_by(table.c.id.desc())
    chosen = table.c.id.in_(newest.limit(sa.bindparam("most", type_=sa.Integer)))
    return sa.select(*sums(dialect, table, chosen).c)
