"""The pool of child processes by itself."""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.worker.conftest import DEFINITIONS, NOW
from tests.worker.processes import eventually
from tick.executors.claimed_run import ClaimedRun
from tick.executors.executor import EndReport, LogReport, Report
from tick.executors.process_pool import ProcessPool
from tick.policy.retry import AttemptEnd, AttemptOutcome

WITHIN_SECONDS = 30.0
RUN = ClaimedRun(
    run_id=1,
    fencing_token=1,
    job_name="add",
    occurrence_id=1,
    schedule_id=None,
    scheduled_for=None,
    attempt=1,
    max_attempts=1,
    params={},
    deadline=NOW,
)


def a_run(number: int, job: str, **params: Any) -> ClaimedRun:
    return replace(RUN, run_id=number, job_name=job, params=params)


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    """One warm child, which is replaced after two runs."""
    pool = ProcessPool(
        DEFINITIONS, 1, lambda: datetime.now(UTC), recycle_after=2, recycle_seconds=0
    )
    warm_up(pool)
    yield pool
    pool.close()


@pytest.fixture
def lasting_pool() -> Iterator[ProcessPool]:
    """Two warm children that are not replaced."""
    pool = ProcessPool(DEFINITIONS, 2, lambda: datetime.now(UTC))
    warm_up(pool)
    yield pool
    pool.close()


def warm_up(pool: ProcessPool) -> None:
    until = time.monotonic() + WITHIN_SECONDS
    while pool.free < pool.slots:
        assert time.monotonic() < until
        pool.poll(0.1)


def ends(pool: ProcessPool, count: int) -> list[AttemptEnd]:
    """The next ends that the pool reports."""
    found: list[AttemptEnd] = []
    until = time.monotonic() + WITHIN_SECONDS
    while len(found) < count:
        assert time.monotonic() < until
        found += [report.end for report in pool.poll(0.1) if isinstance(report, EndReport)]
    return found


def test_runs_beyond_the_free_slots_wait_for_their_turn(pool: ProcessPool) -> None:
    pool.start(a_run(1, "add", left=1), 10)
    pool.start(a_run(2, "add", left=2), 10)
    assert (pool.free, pool.waiting, len(pool.running)) == (0, 1, 2)
    assert [end.result for end in ends(pool, 2)] == ['{"sum": 3}', '{"sum": 4}']


def test_whoever_wakes_a_pool_that_hears_nothing_does_not_wait_for_it(pool: ProcessPool) -> None:
    waker = threading.Thread(target=lambda: [pool.wake() for _ in range(10_000)], daemon=True)
    waker.start()
    waker.join(WITHIN_SECONDS)
    assert not waker.is_alive()
    pool.start(a_run(1, "add"), 10)
    assert [end.result for end in ends(pool, 1)] == ['{"sum": 3}']


def test_a_child_is_replaced_after_so_many_runs(pool: ProcessPool) -> None:
    for number in range(4):
        pool.start(a_run(number, "who-am-i"), 10)
    pids = [(end.result or "").partition('"pid": ')[2] for end in ends(pool, 4)]
    assert (pids[0], pids[2]) == (pids[1], pids[3])
    assert pids[0] != pids[2]


def test_what_waits_can_be_taken_back(pool: ProcessPool, tmp_path: Path) -> None:
    note = tmp_path / "note"
    first, second = a_run(1, "sleeps", note=str(note)), a_run(2, "add")
    pool.start(first, 10)
    pool.start(second, 10)
    eventually(note.exists)
    assert pool.take_back(60) == []
    assert pool.take_back(0) == [second]
    assert pool.running == [first]


def test_a_waiting_run_that_is_cancelled_never_begins(pool: ProcessPool) -> None:
    pool.start(a_run(1, "sleeps"), 10)
    pool.start(a_run(2, "add"), 10)
    pool.cancel(a_run(2, "add"))
    assert [end.how for end in ends(pool, 1)] == [AttemptOutcome.CANCELLED]


def test_a_killed_run_is_not_heard_of_again(pool: ProcessPool) -> None:
    run = a_run(1, "sleeps")
    pool.start(run, 10)
    pool.kill(run)
    assert pool.running == []
    warm_up(pool)
    pool.start(a_run(2, "add"), 10)
    assert [end.result for end in ends(pool, 1)] == ['{"sum": 3}']


def test_a_job_that_the_child_does_not_know_goes_back(pool: ProcessPool) -> None:
    pool.start(a_run(1, "newer-than-this-release"), 10)
    assert [end.how for end in ends(pool, 1)] == [AttemptOutcome.RELEASED]


