"""A tick over many due schedules, beside the same rows by hand-made SQL."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from tests.bench import hand_made
from tests.bench.fleet import Fleet, launch
from tests.bench.measure import Measurement, Options, alternate
from tests.bench.places import Place
from tick.store.tables import job_run, job_run_dependency, job_schedule, occurrence

SIZES = ((1_000, 1), (10_000, 1), (500, 20))
GOALS = {("postgresql", 1): 1.5, ("sqlite", 1): 2.5, ("postgresql", 20): 1.5, ("sqlite", 20): 1.5}
# What differs by nature: which tick wrote it, and the database's own numbering.
APART = {"id", "tick_id", "lock_token", "occurrence_id", "last_run_id", "last_occurrence_id"}


def measure(place: Place, options: Options) -> Iterator[Measurement]:
    """One measurement per number of schedules and jobs."""
    for schedules, size in SIZES:
        fleet = launch(place, options.rows or schedules, size)
        _check_same_rows(fleet)
        measurement = Measurement(
            name=f"tick, due: {size} job{'s' if size > 1 else ''} each",
            database=place.dialect,
            rows=options.rows or schedules,
            goal_ratio=GOALS[place.dialect, size],
        )
        yield alternate(
            measurement,
            options.repeats,
            prepare=fleet.ready,
            ours=fleet.tick,
            raw=partial(hand_made.fire, fleet),
        )


def _check_same_rows(fleet: Fleet) -> None:
    """The comparison is one only if both sides write the same."""
    fleet.ready()
    fleet.tick()
    ours = _written(fleet)
    fleet.ready()
    hand_made.fire(fleet)
    if (theirs := _written(fleet)) != ours:
        unlike = [(a, b) for a, b in zip(ours, theirs, strict=False) if a != b]
        raise AssertionError(
            f"{len(ours)} rows against {len(theirs)} by hand; first unlike: {unlike[:1]}"
        )


def _written(fleet: Fleet) -> list[tuple[Any, ...]]:
    """Every row that firing wrote, in a fixed order and without what differs by nature."""
    waiting, awaited = job_run.alias(), job_run.alias()
    edges = (
        sa.select(waiting.c.schedule_id, waiting.c.job_name, awaited.c.job_name.label("needs"))
        .join(job_run_dependency, job_run_dependency.c.run_id == waiting.c.id)
        .join(awaited, awaited.c.id == job_run_dependency.c.depends_on_id)
        .order_by(waiting.c.schedule_id, waiting.c.job_name, awaited.c.job_name)
    )
    statements = [
        _all(occurrence, "schedule_id"),
        _all(job_run, "schedule_id", "job_name"),
        _all(job_schedule, "id"),
        edges,
    ]
    with fleet.place.database.read.connect() as connection:
        return [tuple(row) for statement in statements for row in connection.execute(statement)]


def _all(table: sa.Table, *order: str) -> sa.Select[Any]:
    columns = [column for column in table.c if column.name not in APART]
    return sa.select(*columns).order_by(*(table.c[name] for name in order))
