"""Fifty schedules, and an oracle that knows by itself what must have become of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tick.define.schedules import Schedule
from tick.store.tables import job_run, job_run_dependency, job_schedule, occurrence

START = datetime(2026, 3, 1, 1, 59, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EDGES = [("b", "a"), ("c", "a"), ("d", "b"), ("d", "c"), ("e", "d")]
JOBS = [
    a_job("alone", "feed"),
    *(
        a_job(name, "search", depends_on=[needed for job, needed in EDGES if job == name])
        for name in "abcde"
    ),
]
Row = tuple[object, ...]


def schedules(count: int = 50) -> list[Schedule]:
    """Every fifth has five jobs with dependencies, the others one; some fire every other minute."""
    return [
        a_schedule(
            f"s{number:02}",
            cron=f"*/{every(number)} * * * *",
            overlap="ALLOW",
            **({"mode": "GROUP", "job_group": "search"} if number % 5 == 0 else ONE_JOB),
        )
        for number in range(count)
    ]


ONE_JOB = {"mode": "SINGLE_JOB", "job": "alone"}


def every(number: int) -> int:
    """The minutes between two instants of a schedule."""
    return 2 if number % 7 == 0 else 1


def launch(world: World, count: int = 50) -> None:
    """Define and enable the schedules at START."""
    world.now = START
    world.define(*schedules(count), jobs=JOBS)
    for schedule in world.schedules:
        world.enable(schedule.id)


def mistakes(world: World, until: datetime) -> list[str]:
    """Whatever is not as it must be once every minute from START to `until` was ticked.

    Enumerates the minutes by hand; neither cron nor the planner is asked.
    """
    instants = [START + number * MINUTE for number in range(1, int((until - START) / MINUTE) + 1)]
    due = [
        (number, f"s{number:02}", instant)
        for number in range(len(world.schedules))
        for instant in instants
        if instant.minute % every(number) == 0
    ]
    fired = [(schedule_id, instant) for _, schedule_id, instant in due]
    runs = [(id, at, name) for number, id, at in due for name in job_names(number)]
    edges = [(id, at, *edge) for number, id, at in due if number % 5 == 0 for edge in EDGES]
    return [
        *_compare("occurrence", fired, _occurrences(world)),
        *_compare("run", runs, _runs(world)),
        *_compare("dependency", edges, _edges(world)),
        *_standing(world, until),
    ]


def job_names(number: int) -> str | list[str]:
    """What the schedule of this number runs."""
    return "abcde" if number % 5 == 0 else ["alone"]


def _compare(what: str, wanted: Sequence[Row], found: Sequence[Row]) -> Iterator[str]:
    counted = Counter(found)
    yield from (f"lost {what}: {_words(row)}" for row in wanted if row not in counted)
    yield from (f"{times} x {what}: {_words(row)}" for row, times in counted.items() if times > 1)
    yield from (f"unwanted {what}: {_words(row)}" for row in counted.keys() - set(wanted))


def _words(row: Row) -> str:
    return " ".join(map(str, row))


def _occurrences(world: World) -> list[Row]:
    """All ledger rows; one that did not fire, or has other runs than it says, shows its counts."""
    o, runs = occurrence.c, sa.func.count(job_run.c.id)
    rows = world.rows(
        sa.select(o.schedule_id, o.scheduled_for, o.outcome, o.count, o.runs, runs.label("there"))
        .outerjoin(job_run, job_run.c.occurrence_id == o.id)
        .group_by(o.id)
    )
    return [
        (row.schedule_id, row.scheduled_for)
        if (row.outcome, row.count, row.runs) == ("QUEUED", 1, row.there)
        else tuple(row)
        for row in rows
    ]


def _runs(world: World) -> list[Row]:
    r = job_run.c
    return [tuple(row) for row in world.rows(sa.select(r.schedule_id, r.scheduled_for, r.job_name))]


def _edges(world: World) -> list[Row]:
    waiting, awaited, edge = job_run.alias(), job_run.alias(), job_run_dependency.c
    statement = (
        sa.select(
            waiting.c.schedule_id, waiting.c.scheduled_for, waiting.c.job_name, awaited.c.job_name
        )
        .join(job_run_dependency, edge.run_id == waiting.c.id)
        .join(awaited, awaited.c.id == edge.depends_on_id)
        .where(awaited.c.occurrence_id == waiting.c.occurrence_id)
    )
    return [tuple(row) for row in world.rows(statement)]


def _standing(world: World, until: datetime) -> Iterator[str]:
    for row in world.rows(sa.select(job_schedule)):
        if row.locked_by or row.locked_at:
            yield f"{row.id} was left locked by {row.locked_by}"
        if row.next_run_at <= until or row.next_run_at.minute % every(int(row.id[1:])):
            yield f"{row.id} stands at {row.next_run_at}"
        if row.decided_to >= row.next_run_at or row.last_error:
            yield f"{row.id} decided to {row.decided_to}, error {row.last_error}"
