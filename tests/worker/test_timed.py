"""A spell of work within a budget of time, for hosts without a worker."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, a_schedule
from tests.worker.conftest import WorkWorld
from tick.engine.ledger.audit import Act
from tick.ops.actions import run_now
from tick.runtime import Runtime
from tick.states import OverlapPolicy
from tick.stop import Stop
from tick.store.tables import worker_instance
from tick.worker.timed import work_for


@pytest.fixture
def runtime(work: WorkWorld) -> Runtime:
    """A runtime whose clock is the real one; what the world orders is long due."""
    work.settings = work.settings.model_copy(update={"worker_poll_seconds": 0.05})
    return work.runtime


def test_it_ends_when_nothing_is_ready(work: WorkWorld, runtime: Runtime) -> None:
    ids = [work.order("add"), work.order("raises"), work.order("steers", how="snooze")]
    worked = work_for(runtime, 60)
    assert [work.run(run_id).status for run_id in ids] == ["SUCCESS", "FAILED", "QUEUED"]
    assert worked.as_dict() | {"took_seconds": 0} == {
        "statuses": {"SUCCESS": 1, "FAILED": 1, "QUEUED": 1},
        "more": False,
        "took_seconds": 0,
    }
    assert worked.took_seconds < 30
    assert [work.outcome(run_id) for run_id in ids[:2]] == ["SUCCESS", "FAILED"]


def test_what_waited_for_the_last_occurrence_is_ready_too(work: WorkWorld) -> None:
    work.settings = work.settings.model_copy(update={"worker_poll_seconds": 30.0})
    work.define(
        a_schedule("one-by-one", mode="SINGLE_JOB", job="add", overlap=OverlapPolicy.QUEUE_ONE)
    )
    work.enable("one-by-one")
    for _ in range(2):
        run_now.run_schedule(work.database, Act(work.now, TESTER), "one-by-one")
    assert work_for(work.runtime, 60).more is False
    assert [row.outcome for row in work.occurrences()] == ["SUCCESS", "SUCCESS"]


def test_runs_over_the_drain_time_are_requeued_without_an_attempt(
    work: WorkWorld, runtime: Runtime
) -> None:
    run_id = work.order("waits")
    started = time.monotonic()
    worked = work_for(runtime, 6)
    assert time.monotonic() - started < 6 + 1
    run = work.run(run_id)
    assert (run.status, run.attempt, run.reason) == ("QUEUED", 0, "its worker stopped")
    assert (worked.more, dict(worked.statuses)) == (True, {"QUEUED": 1})


def test_its_worker_says_goodbye(work: WorkWorld, runtime: Runtime) -> None:
    assert work_for(runtime, 60).more is False
    (worker,) = work.rows(sa.select(worker_instance))
    assert worker.status == "STOPPED"
    assert worker.stopped_at - worker.started_at < timedelta(seconds=30)


def test_it_can_be_stopped_sooner(work: WorkWorld, runtime: Runtime) -> None:
    run_id, stop = work.order("waits"), Stop()
    stop()
    assert work_for(runtime, 600, stop).more is True
    assert work.run(run_id).attempt == 0


def test_a_thread_of_a_web_server_may_do_it(work: WorkWorld, runtime: Runtime) -> None:
    run_id = work.order("add")
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(work_for, runtime, 60).result().statuses == {"SUCCESS": 1}
    assert work.run(run_id).status == "SUCCESS"
