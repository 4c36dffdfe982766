"""A run tells what it lacks while it waits, and how its earlier attempts ended."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.engine.worker_steps import FAILED, Hands, change_run
from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.ops.actions import cancellation, retries, run_now
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
    run_now.run_job(world.database, Act(world.now, TESTER), "features", world.registry)
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
    run_now.run_job(world.database, Act(world.now, TESTER), "features", world.registry)
    hands = Hands(world)
    hands.end(*hands.claim(), end=FAILED)
    act = Act(world.now, TESTER)
    retries.retry_run(world.database, act, 1, world.registry)
    claimed = hands.claim()
    cancellation.cancel_run(world.database, replace(act, reason="wrong day"), 1)
    hands.end(*claimed, end=AttemptEnd(AttemptOutcome.CANCELLED))
    retries.retry_run(world.database, act, 1, world.registry)
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
    run_now.run_all(world.database, Act(world.now, TESTER), world.registry)
    cancellation.cancel_run(world.database, Act(world.now, TESTER), 1)
    retries.retry_run(world.database, Act(world.now, TESTER), 1, world.registry)
    with world.database.read.connect() as connection:
        assert [logs.attempts_in_log(connection, number) for number in (1, 2)] == [(), ()]


def test_an_end_without_history_is_forecast_by_progress(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("export")])
    run_now.run_schedule(world.database, Act(world.now, TESTER), "daily")
    (claimed,) = Hands(world).claim()
    started = world.now
    change_run(world, "export", started_at=started, progress=0.25)
    world.now += timedelta(seconds=30)
    with world.database.read.connect() as connection:
        found = read_expected_end(connection, claimed.occurrence_id, world.now)
    assert found is not None
    assert (found.ends_at - started, found.unknown) == (timedelta(seconds=120), ())
