"""What a job may ask for by what it returns."""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import inf, nan

import pytest

from tests.support.factories import a_job
from tests.worker.test_process_pool import RUN
from tick import Retry, Snooze
from tick.executors.context import CurrentRun
from tick.executors.execute import MAX_PAUSE_SECONDS, execute
from tick.executors.thread_pool import OutputCollector
from tick.policy.retry import AttemptEnd, AttemptOutcome


@pytest.mark.parametrize("outcome", [Retry, Snooze])
@pytest.mark.parametrize("seconds", [-1, nan, inf, MAX_PAUSE_SECONDS + 1])
def test_a_pause_that_is_no_length_of_time_fails_the_run(
    outcome: type[Retry | Snooze], seconds: float
) -> None:
    end = execute(
        a_job("asks", function=lambda: outcome(seconds)), CurrentRun(RUN, OutputCollector(RUN))
    )
    assert (end.how, end.error_type) == (AttemptOutcome.RAISED, "ValueError")


def end_of(function: Callable[[], object]) -> AttemptEnd:
    return execute(a_job("ends", function=function), CurrentRun(RUN, OutputCollector(RUN)))


@pytest.mark.parametrize("code", [None, 0])
def test_a_job_that_exits_as_a_good_program_does_has_succeeded(code: int | None) -> None:
    assert end_of(lambda: sys.exit(code)) == AttemptEnd(AttemptOutcome.RETURNED)


@pytest.mark.parametrize("code", [1, 2, "terminated", "no rows"])
def test_any_other_exit_is_a_failure_with_its_code_or_text(code: int | str) -> None:
    end = end_of(lambda: sys.exit(code))
    assert (end.how, end.error_type, end.error_message) == (
        AttemptOutcome.RAISED,
        "SystemExit",
        str(code),
    )


async def boom() -> None:
    await asyncio.sleep(0)
    raise ValueError("async boom")


@pytest.mark.parametrize("call", [boom, lambda: boom(), lambda: asyncio.run(boom())])
def test_the_traceback_of_a_coroutine_is_of_its_own_error_alone(call: Callable[[], object]) -> None:
    # A browser's driver may keep an event loop in this thread.
    with ThreadPoolExecutor(1) as pool:
        text = pool.submit(end_of, call).result().error_traceback or ""
    assert text.endswith("ValueError: async boom\n")
    assert "no running event loop" not in text
    assert "During handling" not in text


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_an_error_whose_text_raises_keeps_its_type_and_traceback(kind: type[BaseException]) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise kind("in the text")

    def raises() -> None:
        raise Unspeakable

    end = end_of(raises)
    assert (end.error_type or "").endswith("Unspeakable")
    assert "could not be read" in (end.error_message or "")
    assert "in raises" in (end.error_traceback or "")
