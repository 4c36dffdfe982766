"""What ended is counted, once, into the tables of hours: so statistics stay fast, and outlive rows.

A row is marked and its end added in one transaction, and the mark is a guarded UPDATE: whoever
counts at the same moment, each end is counted by one. What happened stays counted: a run that
failed and then succeeded when it was retried is one failure and one success.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.policy.histogram import LATE_BOUNDS, TOOK_BOUNDS, WAITED_BOUNDS, bucket_of, exact
from tick.states import ENDED_OUTCOMES, LIVE_OUTCOMES, OccurrenceKind, RunStatus
from tick.store.database import insert_into, instant_text, json_rows, slices
from tick.store.tables import job_run, job_run_dependency, occurrence, occurrence_hour, run_hour

AT_ONCE = 1000
ALL_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""The hour of the rows that sum up all others, and what has been pruned."""
_r, _o, _d = job_run.c, occurrence.c, job_run_dependency.c
_COUNT_OF = {
    RunStatus.SUCCESS: "succeeded",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.SKIPPED: "skipped",
}

Sums = defaultdict[str, float]
Deltas = dict[tuple[datetime, str], Sums]
"""What to add, by hour and by name of the job or id of the schedule."""


@dataclass(frozen=True)
class EndedRun:
    """A run that ended."""

    id: int
    job_name: str
    status: str
    available_at: datetime
    started_at: datetime | None
    finished_at: datetime


@dataclass(frozen=True)
class EndedOccurrence:
    """An occurrence that came to its outcome, or instants that did not fire."""

    id: int
    schedule_id: str | None
    kind: str
    outcome: str
    count: int
    scheduled_for: datetime | None
    decided_at: datetime
    late_seconds: float | None
    triggered_by: str | None
    first_started_at: datetime | None
    last_finished_at: datetime | None


@dataclass(frozen=True)
class Counted:
    """The ids of what was counted, and whether there may be more to count."""

    runs: Sequence[int]
    occurrences: Sequence[int]
    more: bool


def count_ended(connection: sa.Connection, limit: int = AT_ONCE) -> Counted:
    """Count at most `limit` runs and as many occurrences that ended.

    What another transaction has locked is left to it, or to the next time.
    """
    runs = connection.execute(_find(job_run), {"most": limit}).scalars().all()
    count_runs(connection, runs)
    occurrences = connection.execute(_find(occurrence), {"most": limit}).scalars().all()
    count_occurrences(connection, occurrences)
    return Counted(runs, occurrences, limit in (len(runs), len(occurrences)))


def count_runs(connection: sa.Connection, ids: Collection[int]) -> None:
    """Count those of the runs that ended and are not counted; before they live again, or go."""
    for part in slices(ids):
        rows = connection.execute(_mark(job_run), {"ids": part})
        runs = [EndedRun(**row._mapping) for row in rows]
        _write(connection, run_hour, tally_runs(runs, _ready_since(connection, runs)))


def count_occurrences(connection: sa.Connection, ids: Collection[int]) -> None:
    """The same for occurrences."""
    for part in slices(ids):
        rows = connection.execute(_mark(occurrence), {"ids": part})
        ended = [EndedOccurrence(**row._mapping) for row in rows]
        _write(connection, occurrence_hour, tally_occurrences(ended))


def count_beside(connection: sa.Connection, run_ids: Collection[int]) -> None:
    """Count what ended in the occurrences of these runs, before some of it lives again.

    All at once: whoever holds rows of an hour must not wait for a run that a tick is counting.
    """
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
    taken = Sums(int, {outcome.lower(): -count})
    _write(connection, occurrence_hour, {(_hour_of(first), schedule_id): taken})


def rename_counted(connection: sa.Connection, old_id: str, new_id: str) -> None:
    """A renamed schedule keeps its statistics."""
    hours = occurrence_hour.c
    rename = sa.update(occurrence_hour).where(hours.schedule_id == old_id)
    connection.execute(rename.values(schedule_id=new_id))


def uncounted_runs(connection: sa.Connection, most: int) -> Deltas:
    """What the newest runs that ended since the last tick would add; reads only."""
    query = sa.select(_SINCE, *_columns(EndedRun, job_run)).where(_UNCOUNTED["job_run"])
    rows = connection.execute(query.order_by(_r.id.desc()).limit(most)).all()
    runs = [EndedRun(*run) for _, *run in rows]
    return tally_runs(runs, {row.id: row.since for row in rows if row.since is not None})


def uncounted_occurrences(connection: sa.Connection, most: int) -> Deltas:
    """The same for occurrences."""
    query = sa.select(*_columns(EndedOccurrence, occurrence)).where(_UNCOUNTED["occurrence"])
    rows = connection.execute(query.order_by(_o.id.desc()).limit(most))
    return tally_occurrences(EndedOccurrence(**row._mapping) for row in rows)


def tally_runs(runs: Iterable[EndedRun], ready_since: Mapping[int, datetime]) -> Deltas:
    """What the runs add to their hours. Pure. `ready_since`: by id, when the last upstream ended.

    A length is that of the last attempt, and a wait is the time for which that was ready to start.
    """
    deltas: Deltas = {}
    for run in runs:
        add = deltas.setdefault((_hour_of(run.finished_at), run.job_name), Sums(int))
        add[_COUNT_OF[RunStatus(run.status)]] += 1
        if run.started_at is None or run.status not in (RunStatus.SUCCESS, RunStatus.FAILED):
            continue
        ready = max(run.available_at, ready_since.get(run.id, run.available_at))
        took = _add_length(add, "took", TOOK_BOUNDS, run.started_at, run.finished_at)
        _add_length(add, "waited", WAITED_BOUNDS, ready, run.started_at)
        if run.status == RunStatus.FAILED:
            add["lost_seconds"] += took
    return deltas


