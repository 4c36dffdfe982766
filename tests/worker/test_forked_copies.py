"""What copies of a job's process say is in its log, and nothing that they do reaches the worker."""

import itertools
import signal
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.worker.conftest import NOW, WorkWorld
from tests.worker.forking import WAYS
from tick.stop import Stop
from tick.worker.worker import Worker

MakeWorker = Callable[..., Worker]
JOBS = {"process": "works-in-copies", "thread": "works-in-copies-of-a-thread"}
DOES = {"process": "does", "thread": "does-in-a-thread"}
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def said_by(
    work: WorkWorld, make_worker: MakeWorker, job: str, **params: Any
) -> tuple[int, list[str]]:
    """The run of a job, and what it said, each with its level."""
    run_id = work.order(job, **params)
    # Made here: between a fixture and its test pytest changes the standard output.
    make_worker().run_once(NOW)
    return run_id, [f"{level}: {text}" for level, text in work.log(run_id)]


def expected(copies: int, lines: int, size: int) -> Counter[str]:
    texts = itertools.product(range(copies), range(lines))
    said = [f"info: {f'{copy}:{line}:'.ljust(size, 'x')}" for copy, line in texts]
    return Counter([*said, *(f"error: {copy} is through" for copy in range(copies))])


@pytest.mark.parametrize("isolation", JOBS)
@pytest.mark.parametrize("way", WAYS)
def test_logs_and_prints_of_forks_are_in_the_log_of_their_run(
    work: WorkWorld, make_worker: MakeWorker, isolation: str, way: str
) -> None:
    run_id, said = said_by(work, make_worker, JOBS[isolation], way=way)
    assert (work.run(run_id).status, work.run(run_id).error_message) == ("SUCCESS", None)
    assert Counter(said) == expected(4, 100, 80)


@pytest.mark.parametrize("way", ["pool", "executor", "process"])
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_logs_and_prints_of_spawned_interpreters_are_in_the_log(
    work: WorkWorld, make_worker: MakeWorker, way: str, method: str
) -> None:
    run_id, said = said_by(work, make_worker, JOBS["process"], way=way, method=method)
    assert (work.run(run_id).status, work.run(run_id).error_message) == ("SUCCESS", None)
    assert Counter(said) == expected(4, 100, 80)


@pytest.mark.parametrize("isolation", JOBS)
@pytest.mark.parametrize(
    ("way", "copies", "lines", "size"), [("process", 4, 300, 7000), ("executor", 8, 500, 80)]
)
def test_copies_that_say_much_at_once_lose_nothing_but_by_the_stated_cut(
    work: WorkWorld,
    make_worker: MakeWorker,
    isolation: str,
    way: str,
    copies: int,
    lines: int,
    size: int,
) -> None:
    how = {"way": way, "copies": copies, "lines": lines, "size": size}
    run_id, said = said_by(work, make_worker, JOBS[isolation], **how)
    assert work.run(run_id).status == "SUCCESS"
    cut = [line for line in said if line.endswith("lines cut")]
    lost = sum(int(line.split()[1].replace(",", "")) for line in cut)
    kept = Counter(line for line in said if line not in cut)
    assert kept <= expected(copies, lines, size)
    assert kept.total() + lost == copies * (lines + 1)


@pytest.mark.parametrize("isolation", DOES)
def test_a_line_that_was_begun_before_a_fork_is_said_once(
    work: WorkWorld, make_worker: MakeWorker, isolation: str
) -> None:
    _, said = said_by(work, make_worker, DOES[isolation], what="half_a_line")
    # `multiprocessing` flushes before it forks, which shows a line as far as it is.
    assert sorted(said) == ["info: begun above, ", "info: begun below", "info: ended above"]


@pytest.mark.parametrize("isolation", DOES)
def test_a_copy_tells_the_progress_of_its_run(
    work: WorkWorld, make_worker: MakeWorker, isolation: str
) -> None:
    run_id, said = said_by(work, make_worker, DOES[isolation], what="steers")
    run = work.run(run_id)
    assert (run.progress_text, said) == ("half way, said by a copy", ["milestone: stands out"])


@pytest.mark.usefixtures("signals_restored")
@pytest.mark.parametrize("isolation", DOES)
def test_a_copy_that_is_terminated_dies_of_it_without_a_word(
    work: WorkWorld, make_worker: MakeWorker, isolation: str
) -> None:
    Stop().on_signals()  # as a worker that serves does
    run_id, said = said_by(work, make_worker, DOES[isolation], what="is_terminated")
    assert (work.run(run_id).result, said) == (str(int(signal.SIGTERM)), [])


@pytest.mark.parametrize("isolation", DOES)
def test_a_fork_that_closed_its_descriptors_never_writes_to_reused_numbers(
    work: WorkWorld, make_worker: MakeWorker, isolation: str
) -> None:
    run_id, said = said_by(work, make_worker, DOES[isolation], what="closes_all")
    assert (work.run(run_id).status, said) == ("SUCCESS", ["info: heard"])


@linux
@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("garbles", "the worker ended its process, for what it sent could not be read"),
        ("hangs_up", "the worker ended its process, which had closed its connection to it"),
        ("loses_its_voice", "its process could no longer reach the worker, and ended"),
    ],
)
def test_a_lost_connection_fails_the_run_without_blaming_memory(
    work: WorkWorld, make_worker: MakeWorker, what: str, why: str
) -> None:
    run_id, said = said_by(work, make_worker, "does", what=what)
    run = work.run(run_id)
    assert (run.status, run.error_type) == ("FAILED", "Died")
    assert why in run.error_message
    assert "memory" not in run.error_message
    assert len(said) <= 1, "no traceback of the product's own"
    after = work.order("add")
    make_worker().run_once(NOW)
    assert work.run(after).status == "SUCCESS"


@linux
def test_no_program_that_a_job_starts_inherits_the_channels_to_the_worker(
    work: WorkWorld, make_worker: MakeWorker
) -> None:
    run_id, _ = said_by(work, make_worker, "does", what="descriptors")
    assert work.run(run_id).result == "[]"
