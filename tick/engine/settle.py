"""An occurrence comes to its outcome when its last run has ended.

Rows are counted, never counters raised, so that settling twice or late changes nothing. To be
called in a transaction of its own, after the one that ended the runs: of two workers that end the
last two runs at one moment, the one that commits last then sees both.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.db import MOST_BOUND, instant_text, json_rows, slices
from tick.models import job_run, job_run_dependency, job_schedule, occurrence
from tick.states import LIVE_OUTCOMES, UNFINISHED_RUNS, OccurrenceKind, Outcome, RunStatus

_o, _r, _s = occurrence.c, job_run.c, job_schedule.c
_GOOD = frozenset({Outcome.SUCCESS, Outcome.PARTIAL})


@dataclass(frozen=True)
class Tally:
    """The runs of one occurrence, counted by state."""

    id: int
    unfinished: int
    started: int
    succeeded: int
    failed: int
    tolerated: int
    """Those of the failed whose every dependent tolerates it, and that have one."""
    cancelled: int
    skipped: int
    first_started_at: datetime | None
    last_finished_at: datetime | None


@dataclass(frozen=True)
class Record:
    """What newly settled occurrences do to their schedule's counters."""

    id: str
    failures: int = 0
    in_a_row: int = 0
    kept_row: int = 1
    """0 when a good outcome ended the row of failures that was there before."""


def outcome_of(tally: Tally) -> Outcome:
    """What the counts mean for the occurrence. Pure."""
    if tally.unfinished:
        return Outcome.RUNNING if tally.started else Outcome.QUEUED
    if tally.failed:
        return Outcome.PARTIAL if tally.failed == tally.tolerated else Outcome.FAILED
    return Outcome.CANCELLED if tally.cancelled else Outcome.SUCCESS


def settle_occurrences(connection: sa.Connection, ids: Collection[int], now: datetime) -> int:
    """Bring the counts of the live ones among `ids` up to date, and their outcome if all ended.

    How many came to their outcome. An occurrence is settled once: the guard is its own outcome.
    """
    return sum(
        _settle_locked(connection, _lock(connection, part, wait=True), now) for part in slices(ids)
    )


def settle_forgotten(connection: sa.Connection, now: datetime) -> int:
    """Settle every live occurrence that has no unfinished run, whoever ended its runs.

    What another transaction has locked is left to it, or to the next time.
    """
    ids = connection.execute(_FORGOTTEN).scalars().all()
    return _settle_locked(connection, _lock(connection, ids, wait=False), now)


@dataclass(frozen=True)
class _Locked:
    """Occurrences under lock, and those of them that are at their end, schedule included."""

    ids: frozenset[int] = frozenset()
    at_end: frozenset[int] = frozenset()


def _lock(connection: sa.Connection, ids: Collection[int], *, wait: bool) -> _Locked:
    """Lock schedules, then occurrences, each in the order of their ids.

    A schedule is locked only for an occurrence at its end, for a tick passes over a locked one.
    An occurrence that comes to its end after this look is left to whoever brought it there.
    """
    if not ids:
        return _Locked()
    at_end = connection.execute(_AT_END, {"ids": sorted(ids)}).all()
    wanted = sorted({row.schedule_id for row in at_end if row.schedule_id is not None})
    schedules = {None}
    if wanted:
        found = connection.execute(_LOCK_SCHEDULES[wait], {"ids": wanted})
        schedules.update(found.scalars())
    locked = frozenset(connection.execute(_LOCK_OCCURRENCES[wait], {"ids": sorted(ids)}).scalars())
    whole = frozenset(row.id for row in at_end if row.schedule_id in schedules)
    return _Locked(locked, locked & whole)


def _settle_locked(connection: sa.Connection, locked: _Locked, now: datetime) -> int:
    if not locked.ids:
        return 0
    found = connection.execute(_TALLY, {"ids": sorted(locked.ids)})
    tallies = [Tally(**row._mapping) for row in found]
    rows = [_row(tally, now) for tally in tallies if tally.unfinished or tally.id in locked.at_end]
    written = connection.execute(_settle(connection.dialect.name), {"rows": json.dumps(rows)}).all()
    settled = sorted((row for row in written if row.id in locked.at_end), key=lambda row: row.id)
    _count(connection, _records(settled))
    return len(settled)


def _row(tally: Tally, now: datetime) -> dict[str, Any]:
    ended = not tally.unfinished
    return vars(tally) | {
        "outcome": outcome_of(tally),
        "first_started_at": instant_text(tally.first_started_at),
        "last_finished_at": instant_text((tally.last_finished_at or now) if ended else None),
    }


