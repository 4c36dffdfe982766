"""What a worker claims: what begins at once, and a little ahead of what may be repeated."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.factories import a_job
from tests.support.inline import InlineExecutor
from tests.worker.conftest import DEFINITIONS, NOW, WorkWorld
from tests.worker.processes import Process, eventually, pids_in
from tests.worker.test_process_pool import a_run
from tick.executors import thread_pool as threads_module
from tick.executors.executor import EndReport
from tick.executors.prefetch import PrefetchController
from tick.executors.process_pool import ProcessPool
from tick.executors.thread_pool import ThreadPool
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.worker.executor_group import (
    AssignedExecutor,
    ClaimRequest,
    ExecutorGroup,
    assign,
    build_executors,
)

ONCE, AGAIN = a_job("once"), a_job("again", idempotent=True)
JOBS = {job.name: job for job in (ONCE, AGAIN)}


class HundredAhead(PrefetchController):
    """Wants a hundred runs beyond the free slots."""

    @property
    def target(self) -> int:
        """A hundred."""
        return 100


@pytest.fixture
def executor(work: WorkWorld) -> InlineExecutor:
    """Takes two runs at a time."""
    return InlineExecutor(work.registry, lambda: NOW, slots=2)


def test_runs_that_may_not_repeat_are_claimed_for_free_slots_only(executor: InlineExecutor) -> None:
    assert AssignedExecutor(executor, JOBS, HundredAhead(2)).claim_requests() == [
        ClaimRequest(JOBS, 2, ahead=False),
        ClaimRequest({"again": AGAIN}, 100, ahead=True),
    ]
    assert AssignedExecutor(executor, {"once": ONCE}, HundredAhead(2)).claim_requests() == [
        ClaimRequest({"once": ONCE}, 2, ahead=False)
    ]


def test_only_runs_of_idempotent_jobs_make_it_claim_ahead(executor: InlineExecutor) -> None:
    assigned = AssignedExecutor(executor, JOBS, PrefetchController(2))
    end = AttemptEnd(AttemptOutcome.RETURNED)
    assigned.note([EndReport(a_run(n, "once"), end, 0.0, 0.001) for n in range(100)])
    assert [request.ahead for request in assigned.claim_requests()] == [False]
    assigned.note([EndReport(a_run(n, "again"), end, 0.0, 0.001) for n in range(100)])
    assert [request.ahead for request in assigned.claim_requests()] == [False, True]


def test_nothing_is_claimed_ahead_while_half_of_the_runs_still_wait(
    executor: InlineExecutor,
) -> None:
    for number in range(50):
        executor.start(a_run(number, "add"), 10)
    assert AssignedExecutor(executor, JOBS, HundredAhead(2)).claim_requests() == [
        ClaimRequest({"again": AGAIN}, 50, ahead=True)
    ]
    executor.start(a_run(50, "add"), 10)
    assert AssignedExecutor(executor, JOBS, HundredAhead(2)).claim_requests() == []


def test_a_worker_without_a_job_for_child_processes_starts_none(work: WorkWorld) -> None:
    jobs = {"where-in-a-thread": work.registry.jobs["where-in-a-thread"]}
    executors = build_executors(jobs, work.settings, with_threads=True)
    assert (executors.is_ready, [request.most for request in executors.claim_requests()]) == (
        True,
        [16],
    )
    executors.start(a_run(1, "where-in-a-thread"), 10)
    (ended,) = eventually(lambda: [r for r in executors.poll(0.1) if isinstance(r, EndReport)])
    assert ended.end.how is AttemptOutcome.RETURNED
    executors.close()


def test_a_thread_that_ends_wakes_a_group_that_waits_for_its_processes(work: WorkWorld) -> None:
    names = ("where-in-a-thread", "sleeps")
    executors = build_executors(
        {n: work.registry.jobs[n] for n in names}, work.settings, with_threads=True
    )
    executors.start(a_run(1, "where-in-a-thread"), 10)
    reports = eventually(lambda: [r for r in executors.poll(30) if isinstance(r, EndReport)])
    assert [report.run.run_id for report in reports] == [1]
    assert isinstance(executors, ExecutorGroup)
    executors.close()


def test_an_end_that_a_thread_kept_to_itself_is_reported_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads_module, "BATCH_SECONDS", 60.0)
    gate = threading.Event()
    functions = {"short": lambda: time.sleep(0.01), "long": lambda: gate.wait(60)}
    jobs = {name: a_job(name, function=function) for name, function in functions.items()}
    pool = ProcessPool(DEFINITIONS, 1, lambda: datetime.now(UTC))
    threads = ThreadPool(jobs, 1, lambda: datetime.now(UTC), pool.wake)
    with closing(ExecutorGroup([assign(pool, {}), assign(threads, jobs)])) as executors:
        eventually(lambda: executors.poll(0.1) or executors.is_ready)
        for number, name in enumerate(("short", "short", "short", "long")):
            executors.start(a_run(number, name), 60)
        began, ended = time.monotonic(), 0
        while ended < 3:
            ended += sum(isinstance(report, EndReport) for report in executors.poll(20))
        assert time.monotonic() - began < 10
        gate.set()


@pytest.mark.parametrize("job", ["where-in-a-thread", "sleeps"])
def test_a_group_that_waits_is_woken_from_another_thread(work: WorkWorld, job: str) -> None:
    executors = build_executors({job: work.registry.jobs[job]}, work.settings, with_threads=True)
    eventually(lambda: executors.poll(0.1) or executors.is_ready)
    thread = threading.Thread(target=executors.wake)
    thread.start()
    began = time.monotonic()
    executors.poll(250)
    assert time.monotonic() - began < 200
    thread.join()
    executors.close()


def test_a_killed_worker_leaves_nothing_abandoned_that_had_not_begun(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    note = tmp_path / "note"
    process = serve()
    stuck = [work.order("starts-another", note=str(tmp_path / f"{n}")) for n in range(2)]
    for number in range(2):
        eventually(pids_in(tmp_path / f"{number}"))
    waiting = [work.order("writes-down-once", note=str(note)) for _ in range(20)]
    process.end()
    assert {work.run(run_id).status for run_id in stuck} == {"RUNNING"}
    assert {work.run(run_id).status for run_id in waiting} == {"QUEUED"}
