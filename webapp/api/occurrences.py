"""Occurrences: the ledger of what fired and what did not."""

from flask import request
from pydantic import Field

from tick.ops.actions import control, retries
from tick.ops.queries import occurrences as ledger
from tick.ops.reports import composed
from tick.ops.schemas.work import Cancelled, Occurrence, OccurrenceWithRuns, Retried, Started
from tick.states import Outcome
from webapp.api import caller
from webapp.api.models import Id, Name, Page, Query, continued
from webapp.api.operations import Resource
from webapp.api.runs import Cancel, Retry
from webapp.services import now, reading, runtime

resource = Resource("occurrences", "The ledger: what fired, and what did not fire and why.")


class OccurrencePage(Page[Occurrence]):
    """Occurrences, newest first."""


class OccurrenceQuery(Query):
    """Which occurrences."""

    outcome: Outcome | None = None
    before: Id | None = Field(None, description="only those with a lower id: use `next`")


class LedgerQuery(OccurrenceQuery):
    """Which occurrences, of which schedule."""

    schedule: Name | None = None


@resource.get("/occurrences")
def list_occurrences(query: LedgerQuery) -> OccurrencePage:
    """List occurrences, newest first."""
    return page_of(query.schedule, query)


@resource.get("/occurrences/<id:occurrence_id>")
def read_occurrence(occurrence_id: int) -> OccurrenceWithRuns:
    """Read an occurrence with its runs."""
    with reading() as connection:
        return composed.read_occurrence(connection, occurrence_id)


@resource.post("/occurrences/<id:occurrence_id>/retry")
def retry_occurrence(occurrence_id: int, body: Retry) -> Retried:
    """Put back what failed or was cancelled in an occurrence, and what was skipped for that."""
    ids = retries.retry_occurrence(
        runtime().database,
        runtime().registry,
        occurrence_id,
        now=now(),
        author=caller.author(),
        reason=body.reason,
        override_overlap=body.override_overlap,
    )
    return Retried(run_ids=tuple(ids))


@resource.post("/occurrences/<id:occurrence_id>/cancel")
def cancel_occurrence(occurrence_id: int, body: Cancel) -> Cancelled:
    """Cancel what is queued in an occurrence, and ask what runs to stop."""
    runs = control.cancel_occurrence(
        runtime().database, occurrence_id, now=now(), author=caller.author(), reason=body.reason
    )
    return Cancelled(runs=runs)


def page_of(schedule_id: str | None, query: OccurrenceQuery) -> OccurrencePage:
    """A page of the ledger, or of one schedule's part of it."""
    outcomes = () if query.outcome is None else (query.outcome,)
    with reading() as connection:
        page = ledger.list_occurrences(
            connection, schedule_id, outcomes=outcomes, before=query.before
        )
    return OccurrencePage.model_validate({"items": page.rows, "next": continued(before=page.older)})


def started(occurrence_id: int) -> Started:
    """The answer to whoever started an occurrence."""
    place = f"{request.script_root}/api/admin/occurrences/{occurrence_id}"
    return Started(occurrence_id=occurrence_id, occurrence=place)
