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
from tick.executors.executor import Ended
from tick.executors.process_pool import ProcessPool
from tick.executors.thread_pool import ThreadPool
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.timers import Appetite
from tick.worker.executor_group import Crew, Lane, Portion, hire, new_lane

ONCE, AGAIN = a_job("once"), a_job("again", idempotent=True)
JOBS = {job.name: job for job in (ONCE, AGAIN)}


class Hungry(Appetite):
    """Wants a hundred runs beyond the free slots."""

    @property
    def beyond(self) -> int:
        """A hundred."""
        return 100


@pytest.fixture
def executor(work: WorkWorld) -> InlineExecutor:
    """Takes two runs at a time."""
    return InlineExecutor(work.registry, lambda: NOW, slots=2)


def test_what_may_not_be_repeated_is_claimed_for_a_free_slot_only(executor: InlineExecutor) -> None:
    assert Lane(executor, JOBS, Hungry(2)).portions() == [
        Portion(JOBS, 2, ahead=False),
        Portion({"again": AGAIN}, 100, ahead=True),
    ]
    assert Lane(executor, {"once": ONCE}, Hungry(2)).portions() == [
        Portion({"once": ONCE}, 2, ahead=False)
    ]


def test_only_what_may_be_repeated_gives_an_appetite(executor: InlineExecutor) -> None:
    lane = Lane(executor, JOBS, Appetite(2))
    end = AttemptEnd(AttemptOutcome.RETURNED)
    lane.note([Ended(a_run(n, "once"), end, 0.0, 0.001) for n in range(100)])
    assert [portion.ahead for portion in lane.portions()] == [False]
    lane.note([Ended(a_run(n, "again"), end, 0.0, 0.001) for n in range(100)])
    assert [portion.ahead for portion in lane.portions()] == [False, True]


def test_nothing_is_claimed_ahead_while_half_a_store_is_left(executor: InlineExecutor) -> None:
    for number in range(50):
        executor.start(a_run(number, "add"), 10)
    assert Lane(executor, JOBS, Hungry(2)).portions() == [Portion({"again": AGAIN}, 50, ahead=True)]
    executor.start(a_run(50, "add"), 10)
    assert Lane(executor, JOBS, Hungry(2)).portions() == []


def test_a_worker_without_a_job_for_child_processes_starts_none(work: WorkWorld) -> None:
    jobs = {"where-in-a-thread": work.registry.jobs["where-in-a-thread"]}
    crew = hire(jobs, work.settings, with_threads=True)
    assert (crew.is_ready, [portion.most for portion in crew.portions()]) == (True, [16])
    crew.start(a_run(1, "where-in-a-thread"), 10)
    (ended,) = eventually(lambda: [r for r in crew.poll(0.1) if isinstance(r, Ended)])
    assert ended.end.how is AttemptOutcome.RETURNED
    crew.close()


def test_a_thread_that_ends_wakes_a_crew_that_waits_for_its_processes(work: WorkWorld) -> None:
    names = ("where-in-a-thread", "sleeps")
    crew = hire({n: work.registry.jobs[n] for n in names}, work.settings, with_threads=True)
    crew.start(a_run(1, "where-in-a-thread"), 10)
    heard = eventually(lambda: [r for r in crew.poll(30) if isinstance(r, Ended)])
    assert [report.run.run_id for report in heard] == [1]
    assert isinstance(crew, Crew)
    crew.close()


def test_an_end_that_a_thread_kept_to_itself_is_heard_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads_module, "BATCH_SECONDS", 60.0)
    gate = threading.Event()
    functions = {"short": lambda: time.sleep(0.01), "long": lambda: gate.wait(60)}
    jobs = {name: a_job(name, function=function) for name, function in functions.items()}
    pool = ProcessPool(DEFINITIONS, 1, lambda: datetime.now(UTC))
    threads = ThreadPool(jobs, 1, lambda: datetime.now(UTC), pool.wake)
    with closing(Crew([new_lane(pool, {}), new_lane(threads, jobs)])) as crew:
        eventually(lambda: crew.poll(0.1) or crew.is_ready)
        for number, name in enumerate(("short", "short", "short", "long")):
            crew.start(a_run(number, name), 60)
        began, ended = time.monotonic(), 0
        while ended < 3:
            ended += sum(isinstance(report, Ended) for report in crew.poll(20))
        assert time.monotonic() - began < 10
        gate.set()


@pytest.mark.parametrize("job", ["where-in-a-thread", "sleeps"])
def test_a_crew_that_waits_is_woken_from_another_thread(work: WorkWorld, job: str) -> None:
    crew = hire({job: work.registry.jobs[job]}, work.settings, with_threads=True)
    eventually(lambda: crew.poll(0.1) or crew.is_ready)
    thread = threading.Thread(target=crew.wake)
    thread.start()
    began = time.monotonic()
    crew.poll(250)
    assert time.monotonic() - began < 200
    thread.join()
    crew.close()


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
