"""The ledger, as people read it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa

from tick.errors import NotFound
from tick.models import job_schedule, occurrence
from tick.ops.queries.paging import PAGE_ROWS, Page, cut
from tick.states import LIVE_OUTCOMES, NOT_FIRED_OUTCOMES, Outcome

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


@dataclass(frozen=True)
class OccurrenceRow:
    """One row of the ledger: a firing, or instants that did not fire, with the reason."""

    id: int
    schedule_id: str | None
    kind: str
    scheduled_for: datetime | None
    scheduled_until: datetime | None
    count: int
    title: str | None
    outcome: str
    reason: str | None
    blocked_by_id: int | None
    late_seconds: float | None
    tick_id: str
    triggered_by: str | None
    decided_at: datetime
    first_started_at: datetime | None
    last_finished_at: datetime | None
    runs: int
    succeeded: int
    failed: int
    cancelled: int
    skipped: int
    schedule_name: str | None = None

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
        """How many of its runs have ended, in whatever way."""
        return self.succeeded + self.failed + self.cancelled + self.skipped

    @property
    def name(self) -> str:
        """What it was a firing of."""
        return self.schedule_name or self.title or self.schedule_id or "Manual firing"

    def took_seconds(self, now: datetime) -> float | None:
        """From the first start to the last end, or to `now` while it lives; None before that."""
        if self.first_started_at is None:
            return None
        end = now if self.is_live else self.last_finished_at or now
        return max(0.0, (end - self.first_started_at).total_seconds())


_COLUMNS = [_o[field.name] for field in fields(OccurrenceRow) if field.name in _o]
_NAMED = sa.select(*_COLUMNS, _s.name.label("schedule_name")).outerjoin_from(
    occurrence, job_schedule, _s.id == _o.schedule_id
)


def get_occurrence(connection: sa.Connection, occurrence_id: int) -> OccurrenceRow:
    """One row of the ledger. Raises NotFound."""
    row = connection.execute(_NAMED.where(_o.id == occurrence_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no occurrence {occurrence_id}; it may have been pruned.")
    return OccurrenceRow(**row._mapping)


def list_occurrences(
    connection: sa.Connection,
    schedule_id: str | None,
    *,
    outcomes: Iterable[Outcome] = (),
    between: tuple[datetime, datetime] | None = None,
    before: int | None = None,
) -> Page[OccurrenceRow]:
    """A page of the ledger, newest first: a schedule's part of it, or all; of some outcomes.

    `between`: with an instant at or after the first and before the second.
    """
    query = _NAMED.order_by(_o.id.desc())
    if schedule_id is not None:
        query = query.where(_o.schedule_id == schedule_id)
    if chosen := list(outcomes):
        query = query.where(_o.outcome.in_(chosen))
    if between is not None:
        at = sa.func.coalesce(_o.scheduled_for, _o.decided_at)
        last = sa.func.coalesce(_o.scheduled_until, _o.scheduled_for, _o.decided_at)
        start, end = (sa.literal(instant, _o.decided_at.type) for instant in between)
        query = query.where(last >= start, at < end)
    if before is not None:
        query = query.where(_o.id < before)
    found = connection.execute(query.limit(PAGE_ROWS + 1))
    return cut([OccurrenceRow(**row._mapping) for row in found])


def occurrences_by_id(
    connection: sa.Connection, ids: Iterable[int | None]
) -> dict[int, OccurrenceRow]:
    """The rows of these ids that still exist."""
    wanted = {number for number in ids if number is not None}
    if not wanted:
        return {}
    found = connection.execute(_NAMED.where(_o.id.in_(wanted)))
    return {row.id: OccurrenceRow(**row._mapping) for row in found}


def list_live(connection: sa.Connection, limit: int) -> tuple[OccurrenceRow, ...]:
    """The newest occurrences that have not finished."""
    # The outcomes are literals, so that the partial index serves.
    query = _NAMED.where(sa.text("occurrence.outcome IN ('QUEUED', 'RUNNING')"))
    found = connection.execute(query.order_by(_o.id.desc()).limit(limit))
    return tuple(OccurrenceRow(**row._mapping) for row in found)


def list_unwanted(
    connection: sa.Connection, since: datetime, limit: int
) -> tuple[OccurrenceRow, ...]:
    """The newest occurrences decided since then that went wrong, among the LATEST of the ledger."""
    newest = sa.select(sa.func.max(_o.id) - LATEST).scalar_subquery()
    query = _NAMED.where(_o.id > newest, _o.outcome.in_(UNWANTED), _o.decided_at >= since)
    found = connection.execute(query.order_by(_o.id.desc()).limit(limit))
    return tuple(OccurrenceRow(**row._mapping) for row in found)
