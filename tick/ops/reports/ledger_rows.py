"""Reads a schedule's ledger rows of a period: one by one, or grouped if they are plain."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import sqlalchemy as sa

from tick.policy.target import Target
from tick.states import FIRED_OUTCOMES, Outcome, RunStatus
from tick.store.sql import json_rows, literal_state
from tick.store.tables import Instant, job_run, job_run_dependency, occurrence, schedule_version

_o, _r, _d, _v = occurrence.c, job_run.c, job_run_dependency.c, schedule_version.c


class LedgerRow(NamedTuple):
    """A ledger row that stands for `instants` instants from `first` to `last`."""

    id: int
    version_id: int
    outcome: str
    first: datetime
    last: datetime
    instants: int
    nominal_for: datetime | None = None


@dataclass(frozen=True)
class LedgerSummary:
    """A schedule's ledger rows of a period, grouped.

    `instants` are those of rows for one instant each, in order; `ranges` says whether there are
    other rows. `suspects` are the ids of rows whose runs have to be checked one by one.
    """

    instants: list[datetime] = field(default_factory=list)
    ranges: bool = False
    outcomes: Counter[str] = field(default_factory=Counter)
    versions: frozenset[int] = frozenset()
    suspects: list[int] = field(default_factory=list)


def summarize_ledger(
    connection: sa.Connection,
    schedule_id: str,
    targets: Mapping[int, Target],
    start: datetime,
    end: datetime,
) -> LedgerSummary:
    """Summarize the rows with an instant in (start, end]. `targets`: by id of the version."""
    # A schedule that fires each minute has ten thousand rows a week: grouped, with their instants
    # as one text, they are read several times as fast.
    given = {"schedule": schedule_id, "start": start, "end": end, "known": _known(targets)}
    alike = connection.execute(_summary_query(connection.dialect.name), given).all()
    outcomes: Counter[str] = Counter()
    for rows in alike:
        outcomes[rows.outcome] += rows.number
    return LedgerSummary(
        sorted(map(datetime.fromisoformat, _split(rows.instants for rows in alike))),
        any(rows.is_range for rows in alike),
        outcomes,
        frozenset(rows.version_id for rows in alike),
        sorted(map(int, _split(rows.suspects for rows in alike))),
    )


def _split(lists: Iterable[str | None]) -> Iterator[str]:
    return chain.from_iterable(each.split(",") for each in lists if each)


def find_unscheduled_suspects(
    connection: sa.Connection, targets: Mapping[int, Target], start: datetime, end: datetime
) -> list[int]:
    """Return the ids of suspect firings by hand that were decided in (start, end]."""
    given = {"start": start, "end": end, "known": _known(targets)}
    rows = connection.execute(_unscheduled_query(connection.dialect.name), given).scalars()
    return sorted(filter(None, rows))


def read_targets_of_unscheduled(
    connection: sa.Connection, start: datetime, end: datetime
) -> dict[int, Target]:
    """Return the targets of firings by hand in (start, end], by id of the version."""
    query = (
        sa.select(_v.id, _v.target)
        .join_from(occurrence, schedule_version, _v.id == _o.version_id)
        .where(_o.scheduled_for.is_(None), _o.decided_at > start, _o.decided_at <= end)
        .distinct()
    )
    return {row.id: Target.from_json(row.target) for row in connection.execute(query)}


def read_rows(
    connection: sa.Connection, schedule_id: str, start: datetime, end: datetime
) -> list[LedgerRow]:
    """Return the rows with an instant in (start, end], in order."""
    given = {"schedule": schedule_id, "start": start, "end": end}
    found = [
        LedgerRow(id, version_id, outcome, first, until or first, *rest)
        for id, version_id, outcome, first, until, *rest in connection.execute(_rows_query(), given)
    ]
    found.sort(key=lambda row: (row.first, row.id))
    return found


def _known(targets: Mapping[int, Target]) -> str:
    return json.dumps(
        [
            {"id": id, "jobs": ",".join(job.name for job in each.jobs), "edges": len(each.edges)}
            for id, each in targets.items()
        ]
    )


@cache
def _rows_query() -> sa.CompoundSelect[Any]:
    columns = (_o.id, _o.version_id, _o.outcome, _o.scheduled_for, _o.scheduled_until)
    query = sa.select(*columns, _o["count"], _o.nominal_for)
    return sa.union_all(query.where(*_begins_within()), query.where(*_reaches_into()))


@cache
def _summary_query(dialect: str) -> sa.Select[Any]:
    """The query that groups the rows by version, outcome and shape."""
    is_range = sa.or_(_o.scheduled_until.is_not(None), _o["count"] != 1)
    alike = (_o.version_id, _o.outcome, sa.case((is_range, 1), else_=0).label("is_range"))
    columns = (*alike, _utc_text(dialect).label("at"))
    source, suspect = _suspect_column(dialect)
    found = sa.union_all(
        sa.select(*columns, sa.cast(suspect, sa.Text).label("suspect"))
        .select_from(source)
        .where(*_begins_within()),
        sa.select(*columns, sa.null()).where(*_reaches_into()),
    ).subquery("found")
    same = [found.c[column.name] for column in alike]
    return sa.select(
        *same,
        sa.func.count().label("number"),
        sa.func.aggregate_strings(found.c.at, ",").label("instants"),
        sa.func.aggregate_strings(found.c.suspect, ",").label("suspects"),
    ).group_by(*same)


def _utc_text(dialect: str) -> sa.ColumnElement[str]:
    """The instant of a row, in ISO 8601."""
    if dialect == "postgresql":
        in_utc = sa.func.timezone("UTC", _o.scheduled_for)
        return sa.func.to_char(in_utc, 'YYYY-MM-DD HH24:MI:SS.US"+00:00"', type_=sa.Text)
    return sa.type_coerce(_o.scheduled_for, sa.Text) + "+00:00"


@cache
def _unscheduled_query(dialect: str) -> sa.Select[Any]:
    source, suspect = _suspect_column(dialect)
    start, end = (sa.bindparam(name, type_=Instant) for name in ("start", "end"))
    decided = (_o.decided_at > start, _o.decided_at <= end)
    return sa.select(suspect).select_from(source).where(_o.scheduled_for.is_(None), *decided)


def _begins_within() -> tuple[sa.ColumnElement[bool], ...]:
    """The schedule's rows that begin in (start, end]: a range of an index."""
    schedule, start, end = _bounds()
    return _o.schedule_id == schedule, _o.scheduled_for > start, _o.scheduled_for <= end


