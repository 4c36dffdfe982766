"""Running again what ended badly, inside the same occurrence."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import FAILED, Hands, change_run, occurrence_rows, statuses
from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.runs.rescue import MAX_RESCUES
from tick.engine.runs.settle import settle_forgotten
from tick.errors import NotFound, Refused
from tick.ops.actions import cancellation, retries, run_now
from tick.store.tables import audit_entry

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
JOBS = (
    a_job("features", retries=1),
    a_job("scores", depends_on=["features"]),
    a_job("mail", depends_on=["scores"]),
    a_job("trending"),
)


@pytest.fixture
def broken(world: World) -> World:
    """features failed twice, so scores and mail were skipped; trending succeeded."""
    world.define(a_schedule(every=timedelta(hours=1), anchor=TWO), jobs=JOBS)
    world.enable()
    world.tick(TWO)
    hands = Hands(world)
    hands.work_off(features=FAILED)
    world.now += timedelta(minutes=5)
    hands.work_off(features=FAILED)
    return world


def run_id(world: World, job_name: str) -> int:
    """The id of the job's run."""
    return next(run.id for run in world.runs() if run.job_name == job_name)


def retry(world: World, job_name: str, **how: Any) -> list[int]:
    """Retry the job's run; what went back."""
    return retries.retry_run(
        world.database, Act(world.now, TESTER), run_id(world, job_name), world.registry, **how
    )


def retry_all(world: World, **how: Any) -> list[int]:
    """Retry the first occurrence."""
    return retries.retry_occurrence(
        world.database, Act(world.now, TESTER), occurrence_rows(world)[0].id, world.registry, **how
    )


def audit(world: World) -> list[tuple[str, str, Any]]:
    """The retries in the audit, as (action, subject, after)."""
    a = audit_entry.c
    rows = world.rows(sa.select(audit_entry).where(a.action.contains("retry")).order_by(a.id))
    return [(row.action, row.subject, row.after) for row in rows]


def test_the_world_is_broken(broken: World) -> None:
    assert statuses(broken) == {
        "features": "FAILED",
        "scores": "SKIPPED",
        "mail": "SKIPPED",
        "trending": "SUCCESS",
    }
    assert occurrence_rows(broken)[0].outcome == "FAILED"
    assert (broken.schedule().failure_count, broken.schedule().consecutive_failures) == (1, 1)


def test_a_requeued_run_gets_new_attempts_counted_onwards(
    broken: World,
) -> None:
    change_run(broken, "features", rescues=MAX_RESCUES, progress=0.5, progress_text="half")
    assert retry(broken, "features")
    run = broken.runs()[0]
    assert (run.status, run.attempt, run.max_attempts, run.rescues) == ("QUEUED", 2, 4, 0)
    assert (run.finished_at, run.reason) == (None, "put back by tester")
    assert (run.progress, run.progress_text) == (None, None)
    (claimed,) = Hands(broken).claim()
    assert (claimed.attempt, claimed.fencing_token) == (3, 3)


def test_the_occurrence_lives_while_it_is_run_again(broken: World) -> None:
    retry_all(broken)
    (row,) = occurrence_rows(broken)
    assert (row.outcome, row.last_finished_at, row.failed, row.skipped) == ("RUNNING", None, 0, 0)
    assert row.succeeded == 1


def test_what_failed_and_what_it_blocked_run_again(broken: World) -> None:
    again = retry_all(broken)
    assert again == [run_id(broken, name) for name in ("features", "scores", "mail")]
    hands = Hands(broken)
    assert hands.claim_names() == ["features"]
    with broken.database.write.begin() as connection:
        settle_forgotten(connection, broken.now)
    assert statuses(broken)["trending"] == "SUCCESS"


def test_a_retry_that_succeeds_makes_the_firing_good(broken: World) -> None:
    retry_all(broken)
    Hands(broken).work_off()
    assert set(statuses(broken).values()) == {"SUCCESS"}
    (row,) = occurrence_rows(broken)
    assert (row.outcome, row.succeeded, row.last_finished_at) == ("SUCCESS", 4, broken.now)
    assert (broken.schedule().failure_count, broken.schedule().consecutive_failures) == (0, 0)


def test_a_retry_that_fails_counts_the_firing_once(broken: World) -> None:
    retry(broken, "features")
    hands = Hands(broken)
    hands.work_off(features=FAILED)
    broken.now += timedelta(minutes=5)
    hands.work_off(features=FAILED)
    assert occurrence_rows(broken)[0].outcome == "FAILED"
    assert (broken.schedule().failure_count, broken.schedule().consecutive_failures) == (1, 1)


