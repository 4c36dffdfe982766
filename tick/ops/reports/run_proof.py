"""Holds the ledger's rows of firings against their runs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any

import sqlalchemy as sa

from tick.engine.runs.settle import outcome_in, tally
from tick.ops.schemas import Schema
from tick.policy.target import Target
from tick.states import ENDED_OUTCOMES, FIRED_OUTCOMES
from tick.store.sql import AnyRow, any_of_param, batches
from tick.store.tables import job_run, job_run_dependency, occurrence

_o, _r, _d = occurrence.c, job_run.c, job_run_dependency.c
_COUNTS = ("succeeded", "failed", "cancelled", "skipped")


class Violation(Schema):
    """Something that the promises rule out."""

    schedule_id: str
    at: datetime
    message: str


def find_contradictions(
    connection: sa.Connection, ids: Sequence[int], targets: Mapping[int, Target]
) -> Iterator[Violation]:
    """Yield the contradictions of these rows. `targets`: by id of the version."""
    for part in batches(ids):
        for firing in _read(connection, part):
            row = firing.row
            for message in firing.contradictions(targets.get(row.version_id)):
                at = row.scheduled_for or row.decided_at  # fired by hand: when that was asked for
                yield Violation(schedule_id=row.schedule_id or "-", at=at, message=message)


@dataclass(frozen=True)
class _Firing:
    """A row of the ledger, its runs, and the sums of these runs."""

    row: AnyRow
    summed: AnyRow
    runs: list[AnyRow] = field(default_factory=list)

    def contradictions(self, target: Target | None) -> Iterator[str]:
        """Yield its contradictions, in words."""
        row, made = self.row, len(self.runs)
        jobs = len({run.job_name for run in self.runs})
        if made != row.runs or jobs != made:
            yield f"{self._said} has {made} runs of {jobs} jobs instead of {row.runs}"
            return  # without all its runs, the rest means nothing
        yield from self._strays(target)
        edges = sum(run.edges for run in self.runs)
        wanted = edges if target is None else len(target.edges)
        if row.outcome in FIRED_OUTCOMES and edges != wanted:
            yield f"row {row.id} lacks dependencies between its runs"
        if row.outcome in ENDED_OUTCOMES:
            yield from self._sums()

    @property
    def _said(self) -> str:
        return f"row {self.row.id} ({self.row.outcome})"

    def _strays(self, target: Target | None) -> Iterator[str]:
        """Yield runs of another schedule, instant or job."""
        row, names = self.row, None if target is None else {job.name for job in target.jobs}
        for run in self.runs:
            if (run.schedule_id, run.scheduled_for) != (row.schedule_id, row.scheduled_for):
                whose = f"of {run.schedule_id or 'no schedule'}, due at {_at(run.scheduled_for)}"
                yield f"run {run.id} of {self._said} says that it is {whose}"
            if names is not None and run.job_name not in names:
                yield f"run {run.id} of {self._said} is of {run.job_name}, which it does not fire"

    def _sums(self) -> Iterator[str]:
        """Yield sums of the row that its runs contradict."""
        row, summed = self.row, self.summed
        if row.outcome != summed.outcome:
            yield f"{self._said} contradicts its runs, which come to {summed.outcome}"
        for name in _COUNTS:
            if (said := getattr(row, name)) != (found := getattr(summed, name)):
                yield f"{self._said} counts {said} {name} of its runs, and {found} are"
        if row.first_started_at != summed.first_started_at:
            began, first = _at(row.first_started_at), _at(summed.first_started_at)
            yield f"{self._said} began at {began}, and the first of its runs at {first}"
        if self.runs and row.last_finished_at != summed.last_finished_at:
            ended, last = _at(row.last_finished_at), _at(summed.last_finished_at)
            yield f"{self._said} ended at {ended}, and the last of its runs at {last}"


def in_utc(instant: datetime | None, none: str = "never") -> str:
    """Return the instant to the second, in UTC."""
    return none if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


_at = partial(in_utc, none="no time")


def _read(connection: sa.Connection, ids: Sequence[int]) -> Iterator[_Firing]:
    sums, rows, all_runs = _statements(connection.dialect.name)
    summed = {row.id: row for row in connection.execute(sums, {"ids": ids})}
    runs: dict[int, list[AnyRow]] = defaultdict(list)
    for run in connection.execute(all_runs, {"ids": ids}):
        runs[run.occurrence_id].append(run)
    for row in connection.execute(rows, {"ids": ids}):
        yield _Firing(row, summed[row.id], runs[row.id])


@cache
def _statements(dialect: str) -> tuple[sa.Select[Any], sa.Select[Any], sa.Select[Any]]:
    """Return the statements for the sums of the runs, for the rows, and for the runs."""
    counted = tally(any_of_param(dialect, _o.id, "ids"))
    rows = sa.select(
        *(_o.id, _o.schedule_id, _o.version_id, _o.scheduled_for, _o.decided_at, _o.outcome),
        *(_o.runs, *(_o[name] for name in _COUNTS), _o.first_started_at, _o.last_finished_at),
    ).where(any_of_param(dialect, _o.id, "ids"))
    edges = sa.select(sa.func.count()).where(_d.run_id == _r.id).correlate(job_run)
    runs = sa.select(
        *(_r.id, _r.occurrence_id, _r.schedule_id, _r.scheduled_for, _r.job_name),
        edges.scalar_subquery().label("edges"),
    ).where(any_of_param(dialect, _r.occurrence_id, "ids"))
    return (
        sa.select(counted, outcome_in(counted).label("outcome")),
        rows.order_by(_o.id),
        runs.order_by(_r.id),
    )
