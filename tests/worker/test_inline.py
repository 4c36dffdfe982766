"""How jobs steer their runs and are called, in the worker's own process."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.support.inline import InlineExecutor
from tests.worker.conftest import NOW, WorkWorld
from tick import current_run
from tick.stop import Stop
from tick.store.tables import job_run, worker_instance
from tick.worker.worker import Worker


@pytest.mark.parametrize(
    ("how", "status", "attempt", "reason"),
    [
        ("retry", "FAILED", 1, "the job asked for a retry; no attempt is left after 1"),
        ("snooze", "QUEUED", 0, "the job snoozed"),
        ("cancel", "CANCELLED", 1, "no need"),
    ],
)
def test_a_job_steers_its_run_by_what_it_returns(
    work: WorkWorld, inline: Worker, how: str, status: str, attempt: int, reason: str
) -> None:
    run_id = work.order("steers", how=how)
    inline.run_once(NOW)
    run = work.run(run_id)
    assert (run.status, run.attempt, run.reason) == (status, attempt, reason)


def test_a_worker_whose_processes_do_not_start_does_not_look_idle(
    work: WorkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InlineExecutor, "warm", 0)
    worker = Worker(work.runtime, executor=InlineExecutor(work.registry, lambda: NOW))
    for _ in range(2):
        worker.run_once(NOW)
    (row,) = work.rows(sa.select(worker_instance))
    assert row.activity == "waits for its child processes to start"
    worker.close()


def test_a_snoozed_run_comes_back(work: WorkWorld, inline: Worker) -> None:
    work.order("steers", how="snooze")
    later = NOW + timedelta(seconds=60)
    assert [inline.run_once(now) for now in (NOW, NOW, later)] == [1, 0, 1]


def test_a_job_that_raises_leaves_its_traceback(work: WorkWorld, inline: Worker) -> None:
    run_id = work.order("raises")
    inline.run_once(NOW)
    run = work.run(run_id)
    assert (run.status, run.error_type, run.error_message) == ("FAILED", "ValueError", "no scores")
    assert run.error_traceback.startswith("Traceback (most recent call last):\n")
    assert 'raise ValueError("no scores")' in run.error_traceback
    assert "execute.py" not in run.error_traceback


def test_a_job_that_fails_is_tried_again_until_no_attempt_is_left(
    work: WorkWorld, inline: Worker
) -> None:
    run_id = work.order("raises-thrice")
    minutes = [NOW + timedelta(minutes=minute) for minute in range(4)]
    assert [inline.run_once(now) for now in minutes] == [1, 1, 1, 0]
    assert (work.run(run_id).status, work.run(run_id).attempt) == ("FAILED", 3)


def test_a_coroutine_runs(work: WorkWorld, inline: Worker) -> None:
    run_id = work.order("add-later", left=40)
    inline.run_once(NOW)
    assert work.run(run_id).result == "42"


def test_parameters_are_converted_to_what_the_function_declares(
    work: WorkWorld, inline: Worker
) -> None:
    run_id = work.order("add", left="40")
    inline.run_once(NOW)
    assert work.run(run_id).result == '{"sum": 42}'


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"left": "many"}, "left: Input should be a valid integer"),
        ({"middle": 1}, "middle: Extra inputs are not permitted"),
    ],
)
def test_parameters_that_do_not_fit_fail_the_run_with_the_reason(
    work: WorkWorld, inline: Worker, params: dict[str, object], complaint: str
) -> None:
    run_id = work.order("add")
    with work.database.write.begin() as connection:
        connection.execute(sa.update(job_run).values(params=params))
    inline.run_once(NOW)
    run = work.run(run_id)
    assert (run.status, run.error_type) == ("FAILED", "InvalidParams")
    assert complaint in run.error_message
    assert "The job takes (left: int = 1, right: int = 2)" in run.error_message


def test_a_worker_that_serves_ends_what_nobody_can_execute_any_more(
    work: WorkWorld, inline: Worker
) -> None:
    run_id = work.order("add")
    forgotten = {"job_name": "gone", "available_at": NOW - timedelta(hours=2)}
    with work.database.write.begin() as connection:
        connection.execute(sa.update(job_run).values(forgotten))
    inline.serve(Stop(), seconds=0)
    assert (work.run(run_id).status, work.outcome(run_id)) == ("CANCELLED", "CANCELLED")


def test_outside_of_a_run_there_is_a_stand_in() -> None:
    run = current_run()
    run.progress(0.5, "half way")
    run.milestone("nobody hears it")
    assert (run.cancelled(), run.run_id, run.params) == (False, 0, {})


def test_a_turn_with_nothing_to_do_claims_nothing(work: WorkWorld, inline: Worker) -> None:
    assert inline.run_once(NOW) == 0
