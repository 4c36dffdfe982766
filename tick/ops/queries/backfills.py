"""Backfills with their progress: what is done, under way and left, and when it may be over."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import Field

from tick.engine.ledger.backfills import tick_id_of
from tick.engine.schedules.backfills import surroundings
from tick.engine.schedules.lifecycle import WITH_RULE, LockedSchedule
from tick.errors import NotFound
from tick.ops.queries.paging import paged
from tick.ops.schemas import Page, Schema
from tick.policy.backfills import waits_for
from tick.states import (
    LIVE_OUTCOMES,
    UNFINISHED_BACKFILLS,
    BackfillOverlap,
    BackfillState,
    Outcome,
)
from tick.store.sql import AnyRow
from tick.store.tables import backfill, job_schedule, occurrence

_b, _o, _s = backfill.c, occurrence.c, job_schedule.c
MOST_BACKFILLS = 50


class Backfill(Schema):
    """A span of a schedule's past that ticks work off; the numbers are instants."""

    id: int
    schedule_id: str
    since: datetime
    until: datetime
    overlap: BackfillOverlap
    max_parallel: int
    state: BackfillState
    state_at: datetime
    state_by: str
    waits_for: str | None = Field(description="why nothing more of it is queued just now")
    total: int = Field(description="that had not run when it began")
    done: int = Field(description="that have come to their end, of whatever outcome")
    failed: int
    cancelled: int
    running: int
    queued: int
    left: int = Field(description="not queued yet; of one that was cancelled, never will be")
    passed_over: int = Field(
        description="that somebody else ran meanwhile, or whose row in the ledger was pruned"
    )
    expected_end: datetime | None = Field(description="at its pace so far; null: not known")
    reason: str | None
    created_at: datetime
    created_by: str

    @property
    def is_unfinished(self) -> bool:
        """Whether it can be paused or cancelled."""
        return self.state in UNFINISHED_BACKFILLS

    @property
    def ended(self) -> int:
        """Return how many of its instants need nothing more."""
        return self.done + self.passed_over


class BackfillPage(Page[Backfill]):
    """Backfills, the newest first."""


def list_backfills(
    connection: sa.Connection,
    now: datetime,
    *,
    schedule_id: str | None = None,
    before: int | None = None,
) -> BackfillPage:
    """Return a page of backfills, of one schedule if it is given."""
    query = sa.select(backfill).order_by(_b.id.desc()).limit(MOST_BACKFILLS + 1)
    if schedule_id is not None:
        query = query.where(_b.schedule_id == schedule_id)
    if before is not None:
        query = query.where(_b.id < before)
    rows = connection.execute(query).all()
    return paged(BackfillPage, _with_progress(connection, rows, now), size=MOST_BACKFILLS)


def get_backfill(connection: sa.Connection, backfill_id: int, now: datetime) -> Backfill:
    """Return a backfill. Raises NotFound."""
    row = connection.execute(sa.select(backfill).where(_b.id == backfill_id)).first()
    if row is None:
        raise NotFound(f"There is no backfill {backfill_id}; `tick backfills list` lists them.")
    return _with_progress(connection, [row], now)[0]


def _with_progress(
    connection: sa.Connection, rows: Sequence[AnyRow], now: datetime
) -> list[Backfill]:
    names = {row.id: tick_id_of(row.id, row.overlap) for row in rows}
    counts = _outcomes(connection, list(names.values()))
    return [_backfill(connection, row, counts[names[row.id]], now) for row in rows]


def _outcomes(connection: sa.Connection, tick_ids: Sequence[str]) -> dict[str, Counter[str]]:
    """Count the occurrences of backfills by outcome; those that went well are the rest."""
    found: dict[str, Counter[str]] = {name: Counter() for name in tick_ids}
    query = (
        sa.select(_o.tick_id, _o.outcome, sa.func.count())
        .where(_o.tick_id.in_(tick_ids), _o.outcome != Outcome.SUCCESS)
        .group_by(_o.tick_id, _o.outcome)
    )
    for name, outcome, count in connection.execute(query):
        found[name][outcome] = count
    return found


def _backfill(
    connection: sa.Connection, row: AnyRow, counts: Counter[str], now: datetime
) -> Backfill:
    done = row.made - sum(counts[outcome] for outcome in LIVE_OUTCOMES)
    left = max(row.total - row.made - row.passed_over, 0) if row.decided_to < row.ends_at else 0
    return Backfill(
        id=row.id,
        schedule_id=row.schedule_id,
        since=row.starts_at,
        until=row.ends_at,
        overlap=row.overlap,
        max_parallel=row.max_parallel,
        state=row.state,
        state_at=row.state_at,
        state_by=row.state_by,
        waits_for=_waits(connection, row, now) if left else None,
        total=row.total,
        done=done,
        failed=counts[Outcome.FAILED],
        cancelled=counts[Outcome.CANCELLED],
        running=counts[Outcome.RUNNING],
        queued=counts[Outcome.QUEUED],
        left=left,
        passed_over=row.passed_over,
        expected_end=_expected_end(row, done, row.made - done + left, now),
        reason=row.reason,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _waits(connection: sa.Connection, row: AnyRow, now: datetime) -> str | None:
    if row.state != BackfillState.RUNNING:
        return None
    known = connection.execute(WITH_RULE.where(_s.id == row.schedule_id)).one()
    beside = surroundings(connection, LockedSchedule(known), row, now)
    return waits_for(BackfillOverlap(row.overlap), beside)


def _expected_end(row: AnyRow, done: int, left: int, now: datetime) -> datetime | None:
    if row.state != BackfillState.RUNNING or done <= 0 or not left:
        return None
    worked = (now - row.created_at).total_seconds() - row.paused_seconds
    return now + timedelta(seconds=max(worked, 0.0) / done * left)
