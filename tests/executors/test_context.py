"""A job's reports about itself are bounded before they leave it."""

from math import nan

import pytest

from tests.worker.test_process_pool import RUN
from tick.executors.context import MAX_PROGRESS_TEXT, CurrentRun
from tick.executors.executor import ProgressReport
from tick.executors.thread_pool import OutputCollector


@pytest.mark.parametrize(("said", "kept"), [(1.7, 1.0), (-0.1, 0.0), (nan, 0.0), (0.3, 0.3)])
def test_progress_is_a_fraction_and_few_words(said: float, kept: float) -> None:
    output = OutputCollector(RUN)
    CurrentRun(RUN, output).progress(said, "half" * MAX_PROGRESS_TEXT)
    (report,) = output.drain()
    assert isinstance(report, ProgressReport)
    assert report.fraction == kept
    assert len(report.text) <= MAX_PROGRESS_TEXT
