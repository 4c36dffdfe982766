"""The pool of threads by itself, and a worker with threads beside its child processes."""

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.factories import a_job
from tests.worker.conftest import NOW, WorkWorld
from tests.worker.processes import eventually
from tests.worker.test_process_pool import a_run
from tick import current_run
from tick.executors import thread_pool as threads_module
from tick.executors.executor import CANCEL_SECONDS, EndReport, LogReport, ProgressReport, Report
from tick.executors.thread_pool import ThreadPool
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.worker.worker import Worker

WITHIN_SECONDS = 30.0


class Gate:
    """Jobs that wait to be let go, and say which of them are at work."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside: list[int] = []

    def hold(self) -> str:
        """Wait at the gate."""
        self.inside.append(current_run().run_id)
        self.open.wait(WITHIN_SECONDS)
        print("let go")
        return "late"

    def heed(self) -> str:
        """Wait until asked to stop."""
        run = current_run()
        self.inside.append(run.run_id)
        while not run.cancelled():
            time.sleep(0.005)
        return "stopped"


def talk() -> int:
    """Say something in every way there is."""
    run = current_run()
    print(f"printed by {run.run_id}")
    logging.getLogger("talk").info("logged by %d", run.run_id)
    run.progress(0.5, "half way")
    print("unended", end="")
    return run.run_id


async def talk_elsewhere() -> None:
    """Say something in a thread of the job's own."""
    await asyncio.to_thread(print, f"printed for {current_run().run_id}")


