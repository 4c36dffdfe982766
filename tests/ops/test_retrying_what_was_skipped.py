"""A retry takes along what was skipped because of the run; one that does not leaves a failure."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import (
    FAILED,
    Hands,
    ending,
    occurrence_rows,
    only_postgres,
    statuses,
    waits_for_a_lock,
)
from tests.support.factories import TESTER, World, a_job, a_schedule
from tests.worker.processes import eventually
from tick.engine.ledger.audit import Act
from tick.engine.runs import requeue
from tick.engine.runs.finish import finish_runs
from tick.errors import Busy, Refused
from tick.ops.actions import batches, cancellation, retries, run_now
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.states import OverlapPolicy
from tick.store.tables import job_run

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
SKIPPED = AttemptEnd(AttemptOutcome.ASKED_SKIP, reason="nothing to do")
CHAIN = (
    a_job("a"),
    a_job("b", depends_on=["a"]),
    a_job("c", depends_on=["b"], queue="slow"),
    a_job("side"),
    a_job("tidy", depends_on=["a"], always=True),
)


def fire(world: World, *jobs: Any, **ends: AttemptEnd) -> Hands:
    """Fire the jobs by a schedule, and work them off with these ends."""
    world.define(
        a_schedule(every=timedelta(hours=1), anchor=TWO, overlap=OverlapPolicy.ALLOW), jobs=jobs
    )
    world.enable()
    world.tick(TWO)
    hands = Hands(world)
    hands.work_off(**ends)
    return hands


def run_id(world: World, job_name: str) -> int:
    """The id of the job's run."""
    return next(run.id for run in world.runs() if run.job_name == job_name)


def again(world: World, job_name: str, **how: Any) -> list[str]:
    """Retry the job's run; the names of what went back."""
    act = Act(world.now, TESTER)
    ids = retries.retry_run(world.database, act, run_id(world, job_name), world.registry, **how)
    return [run.job_name for run in world.runs() if run.id in ids]


def many_again(world: World, *names: str, **how: Any) -> batches.BatchDone:
    """Retry the runs of these jobs at once."""
    ids = [run_id(world, name) for name in names]
    act = Act(world.now, TESTER)
    return batches.retry_runs(world.database, act, ids, world.registry, **how)


def cancelled(world: World) -> Hands:
    """CHAIN asked for by a person who cancelled its first run; the rest is worked off."""
    world.define(a_schedule(), jobs=CHAIN)
    run_now.run_schedule(world.database, Act(world.now, TESTER), "daily")
    cancellation.cancel_run(world.database, Act(world.now, TESTER), run_id(world, "a"))
    hands = Hands(world)
    hands.work_off()
    return hands


def all_again(world: World) -> list[str]:
    """Retry the first occurrence; the names of what went back."""
    number = occurrence_rows(world)[0].id
    act = Act(world.now, TESTER)
    ids = retries.retry_occurrence(world.database, act, number, world.registry)
    return [run.job_name for run in world.runs() if run.id in ids]


def outcome(world: World) -> str:
    """The outcome of the first occurrence."""
    return str(occurrence_rows(world)[0].outcome)


def reasons(world: World) -> dict[str, str | None]:
    """Why, by the name of the job."""
    return {run.job_name: run.reason for run in world.runs()}


def _as_a_release_before_skips(world: World) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).values(skipped_for_id=None))


def test_a_retry_takes_along_what_a_release_before_skipped(world: World) -> None:
    fire(world, *CHAIN, a=FAILED)
    _as_a_release_before_skips(world)
    assert again(world, "a") == ["a", "b", "c"]


def test_a_retry_without_runs_skipped_by_an_older_release_is_no_success(
    world: World,
) -> None:
    hands = fire(world, *CHAIN, a=FAILED)
    _as_a_release_before_skips(world)
    assert again(world, "a", only=True) == ["a"]
    hands.work_off()
    assert outcome(world) == "FAILED"


