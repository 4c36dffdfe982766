"""No run meets what another one left behind in its process."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.worker.conftest import DEFINITIONS
from tests.worker.leaving import PUT_BACK, REPLACED
from tests.worker.processes import eventually, is_gone
from tests.worker.test_process_pool import a_run, warm_up
from tick.executors.executor import EndReport, LogReport, Report
from tick.executors.process_pool import ProcessPool

WITHIN_SECONDS = 60.0
TOLD = {
    "thread": "1 thread (left-alone)",
    "timer": "1 thread (Thread-",
    "executor": "1 thread (ThreadPoolExecutor-0_0)",
    "loop": "1 thread (Thread-",
    "process": "1 process",
    "copy": "1 process",
}


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    """One warm child."""
    pool = ProcessPool(DEFINITIONS, 1, lambda: datetime.now(UTC))
    warm_up(pool)
    yield pool
    pool.close()


def told(pool: ProcessPool, *asked: tuple[str, dict[str, Any]]) -> tuple[list[Any], list[str]]:
    """What runs of such jobs gave, begun one after another, and what the first one said."""
    for number, (name, params) in enumerate(asked):
        pool.start(a_run(number, name, **params), 60)
    reports: list[Report] = []
    until = time.monotonic() + WITHIN_SECONDS
    while sum(isinstance(report, EndReport) for report in reports) < len(asked):
        assert time.monotonic() < until
        reports += pool.poll(0.1)
    ends = {report.run.run_id: report.end for report in reports if isinstance(report, EndReport)}
    said = [
        line.message
        for report in reports
        if isinstance(report, LogReport) and report.run.run_id == 0
        for line in report.lines
    ]
    assert [ends[number].error_message for number in sorted(ends)] == [None] * len(asked)
    return [json.loads(ends[number].result or "null") for number in sorted(ends)], said


@pytest.mark.parametrize("what", REPLACED)
def test_a_process_with_leftovers_is_replaced_and_its_run_says_so(
    pool: ProcessPool, what: str
) -> None:
    (pid, after), said = told(pool, ("leaves-behind", {"what": what}), ("looks", {}))
    assert after["pid"] != pid
    (line,) = said
    assert line.startswith(f"left {TOLD[what]}") or sys.platform != "linux"
    assert line.endswith("behind: its process is replaced, so that the next run does not meet it")
    eventually(lambda: is_gone(pid))


@pytest.mark.parametrize("what", PUT_BACK)
def test_what_can_be_put_back_is_and_the_process_stays(pool: ProcessPool, what: str) -> None:
    (before, pid, after), said = told(
        pool, ("looks", {}), ("leaves-behind", {"what": what}), ("looks", {})
    )
    assert (pid, after) == (before["pid"], before)
    assert said == []


def test_prefetched_runs_of_a_replaced_process_run_elsewhere(
    pool: ProcessPool,
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [("leaves-behind", {})] * 60
    asked[30] = ("leaves-behind", {"what": "thread"})
    pids, _ = told(pool, *asked)
    assert (len(set(pids[:31])), len(set(pids[31:]))) == (1, 1)
    assert pids[30] != pids[31]


def test_a_leftover_sigterm_handler_does_not_protect_the_next_job(
    pool: ProcessPool,
) -> None:
    told(pool, ("leaves-behind", {"what": "terminating"}))
    pool.start(a_run(9, "cleans-up", note="/dev/null"), 0.2)
    reports: list[Report] = []
    eventually(lambda: reports.extend(pool.poll(0.1)) or any(map(_ended, reports)))
    (end,) = filter(_ended, reports)
    assert "timed out" in (end.end.error_message or "")


def _ended(report: Report) -> bool:
    return isinstance(report, EndReport)
