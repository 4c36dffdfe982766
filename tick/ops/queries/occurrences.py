"""The ledger: the shape of its rows, and how they are found and listed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.engine.ledger.rows import covering_id
from tick.errors import NotFound
from tick.ops.queries.id_ranges import SEARCHED, find_id_range
from tick.ops.queries.paging import PAGE_ROWS, paged, sorted_ids
from tick.ops.queries.runs import Run, runs_of_occurrence
from tick.ops.schemas import Internal, Page, Schema
from tick.states import (
    LIVE_OUTCOMES,
    NOT_FIRED_OUTCOMES,
    HeldBy,
    OccurrenceKind,
    Outcome,
    ReasonKind,
)
from tick.store.sql import literal_state
from tick.store.tables import job_schedule, occurrence

_o, _s = occurrence.c, job_schedule.c
UNWANTED = (
    Outcome.FAILED,
    Outcome.PARTIAL,
    Outcome.MISSED,
    Outcome.SKIPPED_OVERLAP,
    Outcome.FIRE_FAILED,
    Outcome.HELD,
)
LATEST = 10_000
_UNUSUAL = frozenset(Outcome) - {*LIVE_OUTCOMES, Outcome.SUCCESS}
_IS_LIVE = literal_state(_o.outcome, *LIVE_OUTCOMES)
_IS_UNUSUAL = ~literal_state(_o.outcome, *LIVE_OUTCOMES, Outcome.SUCCESS)


class Occurrence(Schema):
    """One row of the ledger: a firing, or instants that did not fire, with the reason."""

    id: int
    schedule_id: str | None
    name: str = Field(description="of the schedule, or what a manual firing was of")
    kind: OccurrenceKind
    scheduled_for: datetime | None = Field(description="when it was due; null if manual")
    nominal_for: datetime | None = Field(
        description="the rule's own instant, where a calendar moved it"
    )
    scheduled_until: datetime | None = Field(description="the last instant of a range not fired")
    count: int = Field(description="how many instants this row stands for")
    outcome: Outcome
    reason: str | None
    reason_kind: ReasonKind | None = Field(description="what kept it from firing")
    held_by: HeldBy | None = Field(description="what let it be decided later than it was due")
    held_until: datetime | None = Field(description="from then on it could be decided")
    blocked_by_id: int | None = Field(description="the occurrence that held this one back")
    late_seconds: float | None
    triggered_by: str | None
    decided_at: datetime
    first_started_at: datetime | None
    last_finished_at: datetime | None
    runs: int
    succeeded: int
    failed: int
    cancelled: int
    skipped: int

    @property
    def is_live(self) -> bool:
        """Whether some of its runs have not finished."""
        return self.outcome in LIVE_OUTCOMES

    @property
    def can_be_run(self) -> bool:
        """Whether it holds instants that did not fire, and may still be run as those instants."""
        return self.outcome in NOT_FIRED_OUTCOMES and self.scheduled_for is not None

    @property
    def can_be_retried(self) -> bool:
        """Whether some of its runs failed, were cancelled, or were left out of a retry."""
        return self.failed + self.cancelled > 0 or self.outcome == Outcome.FAILED

    @property
    def ended(self) -> int:
        """Return how many of its runs have ended, in whatever way."""
        return self.succeeded + self.failed + self.cancelled + self.skipped

    def took_seconds(self, now: datetime) -> float | None:
        """Return the time from first start to last end, or to `now` while it lives; None before."""
        if self.first_started_at is None:
            return None
        end = now if self.is_live else self.last_finished_at or now
        return max(0.0, (end - self.first_started_at).total_seconds())


class OccurrenceWithRuns(Schema):
    """An occurrence, and its runs in dependency order (at most 500)."""

    occurrence: Occurrence
    runs: tuple[Run, ...]


_NAME = sa.func.coalesce(
    _s.name, _o.title, _o.schedule_id, sa.literal_column("'Manual firing'"), type_=sa.String
)
_NAMED = sa.select(
    *(_o[name] for name in Occurrence.model_fields if name in _o), _NAME.label("name")
).outerjoin_from(occurrence, job_schedule, _s.id == _o.schedule_id)


def get_occurrence(connection: sa.Connection, occurrence_id: int) -> Occurrence:
    """Return a row of the ledger. Raises NotFound."""
    row = connection.execute(_NAMED.where(_o.id == occurrence_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no occurrence {occurrence_id}; it may have been pruned.")
    return Occurrence(**row._mapping)


def read_occurrence(connection: sa.Connection, occurrence_id: int) -> OccurrenceWithRuns:
    """Return an occurrence with its runs. Raises NotFound."""
    return OccurrenceWithRuns(
        occurrence=get_occurrence(connection, occurrence_id),
        runs=tuple(runs_of_occurrence(connection, occurrence_id)),
    )


class OccurrencePage(Page[Occurrence]):
    """Occurrences, newest first."""

    searched: Internal[int | None] = None
    """How many rows were searched, if too few of them matched; `next` searches older ones."""


def queued_until(connection: sa.Connection, occurrence_id: int, at: datetime) -> datetime | None:
    """Return since when an occurrence was queued, if no worker had begun it at that instant."""
    row = connection.execute(
        sa.select(_o.decided_at, _o.first_started_at).where(_o.id == occurrence_id)
    ).first()
    if row is None or (row.first_started_at is not None and row.first_started_at <= at):
        return None
    since: datetime = row.decided_at
    return since


def list_occurrences(
    connection: sa.Connection,
    schedule_id: str | None,
    *,
    outcomes: Iterable[Outcome] = (),
    between: tuple[datetime, datetime] | None = None,
    before: int | None = None,
    size: int = PAGE_ROWS,
) -> OccurrencePage:
    """Return a page of the ledger, newest first: of a schedule or all, of some outcomes or all.

    `between` selects a schedule's rows with an instant at or after the first, before the second.
    """
    chosen = list(outcomes)
    query = _NAMED if schedule_id is None else _NAMED.where(_o.schedule_id == schedule_id)
    if chosen:
        query = query.where(literal_state(_o.outcome, *chosen))
    if between is not None:
        if schedule_id is None:
            raise ValueError("the rows of a time are those of one schedule")
        query = query.where(_o.id.in_(_ids_between(schedule_id, *between)))
        return _page(connection, query, sorted_ids(_o.id), before, size)
    if not chosen:  # the primary key has them in order
        return _page(connection, query, _o.id, before, size)
    # An index of unfinished occurrences holds few rows, however long the ledger.
    if set(chosen) <= set(LIVE_OUTCOMES):
        return _page(connection, query.where(_IS_LIVE), sorted_ids(_o.id), before, size)
    # One index has each of these outcomes in the order of ids.
    if set(chosen) <= _UNUSUAL:
        query = query.where(_o.id.in_(_newest_unusual(schedule_id, chosen, before, size)))
        return _page(connection, query, sorted_ids(_o.id), before, size)
    # SUCCESS is in no index, since nearly all rows have it: a bounded part at a time.
    id_range = find_id_range(
        connection, _o.id, _o.decided_at, since=None, until=None, before=before
    )
    page = _page(connection, query.where(id_range.contains(_o.id)), _o.id, None, size)
    if page.next is None and id_range.goes_on:
        return OccurrencePage(items=page.items, next=str(id_range.start), searched=SEARCHED)
    return page


def _page(
    connection: sa.Connection,
    query: sa.Select[Any],
    ids: sa.ColumnElement[int],
    before: int | None,
    size: int,
) -> OccurrencePage:
    if before is not None:
        query = query.where(ids < before)
    found = connection.execute(query.order_by(ids.desc()).limit(size + 1))
    return paged(OccurrencePage, [Occurrence(**row._mapping) for row in found], size)


def _ids_between(schedule_id: str, start: datetime, end: datetime) -> sa.CompoundSelect[tuple[int]]:
    """Select the rows of a time: beginning in it, reaching into it, and firings by hand."""
    its, at = sa.select(_o.id).where(_o.schedule_id == schedule_id), _o.decided_at
    by_hand = sa.select(_o.id).where(_o.scheduled_for.is_(None), at >= start, at < end)
    return sa.union_all(
        its.where(_o.scheduled_for >= start, _o.scheduled_for < end),
        sa.select(covering_id(schedule_id, start)),
        # Not by the bare id, or SQLite would read all that were ever fired by hand.
        by_hand.where(_o.schedule_id.concat("") == schedule_id),
    )


def _newest_unusual(
    schedule_id: str | None, outcomes: Collection[Outcome], before: int | None, size: int
) -> sa.CompoundSelect[tuple[int]]:
    """Select the ids of a page of each outcome."""
    rows = sa.select(_o.id).where(_IS_UNUSUAL).order_by(_o.id.desc()).limit(size + 1)
    if schedule_id is not None:
        rows = rows.where(_o.schedule_id == schedule_id)
    if before is not None:
        rows = rows.where(_o.id < before)
    # A subquery each: SQLite takes no LIMIT in the parts of a UNION.
    each = (rows.where(literal_state(_o.outcome, outcome)).subquery() for outcome in outcomes)
    return sa.union_all(*(sa.select(part.c.id) for part in each))


def occurrences_by_id(
    connection: sa.Connection, ids: Iterable[int | None]
) -> dict[int, Occurrence]:
    """Return the rows of these ids that still exist."""
    wanted = {number for number in ids if number is not None}
    if not wanted:
        return {}
    found = connection.execute(_NAMED.where(_o.id.in_(wanted)))
    return {row.id: Occurrence(**row._mapping) for row in found}


def list_live(connection: sa.Connection, limit: int) -> tuple[Occurrence, ...]:
    """Return the newest unfinished occurrences."""
    query = _NAMED.where(_IS_LIVE).order_by(sorted_ids(_o.id).desc())
    found = connection.execute(query.limit(limit))
    return tuple(Occurrence(**row._mapping) for row in found)


@dataclass(frozen=True)
class Repeated:
    """Occurrences of one schedule that went wrong in the same way: the latest, and how often."""

    latest: Occurrence
    times: int
    """Firings, or instants that did not fire."""


def list_unwanted(connection: sa.Connection, since: datetime, limit: int) -> tuple[Repeated, ...]:
    """Return what went wrong since then, the latest first, repeats as one; one statement."""
    # Bounded by id, or a week without trouble would be read to its end at each look.
    newest = sa.select(sa.func.max(_o.id) - LATEST).scalar_subquery()
    # Firings by hand belong to no schedule, so each stands for itself.
    whose = sa.func.coalesce(_o.schedule_id, sa.cast(_o.id, sa.Text))
    repeats = (
        sa.select(sa.func.max(_o.id).label("latest"), sa.func.sum(_o.count).label("times"))
        .where(_IS_UNUSUAL, _o.id > newest, _o.outcome.in_(UNWANTED), _o.decided_at >= since)
        .group_by(whose, _o.outcome)
        .order_by(sa.func.max(_o.id).desc())
        .limit(limit)
        .subquery()
    )
    query = _NAMED.add_columns(repeats.c.times).join(repeats, repeats.c.latest == _o.id)
    found = connection.execute(query.order_by(_o.id.desc()))
    return tuple(Repeated(Occurrence(**row._mapping), int(row.times)) for row in found)