def test_definitions_that_do_not_load_leave_no_child_free(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool = ProcessPool("tests.worker.no_such_package", 1, lambda: NOW)
    until = time.monotonic() + WITHIN_SECONDS
    while "ended before it was ready" not in caplog.text:
        assert time.monotonic() < until
        pool.poll(0.1)
    assert pool.free == 0
    assert "cannot load the definitions" in caplog.text
    pool.close()


def test_prefetched_runs_are_taken_back_from_a_slow_child(
    lasting_pool: ProcessPool,
) -> None:
    runs = [a_run(number, "add") for number in range(100)]
    runs[50] = a_run(50, "sleeps")
    for run in runs:
        lasting_pool.start(run, 600)
    assert len(ends(lasting_pool, 99)) == 99
    assert lasting_pool.running == [runs[50]]


def test_a_child_that_dies_takes_no_run_along_that_it_had_not_begun(
    lasting_pool: ProcessPool,
) -> None:
    for number in range(40):
        lasting_pool.start(a_run(number, "leaves" if number in (10, 30) else "add"), 10)
    assert Counter(end.how for end in ends(lasting_pool, 40)) == {
        AttemptOutcome.RETURNED: 38,
        AttemptOutcome.DIED: 2,
    }


def test_what_a_short_run_writes_to_the_pipe_is_its_own(lasting_pool: ProcessPool) -> None:
    for number in range(200):
        lasting_pool.start(a_run(number, "writes-below", text=str(number)), 10)
    reports: list[Report] = []
    until = time.monotonic() + WITHIN_SECONDS
    while sum(isinstance(report, EndReport) for report in reports) < 200:
        assert time.monotonic() < until
        reports += lasting_pool.poll(0.1)
    said = [
        (r.run.run_id, line.message)
        for r in reports
        if isinstance(r, LogReport)
        for line in r.lines
    ]
    assert sorted(said) == [(number, str(number)) for number in range(200)]


def test_a_run_is_heard_although_the_one_before_it_took_the_log_for_itself(
    pool: ProcessPool,
) -> None:
    pool.start(a_run(1, "takes-the-log"), 10)
    pool.start(a_run(2, "talk"), 10)
    said: list[str] = []
    reports: list[Report] = []
    until = time.monotonic() + WITHIN_SECONDS
    while sum(isinstance(report, EndReport) for report in reports) < 2:
        assert time.monotonic() < until
        reports += pool.poll(0.1)
    for report in reports:
        if isinstance(report, LogReport) and report.run.run_id == 2:
            said += [line.message for line in report.lines]
    said.remove("from below")  # another process's: its place among the others is not promised
    assert any("warned" in text for text in said)
    expected = ["logged", "printed", "to stderr", "half way", "the end"]
    assert [text for text in said if "warned" not in text] == expected


def test_a_run_begins_where_every_run_does_whatever_the_one_before_it_left(
    pool: ProcessPool,
) -> None:
    pool.start(a_run(1, "leaves-a-mess"), 10)
    pool.start(a_run(2, "leaves-a-mess"), 10)
    reports: list[Report] = []
    until = time.monotonic() + WITHIN_SECONDS
    while sum(isinstance(report, EndReport) for report in reports) < 2:
        assert time.monotonic() < until
        reports += pool.poll(0.1)
    here = json.dumps(str(Path.cwd()))
    assert [report.end.result for report in reports if isinstance(report, EndReport)] == [
        here,
        here,
    ]
    said = [
        line.message for report in reports if isinstance(report, LogReport) for line in report.lines
    ]
    assert said == ["from below", "from below"]


def test_a_child_starts_in_a_folder_that_its_user_may_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o100)
    if os.access(tmp_path, os.R_OK):
        pytest.skip("this user may open every folder")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    pool = ProcessPool(DEFINITIONS, 1, lambda: datetime.now(UTC))
    warm_up(pool)
    pool.close()
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(("how", "status"), [("exits", 3), ("raises", 1), ("returns", 0)])
def test_a_copy_of_its_process_that_a_job_forks_executes_nothing_further(
    pool: ProcessPool, how: str, status: int
) -> None:
    pool.start(a_run(1, "forks", how=how), 10)
    pool.start(a_run(2, "add"), 10)
    assert [end.result for end in ends(pool, 2)] == [f'"{status}"', '{"sum": 3}']


def test_prefetched_runs_can_be_cancelled_killed_and_taken_back(
    lasting_pool: ProcessPool,
) -> None:
    quick = [a_run(number, "add") for number in range(300)]
    for run in quick:
        lasting_pool.start(run, 10)
    reports = lasting_pool.poll(0)
    lasting_pool.cancel(quick[298])
    lasting_pool.kill(quick[299])
    taken = lasting_pool.take_back(0)
    until = time.monotonic() + WITHIN_SECONDS
    while lasting_pool.running:
        assert time.monotonic() < until
        reports += lasting_pool.poll(0.1)
    reports += lasting_pool.poll(0)
    ended = {
        report.run.run_id: report.end.how for report in reports if isinstance(report, EndReport)
    }
    assert ended.pop(298) is AttemptOutcome.CANCELLED
    # None at all, if no child had begun its first by then.
    assert set(ended.values()) <= {AttemptOutcome.RETURNED}
    assert sorted([*ended, *(run.run_id for run in taken)]) == list(range(298))