def flood() -> None:
    """Log very much."""
    for number in range(20_000):
        logging.getLogger("flood").info("line %d", number)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that is opened at the end."""
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def make_pool(gate: Gate) -> Callable[[], ThreadPool]:
    """Makes pools of two threads."""
    functions = {
        "talk": talk,
        "talk-elsewhere": talk_elsewhere,
        "flood": flood,
        "hold": gate.hold,
        "heed": gate.heed,
    }
    jobs = {name: a_job(name, function=function) for name, function in functions.items()}
    return lambda: ThreadPool(jobs, 2, lambda: datetime.now(UTC))


@pytest.fixture
def pool(make_pool: Callable[[], ThreadPool]) -> Iterator[ThreadPool]:
    """A pool that is closed at the end."""
    with closing(make_pool()) as pool:
        yield pool


def reports_of(pool: ThreadPool, ends: int) -> list[Report]:
    """All that the pool reports until so many runs have ended."""
    found: list[Report] = []
    until = time.monotonic() + WITHIN_SECONDS
    while sum(isinstance(report, EndReport) for report in found) < ends:
        assert time.monotonic() < until
        found += pool.poll(0.1)
    return found


def ends_of(pool: ThreadPool, count: int) -> list[AttemptEnd]:
    return [report.end for report in reports_of(pool, count) if isinstance(report, EndReport)]


def test_what_runs_say_side_by_side_is_their_own(make_pool: Callable[[], ThreadPool]) -> None:
    said: dict[int, list[str]] = {number: [] for number in range(20)}
    # Made here: between a fixture and its test pytest changes the standard output.
    with closing(make_pool()) as pool:
        for number in said:
            pool.start(a_run(number, "talk"), 10)
        reports = reports_of(pool, 20)
    for report in reports:
        if isinstance(report, LogReport):
            said[report.run.run_id] += [line.message for line in report.lines]
    assert said == {n: [f"printed by {n}", f"logged by {n}", "unended"] for n in range(20)}
    progressed = {
        r.run.run_id for r in reports if isinstance(r, ProgressReport) and r.fraction == 0.5
    }
    assert progressed == set(range(20))


def test_what_threads_of_a_job_print_is_said_by_its_own_run(
    make_pool: Callable[[], ThreadPool],
) -> None:
    said: list[tuple[int, str]] = []
    with closing(make_pool()) as pool:
        for number in range(5):
            # One after the other, so that a new thread gets the number of one that has ended.
            pool.start(a_run(number, "talk-elsewhere"), 10)
            for report in reports_of(pool, 1):
                if isinstance(report, LogReport):
                    said += [(report.run.run_id, line.message) for line in report.lines]
    assert said == [(number, f"printed for {number}") for number in range(5)]


def test_a_run_counts_as_running_until_its_end_is_reported(pool: ThreadPool) -> None:
    run = a_run(1, "talk")
    pool.start(run, 10)
    eventually(lambda: pool.free == 2)
    assert pool.running == [run]
    assert [end.how for end in ends_of(pool, 1)] == [AttemptOutcome.RETURNED]
    assert pool.running == []


def test_an_end_that_nobody_has_heard_is_reported_when_the_pool_closes(pool: ThreadPool) -> None:
    pool.start(a_run(1, "talk"), 10)
    eventually(lambda: pool.free == 2)
    assert [report.run.run_id for report in pool.close() if isinstance(report, EndReport)] == [1]


def test_many_short_runs_end_in_few_reports(pool: ThreadPool) -> None:
    for number in range(500):
        pool.start(a_run(number, "talk"), 10)
    polls = 0
    ended: set[int] = set()
    while len(ended) < 500:
        polls += 1
        ended |= {r.run.run_id for r in pool.poll(1) if isinstance(r, EndReport)}
    assert polls < 100


def test_output_outside_of_a_run_goes_where_it_would_have_gone(
    pool: ThreadPool, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    pool.start(a_run(1, "hold"), 10)
    eventually(lambda: gate.inside)
    logging.getLogger("worker").warning("the worker's own word")
    print("another one")
    assert current_run().run_id == 0
    assert pool.poll(0) == []
    assert "the worker's own word" in caplog.text


def test_a_run_that_does_not_end_in_time_fails_and_is_refused_when_it_does(
    pool: ThreadPool, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    pool.start(a_run(1, "hold"), 0.05)
    (end,) = ends_of(pool, 1)
    assert (end.how, end.error_message) == (
        AttemptOutcome.TIMED_OUT,
        "timed out after 0.05 s; nothing can kill its thread, which may go on",
    )
    # The thread stays taken: there are never more of them than there should be.
    assert (pool.running, pool.free) == ([], 1)
    gate.open.set()
    eventually(lambda: pool.free == 2)
    assert pool.poll(0) == []
    assert "run 1 (hold) returned too late, which is refused" in caplog.text


def test_a_run_whose_time_is_over_hears_that_it_should_stop(pool: ThreadPool) -> None:
    pool.start(a_run(1, "heed"), 0.05)
    assert [end.how for end in ends_of(pool, 1)] == [AttemptOutcome.TIMED_OUT]
    eventually(lambda: pool.free == 2)


def test_a_run_stops_when_asked_to_and_is_given_up_when_it_does_not(
    pool: ThreadPool, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads_module, "CANCEL_SECONDS", 0.2)
    for number, job in enumerate(("heed", "hold")):
        pool.start(a_run(number, job), 60)
    eventually(lambda: len(gate.inside) == 2)
    for number, job in enumerate(("heed", "hold")):
        pool.cancel(a_run(number, job))
    reasons = [(end.how, end.reason) for end in ends_of(pool, 2)]
    assert reasons == [
        (AttemptOutcome.CANCELLED, "the job stopped when asked to"),
        (
            AttemptOutcome.CANCELLED,
            "did not stop when asked to; nothing can kill its thread, which may go on",
        ),
    ]


def test_a_cancellation_gives_no_more_time_than_the_run_had(pool: ThreadPool, gate: Gate) -> None:
    pool.start(a_run(1, "hold"), 0.2)
    eventually(lambda: len(gate.inside) == 1)
    pool.cancel(a_run(1, "hold"))
    (end,) = [report for report in reports_of(pool, 1) if isinstance(report, EndReport)]
    assert end.took < CANCEL_SECONDS
    gate.open.set()
    eventually(lambda: pool.free == 2)


def test_what_waits_can_be_taken_back_cancelled_and_forgotten(pool: ThreadPool, gate: Gate) -> None:
    runs = [a_run(number, "hold") for number in range(5)]
    for run in runs:
        pool.start(run, 60)
    eventually(lambda: len(gate.inside) == 2)
    assert (pool.free, pool.waiting, set(pool.begun)) == (0, 3, {(0, 1), (1, 1)})
    pool.cancel(runs[3])
    pool.kill(runs[4])
    pool.kill(runs[0])
    assert pool.take_back(0) == [runs[2]]
    assert pool.running == [runs[1]]
    gate.open.set()
    assert {end.how for end in ends_of(pool, 2)} == {
        AttemptOutcome.CANCELLED,
        AttemptOutcome.RETURNED,
    }
    eventually(lambda: pool.free == 2)


def test_a_flood_is_cut_and_the_cut_is_counted(pool: ThreadPool) -> None:
    pool.start(a_run(1, "flood"), 60)
    said = [report for report in reports_of(pool, 1) if isinstance(report, LogReport)]
    heard = sum(len(report.lines) for report in said)
    assert heard + sum(report.lost for report in said) == 20_000


def test_a_worker_runs_jobs_in_threads_and_in_processes_as_they_ask(
    work: WorkWorld, make_worker: Callable[..., Worker], pid_of: Callable[[int], Any]
) -> None:
    here, there = work.order("where-in-a-thread"), work.order("who-am-i")
    worker = make_worker()
    assert worker.run_once(NOW) == 2
    assert pid_of(here) == os.getpid() != pid_of(there)
    assert work.run(here).status == work.run(there).status == "SUCCESS"
    assert ("info", "printed in a thread") in work.log(here)


def test_without_threads_a_child_process_runs_them(
    work: WorkWorld, make_worker: Callable[..., Worker], pid_of: Callable[[int], Any]
) -> None:
    here = work.order("where-in-a-thread")
    make_worker(with_threads=False).run_once(NOW)
    assert pid_of(here) not in (None, os.getpid())


@pytest.fixture
def pid_of(work: WorkWorld) -> Callable[[int], Any]:
    """The process that executed a run, as its result says."""
    return lambda run_id: json.loads(work.run(run_id).result)["pid"]
