"""How runs end: accepted once, and with consequences for what waits and for the occurrence."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.test_claim_runs import fired
from tests.engine.worker_steps import (
    FAILED,
    RETURNED,
    Hands,
    change_run,
    ending,
    occurrence_rows,
    only_postgres,
    statuses,
    waits_for_a_lock,
)
from tests.support.factories import TESTER, World, a_job, a_schedule
from tests.worker.processes import eventually
from tick.engine.ledger.audit import Act
from tick.engine.runs import settle
from tick.engine.runs.cancel import cancel_runs
from tick.engine.runs.finish import finish_runs
from tick.engine.runs.settle import settle_forgotten, settle_occurrences
from tick.ops.actions import cancellation, run_now
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.store.tables import occurrence

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
DIAMOND = (
    a_job("features"),
    a_job("left", depends_on=["features"]),
    a_job("right", depends_on=["features"]),
    a_job("below", depends_on=["left", "right"]),
    a_job("beside"),
)


@pytest.fixture
def diamond(world: World) -> World:
    """features → left, right → below, and beside."""
    return fired(world, *DIAMOND)


def the_outcome(world: World) -> str:
    """The only occurrence's."""
    (row,) = occurrence_rows(world)
    outcome: str = row.outcome
    return outcome


def test_when_all_runs_succeed_the_occurrence_does(diamond: World) -> None:
    hands = Hands(diamond)
    hands.work_off()
    (row,) = occurrence_rows(diamond)
    assert (row.outcome, row.succeeded, row.last_finished_at) == ("SUCCESS", 5, TWO)
    assert {run.result for run in diamond.runs()} == {"1"}


def test_counts_are_up_to_date_while_the_occurrence_runs(diamond: World) -> None:
    hands = Hands(diamond)
    hands.end(hands.claim()[0])
    (row,) = occurrence_rows(diamond)
    assert (row.outcome, row.succeeded, row.last_finished_at) == ("RUNNING", 1, None)


def test_a_failure_skips_what_waits_for_it_and_names_the_root(diamond: World) -> None:
    Hands(diamond).work_off(features=FAILED)
    assert statuses(diamond) == {
        "features": "FAILED",
        "left": "SKIPPED",
        "right": "SKIPPED",
        "below": "SKIPPED",
        "beside": "SUCCESS",
    }
    reasons = {run.job_name: run.reason for run in diamond.runs() if run.status == "SKIPPED"}
    assert set(reasons.values()) == {"features failed"}
    (row,) = occurrence_rows(diamond)
    assert (row.outcome, row.succeeded, row.failed, row.skipped) == ("FAILED", 1, 1, 3)


def test_a_failure_of_one_branch_leaves_the_other_alone(diamond: World) -> None:
    Hands(diamond).work_off(left=FAILED)
    found = statuses(diamond)
    assert (found["right"], found["below"]) == ("SUCCESS", "SKIPPED")


def test_what_a_failed_run_left_is_kept(diamond: World) -> None:
    Hands(diamond).work_off(beside=FAILED)
    run = next(run for run in diamond.runs() if run.job_name == "beside")
    assert (run.error_type, run.error_message, run.finished_at) == ("ValueError", "no", TWO)


def test_a_tolerated_failure_makes_the_occurrence_partial(world: World) -> None:
    fired(world, a_job("a"), a_job("b", depends_on=["a"], tolerates={"a"}))
    Hands(world).work_off(a=FAILED)
    assert (the_outcome(world), statuses(world)["b"]) == ("PARTIAL", "SUCCESS")


def test_a_tolerated_failure_beside_another_one_fails_the_occurrence(world: World) -> None:
    fired(world, a_job("a"), a_job("b", depends_on=["a"], tolerates={"a"}), a_job("c"))
    Hands(world).work_off(a=FAILED, c=FAILED)
    assert the_outcome(world) == "FAILED"


def test_a_failure_before_an_always_job_fails_the_occurrence(world: World) -> None:
    fired(world, a_job("a"), a_job("clean-up", depends_on=["a"], always=True))
    Hands(world).work_off(a=FAILED)
    assert (the_outcome(world), statuses(world)["clean-up"]) == ("FAILED", "SUCCESS")


