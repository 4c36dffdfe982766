"""What of a process's logging a capture puts right again, and what it hands on."""

import logging
from contextlib import closing
from datetime import UTC, datetime

from tests.worker.test_process_pool import RUN
from tick.executors.bounds import MAX_MESSAGE, cut
from tick.executors.capture import Capture
from tick.executors.context import CurrentRun, running
from tick.executors.executor import LogReport
from tick.executors.thread_pool import OutputCollector


def test_a_logger_disabled_by_a_job_is_enabled_for_the_next() -> None:
    logger = logging.getLogger("tests.of.a.capture")
    with closing(Capture(lambda: datetime.now(UTC))) as capture:
        logger.disabled = True
        capture.reinstall()
        assert not logger.disabled


def test_printed_lines_are_cut_and_cleaned_like_logged_ones() -> None:
    output = OutputCollector(RUN)
    with closing(Capture(lambda: datetime.now(UTC))), running(CurrentRun(RUN, output)):
        print("a NUL: \0")
        for _ in range(3):
            print("x" * MAX_MESSAGE, end="")
        print()
    (said,) = output.drain()
    assert isinstance(said, LogReport)
    assert [line.message for line in said.lines] == [
        "a NUL: \N{REPLACEMENT CHARACTER}",
        cut("x" * 3 * MAX_MESSAGE, MAX_MESSAGE),
    ]