def test_a_retry_takes_along_what_was_skipped_because_of_the_run(world: World) -> None:
    hands = fire(world, *CHAIN, a=FAILED)
    assert (statuses(world)["b"], statuses(world)["c"], outcome(world)) == (
        "SKIPPED",
        "SKIPPED",
        "FAILED",
    )
    assert again(world, "a") == ["a", "b", "c"]
    assert outcome(world) == "RUNNING"
    hands.work_off()
    assert set(statuses(world).values()) == {"SUCCESS"}
    assert outcome(world) == "SUCCESS"


def test_a_run_that_fails_again_takes_down_again_what_went_with_it(world: World) -> None:
    hands = fire(world, *CHAIN, a=FAILED)
    again(world, "a")
    hands.work_off(a=FAILED)
    assert (statuses(world)["c"], reasons(world)["c"], outcome(world)) == (
        "SKIPPED",
        "a failed",
        "FAILED",
    )
    assert world.schedule().consecutive_failures == 1


def test_an_occurrence_from_which_runs_were_left_out_has_failed(world: World) -> None:
    hands = fire(world, *CHAIN, a=FAILED)
    assert again(world, "a", only=True) == ["a"]
    hands.work_off()
    assert (statuses(world)["a"], statuses(world)["b"], outcome(world)) == (
        "SUCCESS",
        "SKIPPED",
        "FAILED",
    )
    assert reasons(world)["b"] == "a did not succeed, and was retried without it"
    assert (world.schedule().failure_count, world.schedule().consecutive_failures) == (1, 1)


def test_an_occurrence_from_which_runs_were_left_out_can_be_retried(world: World) -> None:
    hands = fire(world, *CHAIN, a=FAILED)
    again(world, "a", only=True)
    hands.work_off()
    assert all_again(world) == ["b", "c"]
    hands.work_off()
    assert outcome(world) == "SUCCESS"
    assert (world.schedule().failure_count, world.schedule().consecutive_failures) == (0, 0)


def test_a_run_that_was_left_out_can_be_retried_and_takes_along_its_own(world: World) -> None:
    hands = fire(world, *CHAIN, a=FAILED)
    again(world, "a", only=True)
    hands.work_off()
    with pytest.raises(Refused, match="waits for b, which ended as SKIPPED"):
        again(world, "c")
    assert again(world, "b") == ["b", "c"]
    hands.work_off()
    assert outcome(world) == "SUCCESS"


def test_a_retry_of_a_cancelled_run_takes_its_skipped_runs_along(world: World) -> None:
    hands = cancelled(world)
    assert outcome(world) == "CANCELLED"
    assert again(world, "a") == ["a", "b", "c"]
    hands.work_off()
    assert outcome(world) == "SUCCESS"


def test_a_cancelled_run_that_is_retried_alone_leaves_a_failure(world: World) -> None:
    hands = cancelled(world)
    again(world, "a", only=True)
    hands.work_off()
    assert outcome(world) == "FAILED"


TWO_ROOTS = (a_job("a"), a_job("z"), a_job("b", depends_on=["a", "z"]), a_job("c", depends_on="b"))


def test_a_retry_leaves_runs_skipped_that_another_failure_blocks(world: World) -> None:
    hands = fire(world, *TWO_ROOTS, a=FAILED, z=FAILED)
    assert reasons(world)["b"] == "a failed"
    assert again(world, "a") == ["a"]
    assert (reasons(world)["b"], reasons(world)["c"]) == ("z failed", "z failed")
    hands.work_off()
    assert outcome(world) == "FAILED"
    assert again(world, "z") == ["z", "b", "c"]
    hands.work_off()
    assert outcome(world) == "SUCCESS"


def test_of_two_roots_retried_alone_the_last_leaves_what_waits_for_both(world: World) -> None:
    hands = fire(world, *TWO_ROOTS, a=FAILED, z=FAILED)
    for name in ("a", "z"):
        assert again(world, name, only=True) == [name]
    hands.work_off()
    assert outcome(world) == "FAILED"
    assert all_again(world) == ["b", "c"]