def test_a_failure_that_one_dependent_cannot_tolerate_fails_the_occurrence(
    world: World,
) -> None:
    fired(
        world,
        a_job("a"),
        a_job("b", depends_on=["a"], tolerates={"a"}),
        a_job("c", depends_on=["a"]),
    )
    Hands(world).work_off(a=FAILED)
    assert the_outcome(world) == "FAILED"


def test_a_job_that_cancels_itself_cancels_the_occurrence(world: World) -> None:
    fired(world, a_job("a"), a_job("b", depends_on=["a"]))
    Hands(world).work_off(a=AttemptEnd(AttemptOutcome.ASKED_CANCEL, reason="no need"))
    assert statuses(world) == {"a": "CANCELLED", "b": "SKIPPED"}
    assert [run.reason for run in world.runs()] == ["no need", "a was cancelled"]
    assert the_outcome(world) == "CANCELLED"


def test_a_second_finish_of_a_claim_is_stale(diamond: World) -> None:
    hands = Hands(diamond)
    run = hands.claim(1)[0]
    assert hands.end(run).statuses == {run.run_id: "SUCCESS"}
    again = hands.end(run, end=FAILED)
    assert (again.statuses, [stale.run for stale in again.stale]) == ({}, [run])
    assert statuses(diamond)[run.job_name] == "SUCCESS"


def test_an_end_whose_acceptance_got_lost_is_settled_when_it_is_told_again(world: World) -> None:
    hands = Hands(fired(world, a_job("a")))
    (run,) = hands.claim()
    hands.finish(run)
    assert hands.end(run).stale
    assert the_outcome(world) == "SUCCESS"


def test_a_finish_under_an_older_token_is_stale(diamond: World) -> None:
    hands = Hands(diamond)
    run = hands.claim(1)[0]
    change_run(diamond, run.job_name, fencing_token=2)
    assert hands.end(run).stale
    assert statuses(diamond)[run.job_name] == "RUNNING"


def test_a_failed_attempt_with_another_left_goes_back_to_the_queue(world: World) -> None:
    fired(world, a_job("a", retries=1), a_job("b", depends_on=["a"]))
    hands = Hands(world)
    hands.end(*hands.claim(), end=FAILED)
    run = world.runs()[0]
    assert (run.status, run.attempt) == ("QUEUED", 1)
    assert (run.finished_at, run.deadline_at) == (None, None)
    assert run.reason == "attempt 1 of 2 failed"
    assert timedelta(seconds=5) <= run.available_at - TWO <= timedelta(seconds=10)
    assert (hands.claim(), statuses(world)["b"]) == ([], "QUEUED")
    world.now += timedelta(seconds=10)
    hands.end(*hands.claim(), end=FAILED)
    assert statuses(world) == {"a": "FAILED", "b": "SKIPPED"}


@pytest.mark.parametrize("how", [AttemptOutcome.ASKED_SNOOZE, AttemptOutcome.RELEASED])
def test_a_snooze_and_a_release_give_the_attempt_back(world: World, how: AttemptOutcome) -> None:
    fired(world, a_job("a"))
    hands = Hands(world)
    hands.end(*hands.claim(), end=AttemptEnd(how, reason="later", in_seconds=60))
    run = world.runs()[0]
    assert (run.status, run.attempt, run.available_at) == ("QUEUED", 0, TWO + timedelta(minutes=1))
    assert the_outcome(world) == "RUNNING"


def test_a_run_that_goes_back_although_it_is_to_be_cancelled_is_cancelled(world: World) -> None:
    fired(world, a_job("a", retries=1), a_job("b", depends_on=["a"]))
    hands = Hands(world)
    runs = hands.claim()
    cancellation.cancel_run(world.database, Act(TWO, TESTER), runs[0].run_id)
    hands.end(*runs, end=FAILED)
    assert statuses(world) == {"a": "CANCELLED", "b": "SKIPPED"}
    assert world.runs()[0].reason == "cancelled by tester"
    assert the_outcome(world) == "CANCELLED"


def test_failures_in_a_row_are_counted_and_a_success_ends_the_row(world: World) -> None:
    world.define(a_schedule(every=timedelta(minutes=1)), jobs=[a_job("a")])
    world.enable()
    hands, counted = Hands(world), []
    for end in (FAILED, FAILED, AttemptEnd(AttemptOutcome.ASKED_CANCEL), RETURNED, FAILED):
        world.tick(world.now + timedelta(minutes=1))
        hands.work_off(a=end)
        row = world.schedule()
        counted.append((row.failure_count, row.consecutive_failures))
    assert counted == [(1, 1), (2, 2), (2, 2), (2, 0), (3, 1)]


