"""Sums of what ended, by name and period: of the hours, and of what no tick has counted yet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.engine.statistics.count import Deltas, Sums, uncounted_occurrences, uncounted_runs
from tick.engine.statistics.hours import ALL_TIME
from tick.states import ScheduleState
from tick.store.sql import instant_text, json_rows
from tick.store.tables import Instant, job_schedule, occurrence_hour, run_hour

MOST_UNCOUNTED = 50_000
"""Of what ended since the last tick; what is beyond that, the next ticks count."""
RATED = timedelta(days=30)
"""How far the success rate of a schedule looks back."""
_s = job_schedule.c

Table = dict[tuple[str, int], Sums]
"""Sums of the columns of the hours, by name of the job or id of the schedule, and by period."""


@dataclass(frozen=True)
class Span:
    """A period: the hours that begin in [start, end)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Names:
    """The schedules that are not removed, by id; and how many of them are on, and off."""

    by_id: dict[str, str]
    on: int
    off: int


def sum_runs(
    connection: sa.Connection, spans: Sequence[Span], job_name: str | None = None
) -> Table:
    """Sum the runs that ended in each span; of one job, if it is named. In a snapshot."""
    waiting = uncounted_runs(connection, MOST_UNCOUNTED)
    return _sum(connection, run_hour, spans, job_name, waiting)


def sum_occurrences(
    connection: sa.Connection, spans: Sequence[Span], schedule_id: str | None = None
) -> Table:
    """Sum occurrences by their nominal instants; of one schedule, if it is named. In a snapshot."""
    waiting = uncounted_occurrences(connection, MOST_UNCOUNTED)
    return _sum(connection, occurrence_hour, spans, schedule_id, waiting)


def sum_all_time(connection: sa.Connection) -> tuple[Table, Table]:
    """Sum all runs and all occurrences that ever ended, the pruned included, as period 0."""
    ever = [Span(ALL_TIME, datetime.max.replace(tzinfo=ALL_TIME.tzinfo))]
    found = []
    for table, uncounted in ((run_hour, uncounted_runs), (occurrence_hour, uncounted_occurrences)):
        hour, name, *values = table.c
        query = sa.select(sa.literal(0), name, *values).where(hour == ALL_TIME)
        sums = _read(connection, query, {})
        _add(sums, uncounted(connection, MOST_UNCOUNTED), ever)
        found.append(sums)
    return found[0], found[1]


def success_rates(
    connection: sa.Connection, since: datetime, schedule_ids: Sequence[str]
) -> dict[str, float]:
    """Return the success rate of each schedule since then, from 0 to 1; one statement."""
    # Without what no tick has counted yet: a sum of hours is enough for a percentage in a list.
    hour = occurrence_hour.c
    good, bad = sa.func.sum(hour.success + hour.partial), sa.func.sum(hour.failed)
    asked = (hour.hour >= since, hour.schedule_id.in_(schedule_ids))
    query = sa.select(hour.schedule_id, good, bad).where(*asked)
    rows = connection.execute(query.group_by(hour.schedule_id))
    return {name: int(good) / int(good + bad) for name, good, bad in rows if good + bad}


def schedule_names(connection: sa.Connection) -> Names:
    """Read the schedules' names; one statement."""
    known = _s.state != ScheduleState.REMOVED
    rows = connection.execute(sa.select(_s.id, _s.name, _s.enabled).where(known)).all()
    on = sum(row.enabled for row in rows)
    return Names({row.id: row.name for row in rows}, on, len(rows) - on)


def _sum(
    connection: sa.Connection,
    table: sa.Table,
    spans: Sequence[Span],
    only: str | None,
    waiting: Deltas,
) -> Table:
    rows = [
        {"number": number, "start": instant_text(span.start), "until": instant_text(span.end)}
        for number, span in enumerate(spans)
    ]
    query = _by_span(connection.dialect.name, table)
    if only is not None:
        query = query.where(list(table.c)[1] == only)
        waiting = {key: sums for key, sums in waiting.items() if key[1] == only}
    first, end = min(span.start for span in spans), max(span.end for span in spans)
    given = {"spans": json.dumps(rows), "first": first, "end": end}
    found = _read(connection, query, given)
    _add(found, waiting, spans)
    return found


def _read(connection: sa.Connection, query: sa.Select[Any], given: dict[str, Any]) -> Table:
    result = connection.execute(query, given)
    columns = list(result.keys())[2:]
    found: Table = {}
    for number, name, *values in result:
        sums = Sums(int)
        # PostgreSQL sums whole numbers up as decimals.
        sums.update(
            (column, value if isinstance(value, float) else int(value))
            for column, value in zip(columns, values, strict=True)
            if value
        )
        found[name, number] = sums
    return found


def _add(found: Table, waiting: Deltas, spans: Sequence[Span]) -> None:
    for (hour, name), add in waiting.items():
        for number, span in enumerate(spans):
            if span.start <= hour < span.end:
                sums = found.setdefault((name, number), Sums(int))
                for column, value in add.items():
                    sums[column] += value


@cache
def _by_span(dialect: str, table: sa.Table) -> sa.Select[Any]:
    columns: list[sa.ColumnClause[Any]] = [
        sa.column("number", sa.Integer),
        sa.column("start", Instant),
        sa.column("until", Instant),
    ]
    span = json_rows(dialect, "spans", columns, "span").c
    hour, name, *values = table.c
    query = sa.select(span.number, name, *(sa.func.sum(each).label(each.name) for each in values))
    query = query.where(hour >= span.start, hour < span.until, hour > ALL_TIME)
    if dialect == "postgresql":
        # It would go through the whole table for each span; SQLite looks each span up.
        first, end = (sa.bindparam(key, type_=Instant) for key in ("first", "end"))
        query = query.where(hour >= first, hour < end)
    return query.group_by(span.number, name)