def tally_occurrences(occurrences: Iterable[EndedOccurrence]) -> Deltas:
    """What the occurrences add to the hours of their nominal instants. Pure.

    Only what fired by itself can be late: a person's firing has no instant to keep. Nor does it
    tell how well its schedule does, so it is counted under the empty id.
    """
    deltas: Deltas = {}
    for each in occurrences:
        hour = _hour_of(each.scheduled_for or each.decided_at)
        by_hand = each.kind == OccurrenceKind.MANUAL
        add = deltas.setdefault((hour, "" if by_hand else each.schedule_id or ""), Sums(int))
        add[each.outcome.lower()] += each.count
        if each.outcome not in ENDED_OUTCOMES:
            continue
        if each.late_seconds is not None and each.triggered_by is None:
            _add(add, "late", LATE_BOUNDS, max(0.0, each.late_seconds))
        if each.first_started_at is not None and each.last_finished_at is not None:
            _add_length(add, "took", TOOK_BOUNDS, each.first_started_at, each.last_finished_at)
    return deltas


def _ready_since(connection: sa.Connection, runs: Iterable[EndedRun]) -> dict[int, datetime]:
    """When the last of what each run waited for had ended."""
    found: dict[int, datetime] = {}
    for part in slices(run.id for run in runs if run.started_at is not None):
        found |= {row.run_id: row.since for row in connection.execute(_READY, {"ids": part})}
    return found


def _write(connection: sa.Connection, table: sa.Table, deltas: Deltas) -> None:
    """Add the deltas to their hours, and to the rows of all time."""
    if not deltas:
        return
    total: Deltas = {}
    for (_, name), add in deltas.items():
        sums = total.setdefault((ALL_TIME, name), Sums(int))
        for value, number in add.items():
            sums[value] += number
    hour, name, *values = (column.name for column in table.c)
    rows = [
        {hour: instant_text(key[0]), name: key[1], **{value: add[value] for value in values}}
        for key, add in sorted({**deltas, **total}.items())
    ]
    connection.execute(_add_up(connection.dialect.name, table), {"rows": json.dumps(rows)})


def _hour_of(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _add_length(
    add: Sums, kind: str, bounds: Sequence[float], start: datetime, end: datetime
) -> float:
    return _add(add, kind, bounds, max(0.0, (end - start).total_seconds()))


def _add(add: Sums, kind: str, bounds: Sequence[float], seconds: float) -> float:
    length = exact(seconds)
    add[f"{kind}_seconds"] += length
    add[f"{kind}_{bucket_of(seconds, bounds)}"] += 1
    return length


def _columns(kind: type, table: sa.Table) -> list[sa.Column[Any]]:
    return [table.c[field.name] for field in fields(kind)]


# Literals, as the partial indexes have them.
_UNCOUNTED = {
    "job_run": sa.text("NOT job_run.counted AND job_run.finished_at IS NOT NULL"),
    "occurrence": sa.text(
        "NOT occurrence.counted AND occurrence.outcome NOT IN "
        f"({', '.join(repr(str(outcome)) for outcome in LIVE_OUTCOMES)})"
    ),
}
_KINDS = {"job_run": EndedRun, "occurrence": EndedOccurrence}
IS_ANY_UNCOUNTED = sa.or_(
    *(
        sa.exists().where(_UNCOUNTED[table.name]).select_from(table)
        for table in (job_run, occurrence)
    )
)


@cache
def _find(table: sa.Table) -> sa.Select[Any]:
    """The oldest that are not counted, and that nobody else has locked; under lock."""
    due = sa.select(table.c.id).where(_UNCOUNTED[table.name]).order_by(table.c.id)
    return due.limit(sa.bindparam("most", type_=sa.Integer)).with_for_update(skip_locked=True)


@cache
def _mark(table: sa.Table) -> sa.UpdateBase:
    these = table.c.id.in_(sa.bindparam("ids", expanding=True))
    marked = sa.update(table).where(these, _UNCOUNTED[table.name]).values(counted=True)
    return marked.returning(*_columns(_KINDS[table.name], table))


@cache
def _add_up(dialect: str, table: sa.Table) -> sa.Insert:
    row = json_rows(dialect, "rows", list(table.c), "row")
    hour, name, *values = table.c
    insert = insert_into(dialect, table).from_select(
        list(table.c), sa.select(*row.c).order_by(row.c[hour.name], row.c[name.name])
    )
    added = {value.name: value + insert.excluded[value.name] for value in values}
    return insert.on_conflict_do_update(index_elements=[hour, name], set_=added)


_upstream = job_run.alias("upstream").c
_ENDED_UPSTREAM = sa.and_(_upstream.id == _d.depends_on_id, _upstream.finished_at.is_not(None))
_READY = (
    sa.select(_d.run_id, sa.func.max(_upstream.finished_at).label("since"))
    .where(_d.run_id.in_(sa.bindparam("ids", expanding=True)), _ENDED_UPSTREAM)
    .group_by(_d.run_id)
)
_SINCE = (
    sa.select(sa.func.max(_upstream.finished_at))
    .where(_d.run_id == _r.id, _ENDED_UPSTREAM)
    .correlate(job_run)
    .scalar_subquery()
    .label("since")
)