def test_a_manual_failure_is_not_counted(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("a")])
    run_now.run_schedule(world.database, Act(world.now, TESTER), "daily")
    Hands(world).work_off(a=FAILED)
    assert (the_outcome(world), world.schedule().failure_count) == ("FAILED", 0)


def test_an_occurrence_is_settled_once(diamond: World) -> None:
    hands = Hands(diamond)
    hands.work_off(features=FAILED)
    (row,) = occurrence_rows(diamond)
    with diamond.database.write.begin() as connection:
        assert settle_occurrences(connection, [row.id], TWO) == 0
    assert diamond.schedule().failure_count == 1


def test_an_occurrence_left_by_a_dead_worker_is_settled_later(world: World) -> None:
    fired(world, a_job("a"))
    hands = Hands(world)
    hands.finish(*hands.claim())
    assert the_outcome(world) == "RUNNING"
    with world.database.write.begin() as connection:
        assert settle_forgotten(connection, TWO) == 1
    assert the_outcome(world) == "SUCCESS"


def test_an_occurrence_settled_by_another_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fired(world, a_job("a"))
    hands, lock_rows = Hands(world), settle._lock_rows
    (run,) = hands.claim()
    (row,) = occurrence_rows(world)
    with world.database.write.begin() as connection:

        def end_and_lock(*what: Any, **how: Any) -> Any:
            monkeypatch.undo()
            finish_runs(connection, [ending(run, RETURNED)], TWO)
            return lock_rows(*what, **how)

        monkeypatch.setattr(settle, "_lock_rows", end_and_lock)
        looked_too_early = settle_occurrences(connection, [row.id], TWO)
        assert (looked_too_early, settle_occurrences(connection, [row.id], TWO)) == (0, 1)


@only_postgres
def test_settle_forgotten_skips_locked_occurrences(
    world: World,
) -> None:
    fired(world, a_job("a"))
    hands = Hands(world)
    hands.finish(*hands.claim())
    with world.database.write.begin() as rival, world.database.write.begin() as connection:
        rival.execute(sa.select(occurrence.c.id).with_for_update())
        connection.execute(sa.text("SET LOCAL lock_timeout = 50"))
        assert settle_forgotten(connection, TWO) == 0


@only_postgres
def test_the_last_two_runs_may_end_at_one_moment(world: World) -> None:
    """Neither transaction sees the other's end; whoever settles after the last commit does."""
    fired(world, a_job("a"), a_job("b"))
    hands = Hands(world)
    one, other = hands.claim()
    with world.database.write.begin() as first, world.database.write.begin() as second:
        done = finish_runs(first, [ending(one, RETURNED)], TWO)
        also = finish_runs(second, [ending(other, RETURNED)], TWO)
    assert [hands.settle(done), hands.settle(also)] == [1, 0]
    assert the_outcome(world) == "SUCCESS"


@only_postgres
def test_a_run_is_ready_when_its_last_two_upstreams_ended_at_one_moment(world: World) -> None:
    fired(world, a_job("a"), a_job("b"), a_job("c", depends_on=["a", "b"]))
    hands = Hands(world)
    one, other = hands.claim()
    with world.database.write.begin() as first, world.database.write.begin() as second:
        finish_runs(first, [ending(one, RETURNED)], TWO)
        finish_runs(second, [ending(other, RETURNED)], TWO)
    assert hands.claim_names() == ["c"]


@only_postgres
def test_a_cancellation_beside_a_failure_stays_cancelled(world: World) -> None:
    """The failure found it queued, then had to wait for it."""
    fired(world, a_job("a"), a_job("b", depends_on=["a"]))
    hands = Hands(world)
    (running,) = hands.claim()
    b = next(run.id for run in world.runs() if run.job_name == "b")
    with ThreadPoolExecutor(1) as thread:
        with world.database.write.begin() as rival:
            cancel_runs(rival, [b], now=TWO, reason="by hand")
            finished = thread.submit(hands.finish, running, end=FAILED)
            eventually(lambda: waits_for_a_lock(world))
        assert finished.result().statuses == {running.run_id: "FAILED"}
    after = next(run for run in world.runs() if run.id == b)
    assert (after.status, after.reason, after.skipped_for_id) == ("CANCELLED", "by hand", None)
