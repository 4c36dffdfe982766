"""Commands and conditions in a worker's child processes."""

import pytest

from tests.job_types.conftest import NOW
from tests.support.factories import TESTER
from tests.worker.conftest import WorkWorld
from tests.worker.processes import is_gone
from tick.engine.ledger.audit import Act
from tick.ops.actions import run_now
from tick.worker.worker import Worker


def test_a_commands_output_is_its_log(work: WorkWorld, worker: Worker) -> None:
    run_id = work.order("greets")
    worker.run_once(NOW)
    assert work.run(run_id).status == "SUCCESS"
    assert sorted(work.log(run_id)) == [("info", "hello"), ("warning", "oh")]


def test_a_command_that_takes_too_long_dies_with_all_that_it_started(
    work: WorkWorld, worker: Worker
) -> None:
    run_id = work.order("never-ends")
    worker.run_once(NOW)
    run = work.run(run_id)
    assert (run.status, run.error_type) == ("FAILED", "TimedOut")
    ((_, pids),) = work.log(run_id)
    assert all(is_gone(int(pid)) for pid in pids.split())


@pytest.mark.parametrize(
    ("job", "reason"),
    [("closed", "the shop is closed"), ("unwanted", "its condition does not hold")],
)
def test_a_run_whose_condition_does_not_hold_is_skipped(
    work: WorkWorld, worker: Worker, job: str, reason: str
) -> None:
    run_id = work.order(job)
    worker.run_once(NOW)
    run = work.run(run_id)
    assert (run.status, run.reason, run.error_type) == ("SKIPPED", reason, None)
    assert work.outcome(run_id) == "SUCCESS"


def test_a_run_whose_condition_holds_runs(work: WorkWorld, worker: Worker) -> None:
    run_id = work.order("wanted")
    worker.run_once(NOW)
    assert (work.run(run_id).status, work.run(run_id).result) == ("SUCCESS", '"ran"')


def test_a_condition_that_raises_fails_the_run(work: WorkWorld, worker: Worker) -> None:
    run_id = work.order("broken")
    worker.run_once(NOW)
    assert (work.run(run_id).status, work.run(run_id).error_type) == ("FAILED", "ZeroDivisionError")


def test_dependents_of_a_skipped_run_are_skipped_unless_they_tolerate_it(
    work: WorkWorld, worker: Worker
) -> None:
    work.jobs = [job for job in work.jobs if job.name in {"closed", "after", "regardless"}]
    run_now.run_all(work.database, Act(NOW, TESTER), work.registry)
    while worker.run_once(NOW):
        pass
    ended = {run.job_name: (run.status, run.reason) for run in work.runs()}
    assert ended == {
        "closed": ("SKIPPED", "the shop is closed"),
        "after": ("SKIPPED", "closed was skipped"),
        "regardless": ("SUCCESS", None),
    }