def test_a_retry_counts_no_failure_less_than_there_are_in_a_row(broken: World) -> None:
    broken.tick(TWO + timedelta(hours=1))
    Hands(broken).work_off()
    assert (broken.schedule().failure_count, broken.schedule().consecutive_failures) == (1, 0)
    retry(broken, "features")
    assert (broken.schedule().failure_count, broken.schedule().consecutive_failures) == (0, 0)


def test_a_manual_firing_that_is_retried_takes_no_failure_back(broken: World) -> None:
    made = run_now.run_schedule(broken.database, Act(broken.now, TESTER), "daily")
    Hands(broken).work_off(trending=FAILED)
    retries.retry_occurrence(broken.database, Act(broken.now, TESTER), made, broken.registry)
    assert (broken.schedule().failure_count, broken.schedule().consecutive_failures) == (1, 1)


def test_two_runs_of_one_firing_are_put_back_one_after_the_other(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("a"), a_job("b")])
    run_now.run_schedule(world.database, Act(world.now, TESTER), "daily")
    Hands(world).work_off(a=FAILED, b=FAILED)
    assert retry(world, "a")
    assert retry(world, "b")


def test_pressed_twice_it_happens_once(broken: World) -> None:
    again = retry(broken, "features")
    assert retry(broken, "features") == []
    features = str(run_id(broken, "features"))
    assert audit(broken) == [("run.retry", features, {"runs": again})]
    assert broken.runs()[0].max_attempts == 4


def test_an_occurrence_pressed_twice_is_put_back_once(broken: World) -> None:
    again = retry_all(broken)
    assert retry_all(broken) == []
    (row,) = occurrence_rows(broken)
    assert audit(broken) == [("occurrence.retry", str(row.id), {"runs": again})]


def test_a_cancelled_run_can_be_claimed_again(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("features")])
    world.enable()
    world.tick(TWO)
    cancellation.cancel_run(world.database, Act(world.now, TESTER), run_id(world, "features"))
    assert occurrence_rows(world)[0].outcome == "CANCELLED"
    assert retry(world, "features")
    assert Hands(world).claim_names() == ["features"]


def test_a_run_that_waits_for_one_that_failed_is_refused(broken: World) -> None:
    with pytest.raises(Refused, match="waits for features, which ended as FAILED; `tick retry --"):
        retry(broken, "scores")


def test_a_run_that_succeeded_is_refused(broken: World) -> None:
    with pytest.raises(Refused, match=r"\(trending\) succeeded; `tick run --job trending`"):
        retry(broken, "trending")


def test_an_occurrence_in_which_nothing_failed_is_refused(broken: World) -> None:
    retry_all(broken)
    Hands(broken).work_off()
    with pytest.raises(Refused, match=r"Nothing in occurrence .* failed or was cancelled"):
        retry_all(broken)


def test_what_is_not_there_is_not_found(broken: World) -> None:
    act = Act(broken.now, TESTER)
    with pytest.raises(NotFound, match="no run 99"):
        retries.retry_run(broken.database, act, 99, broken.registry)
    with pytest.raises(NotFound, match="no occurrence 99"):
        retries.retry_occurrence(broken.database, act, 99, broken.registry)


def test_it_waits_its_turn_behind_a_newer_firing_unless_told_otherwise(broken: World) -> None:
    broken.tick(TWO + timedelta(hours=1))
    with pytest.raises(Refused, match="Daily is still running"):
        retry(broken, "features")
    with pytest.raises(Refused, match="Daily is still running"):
        retry_all(broken)
    assert audit(broken) == []
    assert len(retry_all(broken, override_overlap=True)) == 3


def test_a_job_that_is_no_longer_defined_gets_one_attempt(broken: World) -> None:
    broken.jobs, broken.schedules = JOBS[3:], ()
    retry(broken, "features")
    assert broken.runs()[0].max_attempts == 3


def test_the_failures_of_others_in_a_manual_firing_count_nowhere(world: World) -> None:
    world.jobs = [a_job("features")]
    run_now.run_job(world.database, Act(world.now, TESTER), "features", world.registry)
    Hands(world).work_off(features=FAILED)
    assert retry(world, "features")
    Hands(world).work_off()
    assert occurrence_rows(world)[0].outcome == "SUCCESS"
