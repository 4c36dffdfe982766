"""A firing that has to have ended in time: what runs is ended, and what waits does not begin."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from tests.engine.test_tick_policies import enabled
from tests.engine.worker_steps import (
    DEAD_AFTER,
    FAILED,
    RETURNED,
    Hands,
    change_run,
    occurrence_rows,
    rescue,
    statuses,
)
from tests.support.factories import TESTER, World, a_job
from tick.engine.ledger.audit import Act
from tick.engine.runs.expire import DEADLINE_EXCEEDED, OVER, WORKERS_OWN
from tick.engine.runs.finish import NO_TIME_LEFT
from tick.engine.runs.settle import LATE
from tick.ops.actions import cancellation, retries, run_now
from tick.ops.reports.verify import verify
from tick.ops.reports.why import explain
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.store.tables import job_run

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KILLED = AttemptEnd(AttemptOutcome.TIMED_OUT, error_type="TimedOut", error_message="was killed")
LATER = AttemptEnd(AttemptOutcome.ASKED_SNOOZE, in_seconds=3600)


def bounded(world: World, *jobs: object, **parts: object) -> Hands:
    """A worker, and a schedule that has fired at two and has ten minutes for all its jobs."""
    world.jobs = jobs or (a_job("a"), a_job("b"))
    enabled(world, deadline=600, **parts)
    world.tick(TWO)
    return Hands(world)


def outcomes(world: World) -> list[tuple[str, str | None]]:
    return [(row.outcome, row.reason_kind) for row in occurrence_rows(world)]


def why(world: World) -> str:
    with world.database.read.connect() as connection:
        return explain(connection, "hourly", TWO, world.now).sentence


def is_clean(world: World) -> bool:
    return not verify(world.database, TWO - HOUR, world.now).violations


def test_a_firing_that_ends_in_time_is_none_the_wiser(world: World) -> None:
    bounded(world).work_off()
    assert outcomes(world) == [("SUCCESS", None)]
    assert {run.firing_deadline_at for run in world.runs()} == {TWO + 10 * MINUTE}


def test_what_waits_at_the_deadline_is_claimed_by_nobody_and_ended_by_the_tick(
    world: World,
) -> None:
    hands = bounded(world)
    hands.end(*hands.claim(limit=1))
    world.now = TWO + 10 * MINUTE
    assert hands.claim() == []
    world.tick()
    assert statuses(world) == {"a": "SUCCESS", "b": "CANCELLED"}
    assert world.runs()[1].reason == OVER
    assert outcomes(world) == [("FAILED", "DEADLINE")]
    assert occurrence_rows(world)[0].reason == LATE
    assert f"is FAILED: {LATE}." in why(world)
    assert is_clean(world)


def test_a_firing_that_no_worker_began_in_time_has_failed(world: World) -> None:
    bounded(world)
    world.tick(TWO + 10 * MINUTE)
    assert outcomes(world) == [("FAILED", "DEADLINE")]
    assert world.schedule("hourly").consecutive_failures == 1


def test_an_attempt_has_no_more_time_than_its_firing(world: World) -> None:
    hands = bounded(world, a_job("long", timeout_seconds=3600), a_job("short", timeout_seconds=30))
    world.now = TWO + 4 * MINUTE
    long, short = hands.claim()
    assert (long.deadline, long.seconds(3600, world.now)) == (TWO + 10 * MINUTE, 360)
    assert long.ends_with_firing
    assert (short.deadline, short.seconds(30, world.now)) == (world.now + MINUTE / 2, 30)
    assert not short.ends_with_firing
    assert [run.deadline_at for run in world.runs()] == [long.deadline, short.deadline]


def test_no_run_of_it_is_claimed_ahead_of_its_time(world: World) -> None:
    hands = bounded(world, a_job("quick", idempotent=True))
    assert hands.claim(ahead=True) == []


def test_a_retry_that_would_begin_too_late_is_none(world: World) -> None:
    hands = bounded(world, a_job("a", retries=3))
    (run,) = hands.claim()
    world.now = TWO + 10 * MINUTE - timedelta(seconds=1)
    hands.end(run, end=FAILED)
    (row,) = world.runs()
    assert (row.status, row.reason, row.error_type) == ("FAILED", NO_TIME_LEFT, "ValueError")
    assert (row.finished_at, outcomes(world)) == (world.now, [("FAILED", None)])


def test_a_snooze_beyond_the_deadline_fails(world: World) -> None:
    hands = bounded(world, a_job("a"))
    hands.end(*hands.claim(), end=LATER)
    (row,) = world.runs()
    assert (row.status, row.error_type) == ("FAILED", DEADLINE_EXCEEDED)
    assert outcomes(world) == [("FAILED", "DEADLINE")]


def test_a_retry_in_time_goes_on_as_ever(world: World) -> None:
    hands = bounded(world, a_job("a", retries=3))
    hands.end(*hands.claim(), end=FAILED)
    world.now += MINUTE
    hands.work_off()
    assert outcomes(world) == [("SUCCESS", None)]


def test_a_tolerated_failure_is_no_excuse_for_being_late(world: World) -> None:
    hands = bounded(world, a_job("a"), a_job("b", depends_on=["a"], tolerates=frozenset({"a"})))
    (run,) = hands.claim()
    world.now = TWO + 10 * MINUTE
    hands.end(run, end=KILLED)
    world.tick()
    assert outcomes(world) == [("FAILED", "DEADLINE")]


def test_what_a_dead_worker_had_is_not_begun_again_after_the_deadline(world: World) -> None:
    hands = bounded(world, a_job("a", idempotent=True))
    hands.claim()
    world.now = TWO + 10 * MINUTE + DEAD_AFTER
    assert rescue(world).queued == 0
    assert outcomes(world) == [("FAILED", "DEADLINE")]


def test_what_a_dead_worker_had_is_begun_again_before_it(world: World) -> None:
    hands = bounded(world, a_job("a", idempotent=True))
    hands.claim()
    world.now = TWO + 2 * DEAD_AFTER
    assert rescue(world).queued == 1
    (run,) = Hands(world).claim()
    assert run.deadline == TWO + 10 * MINUTE


def test_a_worker_that_overlooks_the_deadline_is_asked_to_stop_its_run(world: World) -> None:
    hands = bounded(world, a_job("a", retries=5))
    hands.live_on()
    (run,) = hands.claim()
    world.tick(TWO + 10 * MINUTE)
    assert world.runs()[0].cancel_requested_at is None  # its worker ends it by itself
    world.tick(TWO + 10 * MINUTE + WORKERS_OWN)
    assert world.runs()[0].cancel_requested_at == world.now
    hands.end(run, end=AttemptEnd(AttemptOutcome.CANCELLED))
    assert (statuses(world), outcomes(world)) == ({"a": "CANCELLED"}, [("FAILED", "DEADLINE")])
    assert is_clean(world)


def test_a_success_that_comes_a_moment_too_late_is_a_success(world: World) -> None:
    hands = bounded(world, a_job("a"))
    (run,) = hands.claim()
    world.now = TWO + 10 * MINUTE
    hands.end(run, end=RETURNED)
    assert outcomes(world) == [("SUCCESS", None)]


def test_a_person_who_retries_it_gives_it_all_of_its_time_again(world: World) -> None:
    hands = bounded(world)
    hands.end(*hands.claim(limit=1))
    world.tick(TWO + 20 * MINUTE)
    (row,) = occurrence_rows(world)
    act = Act(world.now, TESTER)
    retries.retry_occurrence(world.database, act, row.id, world.registry)
    assert (outcomes(world), occurrence_rows(world)[0].reason) == ([("RUNNING", None)], None)
    assert world.runs()[1].firing_deadline_at == TWO + 30 * MINUTE
    world.now = TWO + 25 * MINUTE
    hands.work_off()
    assert outcomes(world) == [("SUCCESS", None)]
    assert world.schedule("hourly").consecutive_failures == 0
    assert is_clean(world)


def test_a_retry_by_hand_that_is_late_again_has_failed_again(world: World) -> None:
    bounded(world, a_job("a"))
    world.tick(TWO + 20 * MINUTE)
    run = world.runs()[0]
    retries.retry_run(world.database, Act(world.now, TESTER), run.id, world.registry)
    world.tick(TWO + 30 * MINUTE)
    assert outcomes(world) == [("FAILED", "DEADLINE")]
    assert world.schedule("hourly").consecutive_failures == 1


def test_a_firing_by_hand_and_an_instant_run_later_have_it_too(world: World) -> None:
    bounded(world, a_job("a"), overlap="ALLOW")
    world.now = TWO + 30 * MINUTE
    run_now.run_schedule(world.database, Act(world.now, TESTER), "hourly")
    run_now.run_slots(world.database, Act(world.now, TESTER), "hourly", [TWO - HOUR])
    deadlines = [run.firing_deadline_at for run in world.runs()]
    assert deadlines == [TWO + 10 * MINUTE, TWO + 40 * MINUTE, TWO + 40 * MINUTE]


def test_one_that_waits_for_another_counts_from_its_own_firing(world: World) -> None:
    hands = bounded(world, a_job("a", timeout_seconds=7200), overlap="QUEUE_ONE")
    hands.live_on()
    hands.claim()
    change_run(world, "a", firing_deadline_at=None)  # as an older release fired it
    world.tick(TWO + HOUR)
    assert world.runs()[1].firing_deadline_at == TWO + HOUR + 10 * MINUTE
    world.tick(TWO + HOUR + 10 * MINUTE)
    assert outcomes(world) == [("RUNNING", None), ("FAILED", "DEADLINE")]


def test_what_a_person_cancels_in_time_is_cancelled(world: World) -> None:
    bounded(world)
    (row,) = occurrence_rows(world)
    world.now = TWO + 5 * MINUTE
    cancellation.cancel_occurrence(world.database, Act(world.now, TESTER), row.id)
    assert outcomes(world) == [("CANCELLED", None)]


def test_what_a_person_cancelled_in_time_may_take_longer_to_stop(world: World) -> None:
    hands = bounded(world, a_job("a"))
    (run,) = hands.claim()
    world.now = TWO + 10 * MINUTE - timedelta(seconds=1)
    cancellation.cancel_run(world.database, Act(world.now, TESTER), run.run_id)
    world.now += MINUTE
    hands.end(run, end=AttemptEnd(AttemptOutcome.CANCELLED))
    assert outcomes(world) == [("CANCELLED", None)]


def test_an_edit_leaves_what_runs_with_the_time_that_it_had(world: World) -> None:
    bounded(world, a_job("a"), overlap="ALLOW")
    world.now = TWO + 5 * MINUTE
    enabled(world, deadline=60, overlap="ALLOW")
    world.tick(TWO + 9 * MINUTE)
    assert outcomes(world) == [("QUEUED", None)]
    world.tick(TWO + HOUR)
    world.tick(TWO + HOUR + MINUTE)
    assert outcomes(world) == [("FAILED", "DEADLINE"), ("FAILED", "DEADLINE")]
    r = job_run.c
    rows = world.rows(sa.select(r.firing_deadline_at).order_by(r.id))
    assert [row[0] for row in rows] == [TWO + 10 * MINUTE, TWO + HOUR + MINUTE]