def _records(settled: Iterable[Any]) -> list[Record]:
    """The schedules' counters, from occurrences in the order of their ids.

    Manual firings don't count: somebody was watching those.
    """
    records: dict[str, Record] = {}
    for row in settled:
        if row.schedule_id is None or row.kind == OccurrenceKind.MANUAL:
            continue
        record = records.get(row.schedule_id) or Record(row.schedule_id)
        if row.outcome == Outcome.FAILED:
            record = replace(record, failures=record.failures + 1, in_a_row=record.in_a_row + 1)
        elif row.outcome in _GOOD:
            record = replace(record, in_a_row=0, kept_row=0)
        records[row.schedule_id] = record
    return list(records.values())


def _count(connection: sa.Connection, records: Collection[Record]) -> None:
    if records:
        rows = json.dumps([vars(record) for record in records])
        connection.execute(_add(connection.dialect.name), {"rows": rows})


def _ids() -> sa.BindParameter[Any]:
    return sa.bindparam("ids", expanding=True)


def _lock_rows(id_column: sa.Column[Any], *, wait: bool) -> sa.Select[Any]:
    rows = sa.select(id_column).where(id_column.in_(_ids())).order_by(id_column)
    return rows.with_for_update(key_share=True, skip_locked=not wait)


def _at_end() -> sa.Select[Any]:
    """Live occurrences without an unfinished run."""
    unfinished = sa.exists().where(_r.occurrence_id == _o.id, _r.status.in_(UNFINISHED_RUNS))
    live = ", ".join(f"'{outcome}'" for outcome in LIVE_OUTCOMES)
    return sa.select(_o.id, _o.schedule_id).where(
        # A literal, as the partial index has it.
        sa.text(f"occurrence.outcome IN ({live})"),
        ~unfinished.correlate(occurrence),
    )


def _build_tally() -> sa.Select[Any]:
    def count(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0)), 0)

    return (
        sa.select(
            _o.id,
            count(_r.status.in_(UNFINISHED_RUNS)).label("unfinished"),
            count(_has_begun()).label("started"),
            count(_r.status == RunStatus.SUCCESS).label("succeeded"),
            count(_r.status == RunStatus.FAILED).label("failed"),
            count(_r.status == RunStatus.FAILED, _is_tolerated()).label("tolerated"),
            count(_r.status == RunStatus.CANCELLED).label("cancelled"),
            count(_r.status == RunStatus.SKIPPED).label("skipped"),
            sa.func.min(_r.started_at).label("first_started_at"),
            sa.func.max(_r.finished_at).label("last_finished_at"),
        )
        .select_from(occurrence.outerjoin(job_run, _r.occurrence_id == _o.id))
        .where(_o.id.in_(_ids()), _o.outcome.in_(LIVE_OUTCOMES))
        .group_by(_o.id)
    )


def _has_begun() -> sa.ColumnElement[bool]:
    """It started, or a worker holds it, which comes to the same for who waits."""
    return sa.or_(_r.started_at.is_not(None), _r.status == RunStatus.RUNNING)


def _is_tolerated() -> sa.ColumnElement[bool]:
    """Somebody declared the run's failure tolerable, and nothing else waits for its success."""
    edge = job_run_dependency.c
    dependent = sa.exists().where(edge.depends_on_id == _r.id).correlate(job_run)
    return sa.and_(dependent.where(edge.tolerated), ~dependent.where(~edge.tolerant))


@cache
def _settle(dialect: str) -> sa.UpdateBase:
    counted = [_o.succeeded, _o.failed, _o.cancelled, _o.skipped]
    instants = [_o.first_started_at, _o.last_finished_at]
    tally = json_rows(dialect, "rows", [_o.id, _o.outcome, *counted, *instants], "tally")
    values = {column.name: tally.c[column.name] for column in [_o.outcome, *counted, *instants]}
    return (
        sa.update(occurrence)
        .where(_o.id == tally.c.id, _o.outcome.in_(LIVE_OUTCOMES))
        # One that an operator's retry brought back to life ends anew, and is judged anew.
        .values(values | {"judged": sa.false()})
        .returning(_o.id, _o.schedule_id, _o.kind, _o.outcome)
    )


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


# In no order: for one by id, SQLite would walk through the whole history.
_FORGOTTEN = _at_end().with_only_columns(_o.id).limit(MOST_BOUND)
_AT_END = _at_end().where(_o.id.in_(_ids()))
_LOCK_SCHEDULES = {wait: _lock_rows(_s.id, wait=wait) for wait in (True, False)}
_LOCK_OCCURRENCES = {wait: _lock_rows(_o.id, wait=wait) for wait in (True, False)}
_TALLY = _build_tally()
