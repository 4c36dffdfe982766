"""What the desk on the database itself tells of runs and occurrences, and does to them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.engine.ledger.audit import Author
from tick.ops.actions import backfill, batches, control, retries
from tick.ops.queries import occurrences, runs
from tick.ops.queries.paging import Page as RowPage
from tick.ops.queries.runs import RunFilter
from tick.ops.reports import composed
from tick.ops.schemas import Item, Page
from tick.ops.schemas.work import (
    BackfillPlan,
    BatchDone,
    LogPage,
    Occurrence,
    OccurrenceWithRuns,
    RetriedRun,
    Run,
    RunDetail,
    RunWithNeighbours,
)
from tick.runtime import Runtime
from tick.states import Outcome


class LocalRuns:
    """Runs and occurrences; see `LocalDesk`."""

    def __init__(self, runtime: Runtime, author: Author) -> None:
        self._runtime = runtime
        self._author = author
        self._database = runtime.database

    def now(self) -> datetime:
        """The instant it is."""
        return self._runtime.now()

    def run_schedule(
        self, schedule_id: str, *, key: str | None, reason: str | None, override_overlap: bool
    ) -> int:
        """Fire a schedule now; the occurrence."""
        return control.run_schedule(
            self._database,
            schedule_id,
            **self._as_me(),
            key=key,
            reason=reason,
            override_overlap=override_overlap,
        )

    def run_job(
        self, name: str, *, key: str | None, reason: str | None, params: Mapping[str, Any]
    ) -> int:
        """Run one job now; the occurrence."""
        return control.run_job(
            self._database,
            self._runtime.registry,
            name,
            **self._as_me(),
            key=key,
            reason=reason,
            params=params,
        )

    def run_group(
        self, group: str, *, key: str | None, reason: str | None, params: Mapping[str, Any]
    ) -> int:
        """Run the jobs of a group now; the occurrence."""
        registry = self._runtime.registry
        return control.run_group(
            self._database, registry, group, **self._as_me(), key=key, reason=reason, params=params
        )

    def run_all(self, *, key: str | None, reason: str | None, params: Mapping[str, Any]) -> int:
        """Run all jobs now; the occurrence."""
        registry = self._runtime.registry
        return control.run_all(
            self._database, registry, **self._as_me(), key=key, reason=reason, params=params
        )

    def run_slots(self, schedule_id: str, at: Sequence[datetime]) -> tuple[int, ...]:
        """Run instants that did not fire as themselves; the occurrences."""
        return tuple(control.run_slots(self._database, schedule_id, at, **self._as_me()))

    def plan_backfill(self, schedule_id: str, start: datetime, end: datetime) -> BackfillPlan:
        """The instants of a time that did not fire."""
        plan = backfill.plan_backfill(self._database, schedule_id, start, end, now=self.now())
        return BackfillPlan.model_validate(plan)

    def occurrences(
        self, *, schedule: str | None, outcome: Outcome | None, before: int | None
    ) -> Page[Occurrence]:
        """A page of the ledger, newest first; `next` is the id below which it goes on."""
        chosen = () if outcome is None else (outcome,)
        with self._reading() as connection:
            page = occurrences.list_occurrences(
                connection, schedule, outcomes=chosen, before=before
            )
        return listing(Page[Occurrence], page)

    def occurrence(self, occurrence_id: int) -> OccurrenceWithRuns:
        """An occurrence with its runs."""
        with self._reading() as connection:
            return composed.read_occurrence(connection, occurrence_id)

    def cancel_occurrence(self, occurrence_id: int, *, reason: str | None) -> int:
        """Cancel every run of an occurrence that has not ended; how many these were."""
        return control.cancel_occurrence(
            self._database, occurrence_id, **self._as_me(), reason=reason
        )

    def retry_occurrence(
        self, occurrence_id: int, *, reason: str | None, override_overlap: bool
    ) -> tuple[int, ...]:
        """Put back what ended badly in an occurrence; the runs."""
        return tuple(
            retries.retry_occurrence(
                self._database,
                self._runtime.registry,
                occurrence_id,
                **self._as_me(),
                reason=reason,
                override_overlap=override_overlap,
            )
        )

    def runs(self, chosen: RunFilter, *, before: int | None) -> Page[Run]:
        """A page of runs, newest first; `next` is the id below which it goes on."""
        with self._reading() as connection:
            page = runs.list_runs(connection, chosen, before=before)
        return listing(Page[Run], page)

    def run(self, run_id: int) -> RunWithNeighbours:
        """A run, what it waits for and what waits for it."""
        with self._reading() as connection:
            return composed.read_run(connection, run_id)

    def cancel_run(self, run_id: int, *, reason: str | None) -> RunDetail:
        """Cancel a run, or ask it to stop."""
        control.cancel_run(self._database, run_id, **self._as_me(), reason=reason)
        return self.run(run_id).run

    def retry_run(
        self, run_id: int, *, reason: str | None, override_overlap: bool, only: bool
    ) -> RetriedRun:
        """Put a run back into the queue, and what was skipped because of it."""
        ids = retries.retry_run(
            self._database,
            self._runtime.registry,
            run_id,
            **self._as_me(),
            reason=reason,
            override_overlap=override_overlap,
            only=only,
        )
        with self._reading() as connection:
            return composed.read_retried(connection, run_id, ids)

    def logs(self, run_id: int, *, after: int | None = None) -> LogPage:
        """The newest lines of a run, or those after an id."""
        with self._reading() as connection:
            return composed.read_log(connection, run_id, after=after)

    def cancel_runs(self, run_ids: Collection[int], *, reason: str | None) -> BatchDone:
        """Cancel many runs, with one entry in the audit."""
        batch = batches.cancel_runs(self._database, run_ids, **self._as_me(), reason=reason)
        return BatchDone.model_validate(batch)

    def retry_runs(
        self, run_ids: Collection[int], *, reason: str | None, override_overlap: bool, only: bool
    ) -> BatchDone:
        """Put many runs back into the queue, with one entry in the audit."""
        batch = batches.retry_runs(
            self._database,
            self._runtime.registry,
            run_ids,
            **self._as_me(),
            reason=reason,
            override_overlap=override_overlap,
            only=only,
        )
        return BatchDone.model_validate(batch)

    def _as_me(self) -> dict[str, Any]:
        return {"now": self.now(), "author": self._author}

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._database.read.connect() as connection:
            yield connection


def listing(model: type[Page[Item]], page: RowPage[Any]) -> Page[Item]:
    """A page of rows as answers; `next` is the id below which it goes on."""
    return model.model_validate({"items": page.rows, "next": page.older and str(page.older)})
