"""Occurrences: the ledger of what fired and what did not."""

from typing import Any

from pydantic import Field

from tick.interface.inputs import Id, Name, Query, continued_at
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.interface.runs import Cancel, Retry
from tick.ops.actions import cancellation, retries
from tick.ops.queries import occurrences as ledger
from tick.ops.queries.occurrences import OccurrencePage, OccurrenceWithRuns
from tick.ops.queries.paging import PAGE_ROWS
from tick.ops.schemas import Cancelled, Retried, Started
from tick.states import Outcome

MOST_ROWS = 100
resource = Resource("occurrences", "The ledger: what fired, and what did not fire and why.")


class OccurrenceQuery(Query):
    """Which occurrences."""

    outcome: Outcome | None = None
    before: Id | None = Field(None, description="only those with a lower id: use `next`")
    limit: int = Field(PAGE_ROWS, ge=1, le=MOST_ROWS, description="at most so many")


class LedgerQuery(OccurrenceQuery):
    """Which occurrences, of which schedule."""

    schedule: Name | None = None


@resource.get("/occurrences")
def list_occurrences(context: Context, query: LedgerQuery) -> OccurrencePage:
    """List occurrences, newest first."""
    return page_of(context, query.schedule, query)


@resource.get("/occurrences/<id:occurrence_id>")
def read_occurrence(context: Context, occurrence_id: int) -> OccurrenceWithRuns:
    """Read an occurrence with its runs."""
    return context.read(ledger.read_occurrence, occurrence_id)


@resource.post("/occurrences/<id:occurrence_id>/retry", Permission.RUN_RETRY)
def retry_occurrence(context: Context, occurrence_id: int, body: Retry) -> Retried:
    """Put back what failed or was cancelled in an occurrence, and what was skipped for that."""
    act, force = context.act(reason=body.reason), body.override_overlap
    ids = retries.retry_occurrence(
        context.database, act, occurrence_id, context.registry, override_overlap=force
    )
    return Retried(run_ids=tuple(ids))


@resource.post("/occurrences/<id:occurrence_id>/cancel", Permission.RUN_CANCEL)
def cancel_occurrence(context: Context, occurrence_id: int, body: Cancel) -> Cancelled:
    """Cancel what is queued in an occurrence, and ask what runs to stop."""
    act = context.act(reason=body.reason)
    return Cancelled(runs=cancellation.cancel_occurrence(context.database, act, occurrence_id))


def page_of(context: Context, schedule_id: str | None, query: OccurrenceQuery) -> OccurrencePage:
    """Return a page of the ledger, or of one schedule's part of it."""
    page = context.read(ledger.list_occurrences, schedule_id, **chosen_by(query))
    return continued_at(page, "before")


def chosen_by(query: OccurrenceQuery) -> dict[str, Any]:
    """Return which rows of the ledger are asked for, as its lists take it."""
    outcomes = () if query.outcome is None else (query.outcome,)
    return {"outcomes": outcomes, "before": query.before, "size": query.limit}


def started(context: Context, occurrence_id: int) -> Started:
    """Return the answer to whoever started an occurrence."""
    # Below the console's own root, which may lie below a path.
    place = f"{context.root}/occurrences/{occurrence_id}"
    return Started(occurrence_id=occurrence_id, occurrence=place)
