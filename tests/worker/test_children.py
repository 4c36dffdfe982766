"""What becomes of jobs that run in child processes, good ones and bad ones."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.worker.conftest import NOW, WorkWorld
from tick.executors import process_pool
from tick.executors.log_lines import HEAD, TAIL
from tick.executors.process_pool import GRACE_SECONDS, ProcessPool
from tick.executors.results import MAX_RESULT
from tick.worker.worker import Worker


def test_a_job_runs_in_another_process_and_its_result_is_kept(
    work: WorkWorld, worker: Worker
) -> None:
    added, asked = work.order("add", left=3), work.order("who-am-i")
    assert worker.run_once(NOW) == 2
    run = work.run(added)
    assert (run.status, run.result, run.attempt, run.finished_at) == (
        "SUCCESS",
        '{"sum": 5}',
        1,
        NOW,
    )
    assert f'"pid": {os.getpid()}' not in work.run(asked).result
    assert work.outcome(added) == "SUCCESS"


@pytest.mark.usefixtures("real_starts")
def test_whatever_a_job_says_is_in_its_log_in_order(work: WorkWorld, worker: Worker) -> None:
    run_id = work.order("talk")
    worker.run_once(NOW)
    said = work.log(run_id)
    in_order = [line for line in said if line[1] != "from below"]
    assert [level for level, _ in in_order] == [
        "info",
        "info",
        "warning",
        "info",
        "milestone",
        "error",
    ]
    assert [text for _, text in in_order if "warned" not in text] == [
        "logged",
        "printed",
        "to stderr",
        "half way",
        "the end",
    ]
    assert ("info", "from below") in said
    assert (work.run(run_id).progress, work.run(run_id).progress_text) == (1.0, "half way")


@pytest.mark.usefixtures("real_starts")
@pytest.mark.parametrize(
    ("job", "message", "line"),
    [
        ("leaves", "its process exited with status 3", "last words"),
        ("segfaults", "its process died by signal 11 (SIGSEGV)", "Fatal Python error"),
    ],
)
def test_a_child_that_dies_fails_only_its_run(
    work: WorkWorld, worker: Worker, job: str, message: str, line: str
) -> None:
    bad, good = work.order(job), work.order("add")
    worker.run_once(NOW)
    run = work.run(bad)
    assert (run.status, run.error_type, run.error_message) == ("FAILED", "Died", message)
    assert any(line in text for _, text in work.log(bad))
    assert work.run(good).status == "SUCCESS"
    after = work.order("add")
    assert worker.run_once(NOW) == 1
    assert work.run(after).status == "SUCCESS"


@pytest.fixture
def timeouts_wait_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Lets no timeout come before the job has written a note, however slow the machine is."""
    enforce = ProcessPool._enforce

    def wait_for(note: Path) -> None:
        def enforce_then(pool: ProcessPool, now: float) -> None:
            if note.exists() and note.read_text():
                enforce(pool, now)

        monkeypatch.setattr(ProcessPool, "_enforce", enforce_then)

    return wait_for


@pytest.mark.usefixtures("real_starts")
def test_a_job_that_ignores_sigterm_is_killed_with_its_children(
    work: WorkWorld, worker: Worker, tmp_path: Path, timeouts_wait_for: Callable[[Path], None]
) -> None:
    note = tmp_path / "pids"
    timeouts_wait_for(note)
    run_id = work.order("never-ends", note=str(note))
    worker.run_once(NOW)
    ended = time.time()
    run = work.run(run_id)
    assert (run.status, run.error_type) == ("FAILED", "TimedOut")
    assert run.error_message == "timed out after 0.5 s, and was killed"
    # It wrote the note when it had started; the grace after SIGTERM counts as well. What it
    # started would sleep for ten minutes.
    assert GRACE_SECONDS / 2 < ended - note.stat().st_mtime < 0.5 + GRACE_SECONDS + 60
    gone = [int(pid) for pid in note.read_text().split()]
    assert not [pid for pid in gone if _lives(pid)]


def test_a_job_has_a_moment_to_clean_up_at_its_timeout(
    work: WorkWorld,
    worker: Worker,
    tmp_path: Path,
    timeouts_wait_for: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_pool, "GRACE_SECONDS", 60.0)  # a busy machine takes its time
    note = tmp_path / "note"
    timeouts_wait_for(note)
    run_id = work.order("cleans-up", note=str(note))
    worker.run_once(NOW)
    assert work.run(run_id).error_type == "TimedOut"
    assert note.read_text() == "cleaned up"


@pytest.mark.parametrize("job", ["floods-with-errors", "floods-with-errors-in-a-thread"])
def test_errors_warnings_and_milestones_survive_the_cut_of_a_flood(
    work: WorkWorld, worker: Worker, job: str
) -> None:
    run_id = work.order(job)
    worker.run_once(NOW)
    said = work.log(run_id)
    serious = [text for level, text in said if level != "info" and not text.endswith("cut")]
    assert serious == [f"{number} is wrong" for number in range(0, 30_000, 300)]
    cut = next(text for _, text in said if text.endswith("lines cut"))
    assert int(cut.split()[0].replace(",", "")) == 30_000 - (len(said) - 1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "count", [100_000, pytest.param(1_000_000, marks=pytest.mark.soak)], ids="{:,}".format
)
def test_however_many_lines_harm_nothing(work: WorkWorld, worker: Worker, count: int) -> None:
    flood, other = work.order("floods", lines=count), work.order("add")
    worker.run_once(NOW)
    lines = [text for _, text in work.log(flood)]
    assert work.run(flood).status == work.run(other).status == "SUCCESS"
    assert (lines[0], lines[-1]) == ("line 0", f"line {count - 1}")
    assert len(lines) <= HEAD.lines + TAIL.lines + 1
    cut = next(text for text in lines if text.endswith("lines cut"))
    assert int(cut.split()[0].replace(",", "")) == count - (len(lines) - 1)


def test_a_job_that_runs_out_of_memory_fails_only_itself(work: WorkWorld, worker: Worker) -> None:
    greedy, other = work.order("eats-memory"), work.order("add")
    worker.run_once(NOW)
    assert (work.run(greedy).status, work.run(greedy).error_type) == ("FAILED", "MemoryError")
    assert work.run(other).status == "SUCCESS"
    after = [work.order("add") for _ in range(2)]
    assert worker.run_once(NOW) == 2
    assert {work.run(run_id).status for run_id in after} == {"SUCCESS"}


def test_a_huge_result_is_cut_and_says_so(work: WorkWorld, worker: Worker) -> None:
    run_id = work.order("returns-much")
    worker.run_once(NOW)
    run = work.run(run_id)
    assert run.status == "SUCCESS"
    assert len(run.result) < MAX_RESULT
    assert "too large: 100,000,002 characters" in run.result


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
