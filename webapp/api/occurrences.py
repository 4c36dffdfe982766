"""Occurrences: the ledger of what fired and what did not."""

from datetime import datetime

from pydantic import Field

from tick.ops import retries
from tick.ops.queries import occurrences as ledger
from tick.ops.queries import runs
from tick.states import OccurrenceKind, Outcome
from webapp.api import caller
from webapp.api.models import Answer, Id, Listing, Name, Query, continued
from webapp.api.operations import Resource
from webapp.api.runs import Retry, Run
from webapp.services import now, reading, runtime

resource = Resource("occurrences", "The ledger: what fired, and what did not fire and why.")


class Occurrence(Answer):
    """One row of the ledger: a firing, or instants that did not fire, with the reason."""

    id: int
    schedule_id: str | None
    name: str = Field(description="of the schedule, or what a manual firing was of")
    kind: OccurrenceKind
    scheduled_for: datetime | None = Field(description="the nominal instant; null if manual")
    scheduled_until: datetime | None = Field(description="the last instant of a range not fired")
    count: int = Field(description="how many instants this row stands for")
    outcome: Outcome
    reason: str | None
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


class OccurrencePage(Listing[Occurrence]):
    """Occurrences, newest first."""


class OccurrenceWithRuns(Answer):
    """An occurrence, and its runs in dependency order (at most 500)."""

    occurrence: Occurrence
    runs: tuple[Run, ...]


class Started(Answer):
    """What was started; a worker does the work."""

    occurrence_id: int
    occurrence: str = Field(description="where to watch it")


class Retried(Answer):
    """The runs that were put back; none when they are in the queue or run already."""

    run_ids: tuple[int, ...]


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
        row = ledger.get_occurrence(connection, occurrence_id)
        its_runs = runs.runs_of_occurrence(connection, occurrence_id)
    return OccurrenceWithRuns.model_validate({"occurrence": row, "runs": its_runs})


@resource.post("/occurrences/<id:occurrence_id>/retry")
def retry_occurrence(occurrence_id: int, body: Retry) -> Retried:
    """Put back what failed or was cancelled in an occurrence, and what was skipped for that."""
    ids = retries.retry_occurrence(
        runtime().database,
        runtime().registry,
        occurrence_id,
        now=now(),
        author=caller.author(),
        override_overlap=body.override_overlap,
    )
    return Retried(run_ids=tuple(ids))


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
    place = f"/api/admin/occurrences/{occurrence_id}"
    return Started(occurrence_id=occurrence_id, occurrence=place)
