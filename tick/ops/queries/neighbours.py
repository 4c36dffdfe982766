"""Reads the runs that a run waits for, and those that wait for it."""

from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.ops.queries.runs import MAX_RUNS_OF_OCCURRENCE, RunDetail, get_run
from tick.ops.schemas import Schema
from tick.states import RunStatus
from tick.store.tables import job_run, job_run_dependency

_r, _d = job_run.c, job_run_dependency.c


class Neighbour(Schema):
    """A run that another one waits for, or that waits for it."""

    run_id: int
    job_name: str
    status: RunStatus
    tolerant: bool = Field(description="the one that waits runs even if the other fails")


class RunWithNeighbours(Schema):
    """A run, what it waits for, and what waits for it."""

    run: RunDetail
    waits_for: tuple[Neighbour, ...]
    needed_by: tuple[Neighbour, ...]


def read_run(connection: sa.Connection, run_id: int) -> RunWithNeighbours:
    """Read a run, the runs that it waits for and the runs that wait for it. Raises NotFound."""
    run = get_run(connection, run_id)
    waits_for, needed_by = neighbours(connection, run_id)
    return RunWithNeighbours(run=run, waits_for=tuple(waits_for), needed_by=tuple(needed_by))


def upstream_by_run(
    connection: sa.Connection, occurrence_id: int
) -> dict[int, tuple[Neighbour, ...]]:
    """Return, for each run of the occurrence that waits for others, those others."""
    awaited = job_run.alias("awaited")
    query = (
        sa.select(
            _d.run_id.label("waiting_id"),
            awaited.c.id.label("run_id"),
            awaited.c.job_name,
            awaited.c.status,
            _d.tolerant,
        )
        .join_from(job_run_dependency, awaited, awaited.c.id == _d.depends_on_id)
        .where(awaited.c.occurrence_id == occurrence_id)
        .order_by(_d.run_id, awaited.c.id)
        .limit(20 * MAX_RUNS_OF_OCCURRENCE)
    )
    found: dict[int, tuple[Neighbour, ...]] = {}
    for row in connection.execute(query):
        found[row.waiting_id] = (*found.get(row.waiting_id, ()), Neighbour(**row._mapping))
    return found


def neighbours(connection: sa.Connection, run_id: int) -> tuple[list[Neighbour], list[Neighbour]]:
    """Return the runs that it waits for, and those that wait for it; one statement."""

    def at_the_end_of(end: sa.Column[int], start: sa.Column[int], place: int) -> sa.Select[Any]:
        query = (
            sa.select(
                sa.literal(place).label("place"),
                _r.id.label("run_id"),
                _r.job_name,
                _r.status,
                _d.tolerant,
            )
            .join_from(job_run_dependency, job_run, _r.id == end)
            .where(start == run_id)
            .order_by(_r.id)
            .limit(MAX_RUNS_OF_OCCURRENCE)
        )
        # SQLite takes no ORDER BY and LIMIT in the parts of a UNION.
        return sa.select(query.subquery())

    both = at_the_end_of(_d.depends_on_id, _d.run_id, 0).union_all(
        at_the_end_of(_d.run_id, _d.depends_on_id, 1)
    )
    found: tuple[list[Neighbour], list[Neighbour]] = ([], [])
    for row in connection.execute(both.order_by("place", "run_id")):
        found[row.place].append(Neighbour(**row._mapping))
    return found