def _reaches_into() -> tuple[sa.ColumnElement[bool], ...]:
    """The rows that begin earlier and reach into it: the index of ranges has them."""
    schedule, start, _ = _bounds()
    reaches = (_o.scheduled_until.is_not(None), _o.scheduled_until > start)
    return _o.schedule_id == schedule, *reaches, _o.scheduled_for <= start


def _bounds() -> tuple[sa.BindParameter[Any], ...]:
    types = (("schedule", sa.String()), ("start", Instant), ("end", Instant))
    return tuple(sa.bindparam(name, type_=type_) for name, type_ in types)


def _suspect_column(dialect: str) -> tuple[sa.FromClause, sa.ColumnElement[int | None]]:
    """The ledger's rows, and a column with the id of each suspect row, null for the others."""
    columns: list[sa.ColumnClause[Any]] = [
        sa.column("id", sa.Integer),
        sa.column("jobs", sa.Text),
        sa.column("edges", sa.Integer),
    ]
    known = json_rows(dialect, "known", columns, "known")
    has_run = sa.exists().where(_r.occurrence_id == _o.id).correlate(occurrence)
    is_right = sa.case(
        (_o.outcome == Outcome.SUCCESS, _is_whole(dialect, known)),
        (literal_state(_o.outcome, *FIRED_OUTCOMES), sa.false()),
        else_=sa.and_(_o.runs == 0, ~has_run),
    )
    source = occurrence.outerjoin(known, known.c.id == _o.version_id)
    return source, sa.case((is_right, sa.null()), else_=_o.id)


def _is_whole(dialect: str, known: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether all runs of a row exist, belong to it and have succeeded."""
    # One subquery for each row: a database that joined the runs might read those of all time.
    is_its_own = sa.and_(
        _r.status == RunStatus.SUCCESS,
        _r.schedule_id.is_not_distinct_from(_o.schedule_id),
        _r.scheduled_for.is_not_distinct_from(_o.scheduled_for),
        _r.started_at >= _o.first_started_at,
        _r.finished_at <= _o.last_finished_at,
    )
    edges = sa.select(sa.func.count()).where(_d.run_id == _r.id).correlate(job_run)
    whole = sa.and_(
        sa.func.count(_r.id) == _o.runs,
        _count_where(is_its_own) == _o.runs,
        sa.func.sum(edges.scalar_subquery()) == known.c.edges,
        _job_names(dialect) == known.c.jobs,
        _count_where(_r.started_at == _o.first_started_at) > 0,
        _count_where(_r.finished_at == _o.last_finished_at) > 0,
        _o.succeeded == _o.runs,
        _o.failed + _o.cancelled + _o.skipped == 0,
    )
    runs = sa.select(whole).where(_r.occurrence_id == _o.id)
    return runs.correlate(occurrence, known).scalar_subquery()


def _count_where(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """The number of rows that fulfil it; on SQLite cheaper than min and max of texts."""
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _job_names(dialect: str) -> sa.ColumnElement[str]:
    """The names of the jobs in the order of the runs; in another order the row is suspect."""
    if dialect == "postgresql":
        return sa.func.string_agg(_r.job_name, sa.text("',' ORDER BY job_run.id"))
    return sa.func.group_concat(_r.job_name)