def test_many_runs_of_one_occurrence_go_back_with_what_they_skipped(world: World) -> None:
    hands = fire(world, *TWO_ROOTS, a=FAILED, z=FAILED)
    batch = many_again(world, "a", "z")
    assert (batch.done, batch.refused) == (
        tuple(sorted(run_id(world, name) for name in "azbc")),
        {},
    )
    hands.work_off()
    assert outcome(world) == "SUCCESS"


def test_a_chosen_run_that_went_along_with_another_is_done_and_not_refused(world: World) -> None:
    fire(world, *CHAIN, a=FAILED)
    batch = many_again(world, "a", "b", "c")
    assert (batch.done, batch.refused) == (tuple(run_id(world, name) for name in "abc"), {})


def test_many_runs_can_go_back_alone(world: World) -> None:
    fire(world, *CHAIN, a=FAILED)
    assert many_again(world, "a", only=True).done == (run_id(world, "a"),)
    assert statuses(world)["b"] == "SKIPPED"


def test_a_run_that_skipped_itself_stays_and_leaves_no_failure(world: World) -> None:
    jobs = (a_job("a"), a_job("own"), a_job("after", depends_on=["own"]))
    hands = fire(world, *jobs, a=FAILED, own=SKIPPED)
    assert reasons(world)["after"] == "own was skipped"
    assert all_again(world) == ["a"]
    hands.work_off()
    assert (statuses(world)["own"], outcome(world)) == ("SKIPPED", "SUCCESS")


def test_a_tolerated_failure_beside_a_left_out_run_is_no_partial_success(world: World) -> None:
    jobs = (
        a_job("a"),
        a_job("b", depends_on=["a"]),
        a_job("maybe"),
        a_job("after", depends_on=["maybe"], tolerates=frozenset({"maybe"})),
    )
    hands = fire(world, *jobs, a=FAILED, maybe=FAILED)
    again(world, "a", only=True)
    hands.work_off()
    assert outcome(world) == "FAILED"
    assert again(world, "b") == ["b"]
    hands.work_off()
    assert outcome(world) == "PARTIAL"


def test_a_retry_waits_for_a_unique_run_that_would_go_along(world: World) -> None:
    jobs = (a_job("a"), a_job("c", depends_on=["a"], unique="job"))
    hands = fire(world, *jobs, a=FAILED)
    run_now.run_job(world.database, Act(world.now, TESTER), "c", world.registry)
    with pytest.raises(Busy, match=r"\(c\) is unique"):
        again(world, "a")
    assert again(world, "a", only=True) == ["a"]
    hands.work_off()
    assert outcome(world) == "FAILED"
    assert again(world, "c") == ["c"]


def test_more_runs_than_a_statement_binds_go_back_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [a_job(f"leaf-{number}", depends_on=["a"]) for number in range(7)]
    hands = fire(world, a_job("a"), *many, a=FAILED)
    batches = requeue.batches
    monkeypatch.setattr(requeue, "batches", lambda ids: batches(ids, 3))
    assert len(again(world, "a")) == 8
    hands.work_off()
    assert outcome(world) == "SUCCESS"


@only_postgres
def test_a_failure_that_comes_during_a_retry_skips_what_the_retry_put_back(world: World) -> None:
    hands = fire(world, *TWO_ROOTS, a=FAILED, z=FAILED)
    again(world, "z")
    (running,) = hands.claim()
    with ThreadPoolExecutor(1) as thread:
        with world.database.write.begin() as rival:
            accepted = finish_runs(rival, [ending(running, FAILED)], world.now)
            retried = thread.submit(again, world, "a")
            eventually(lambda: retried.done() or waits_for_a_lock(world))
        assert retried.result() == ["a"]
    hands.settle(accepted)
    assert (statuses(world)["b"], reasons(world)["b"]) == ("SKIPPED", "z failed")
    hands.work_off()
    assert outcome(world) == "FAILED"
