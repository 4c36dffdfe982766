"""A run tells what it lacks while it waits, and how its earlier attempts ended."""

from datetime import UTC, datetime, timedelta

from tests.engine.worker_steps import FAILED, Hands, change_run
from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.ops.actions import control, retries
from tick.ops.queries import logs, runs
from tick.ops.queries.neighbours import read_run
from tick.ops.queries.occurrences import read_occurrence
from tick.ops.queries.runs import RunFilter
from tick.ops.reports.expected_end import read_expected_end
from tick.policy.retry import AttemptEnd, AttemptOutcome

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def lacks(world: World) -> set[str | None]:
    """What every reader says of the first run."""
    with world.database.read.connect() as connection:
        return {
            read_run(connection, 1).run.lacks,
            read_occurrence(connection, 1).runs[0].lacks,
            runs.list_runs(connection, RunFilter()).items[-1].lacks,
        }


def test_a_queued_run_says_at_once_that_nobody_can_take_it(world: World) -> None:
    world.define(jobs=[a_job("features")])
    control.run_job(world.database, world.registry, "features", now=world.now, author=TESTER)
    assert lacks(world) == {None}
    world.define(jobs=[a_job("another")])
    Hands(world)
    assert lacks(world) == {"no living worker knows this job"}
    world.define(jobs=[a_job("features")])
    hands = Hands(world)
    assert lacks(world) == {None}
    hands.work_off()
    assert lacks(world) == {None}


def test_how_an_attempt_ended_stays_when_a_person_retries_the_run(world: World) -> None:
    world.define(jobs=[a_job("features")])
    control.run_job(world.database, world.registry, "features", now=world.now, author=TESTER)
    hands = Hands(world)
    hands.end(*hands.claim(), end=FAILED)
    who = {"now": world.now, "author": TESTER}
    retries.retry_run(world.database, world.registry, 1, **who)
    claimed = hands.claim()
    control.cancel_run(world.database, 1, **who, reason="wrong day")
    hands.end(*claimed, end=AttemptEnd(AttemptOutcome.CANCELLED))
    retries.retry_run(world.database, world.registry, 1, **who)
    with world.database.read.connect() as connection:
        told = [
            (each.number, each.ended, each.said) for each in logs.attempts_in_log(connection, 1)
        ]
    assert told == [
        (1, "FAILED", "ValueError: no"),
        (2, "CANCELLED", "cancelled by tester: wrong day"),
    ]


def test_a_run_that_never_began_has_no_attempt_to_tell_of(world: World) -> None:
    world.define(jobs=[a_job("a"), a_job("b", depends_on=["a"])])
    control.run_all(world.database, world.registry, now=world.now, author=TESTER)
    control.cancel_run(world.database, 1, now=world.now, author=TESTER)
    retries.retry_run(world.database, world.registry, 1, now=world.now, author=TESTER)
    with world.database.read.connect() as connection:
        assert [logs.attempts_in_log(connection, number) for number in (1, 2)] == [(), ()]


def test_an_end_without_history_is_forecast_by_progress(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("export")])
    control.run_schedule(world.database, "daily", now=world.now, author=TESTER)
    (claimed,) = Hands(world).claim()
    started = world.now
    change_run(world, "export", started_at=started, progress=0.25)
    world.now += timedelta(seconds=30)
    with world.database.read.connect() as connection:
        found = read_expected_end(connection, claimed.occurrence_id, world.now)
    assert found is not None
    assert (found.ends_at - started, found.unknown) == (timedelta(seconds=120), ())
