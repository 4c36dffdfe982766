"""One attempt: call the job's function, and say how it ended."""

import asyncio
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Any

from tick.define.jobs import JobDefinition
from tick.define.outcomes import Cancel, Retry, Skip, Snooze
from tick.define.params import validate_params
from tick.errors import InvalidParams
from tick.executors.bounds import MAX_MESSAGE, MAX_NAME, MAX_TRACEBACK, cut
from tick.executors.context import CurrentRun, running
from tick.executors.results import bounded_json
from tick.policy.retry import AttemptEnd, AttemptOutcome

MAX_PAUSE_SECONDS = 366 * 86_400
_NOT_THE_JOBS = {__file__, asyncio.runners.__file__, asyncio.base_events.__file__}
"""Frames that stand above those of every job, or of every coroutine, and say nothing."""


def execute(job: JobDefinition, run: CurrentRun) -> AttemptEnd:
    """Call the job's function with the run's parameters, if its condition holds.

    Whatever it does, an ending comes back: nothing that it raises goes further. Only a copy of
    this process that the job forked ends here, as it would have at its end.
    """
    process = os.getpid()
    try:
        arguments = validate_params(job.function, run.params)
    except InvalidParams as error:
        return AttemptEnd(
            AttemptOutcome.REFUSED,
            error_type="InvalidParams",
            error_message=cut(str(error), MAX_MESSAGE),
        )
    except Exception as error:  # an annotation that cannot be resolved
        return raised(error, AttemptOutcome.REFUSED)
    try:
        with running(run):
            end = returned(_skip(job.when) or _call(job.function, arguments))
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the job's as well
        if os.getpid() != process:
            raise
        end = _RETURNED_NOTHING if _means_success(error) else raised(error)
    if os.getpid() != process:
        sys.exit()
    return _STOPPED if run.told_to_stop else end


_RETURNED_NOTHING = AttemptEnd(AttemptOutcome.RETURNED)
_STOPPED = AttemptEnd(AttemptOutcome.CANCELLED, reason="the job stopped when asked to")


def _skip(when: Callable[[], object] | None) -> Skip | None:
    """What the job's own condition says. A text is the reason why not."""
    answer = True if when is None else when()
    if answer and isinstance(answer, str):
        return Skip(answer)
    return None if answer else Skip("its condition does not hold")


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    value = function(**arguments)
    return _run(value) if inspect.iscoroutine(value) else value


def _means_success(error: BaseException) -> bool:
    """Whether a program that ends by it would end well: `sys.exit()` and `sys.exit(0)`."""
    return isinstance(error, SystemExit) and (error.code is None or error.code == 0)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end; on a thread of its own where a loop runs on this one."""
    # Not asked by what raises: that would be the context of whatever the job raises.
    if not _loop_runs():
        return asyncio.run(coroutine)
    context = copy_context()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(context.run, asyncio.run, coroutine).result()


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def returned(value: object) -> AttemptEnd:
    """The ending of a job that returned `value`."""
    if value is None:
        return _RETURNED_NOTHING
    match value:
        case Retry(in_seconds, reason):
            return AttemptEnd(
                AttemptOutcome.ASKED_RETRY, reason=_words(reason), in_seconds=_pause(in_seconds)
            )
        case Snooze(in_seconds, reason):
            return AttemptEnd(
                AttemptOutcome.ASKED_SNOOZE, reason=_words(reason), in_seconds=_pause(in_seconds)
            )
        case Cancel(reason):
            return AttemptEnd(AttemptOutcome.ASKED_CANCEL, reason=_words(reason))
        case Skip(reason):
            return AttemptEnd(AttemptOutcome.ASKED_SKIP, reason=_words(reason))
    return AttemptEnd(AttemptOutcome.RETURNED, result=bounded_json(value))


def _words(reason: object) -> str:
    return cut(str(reason), MAX_MESSAGE)


def _pause(seconds: float) -> float:
    """Raises ValueError for what is no length of time."""
    if not 0 <= float(seconds) <= MAX_PAUSE_SECONDS:
        raise ValueError(f"in_seconds is {seconds!r}: use 0 to {MAX_PAUSE_SECONDS:,}")
    return float(seconds)


def raised(error: BaseException, how: AttemptOutcome = AttemptOutcome.RAISED) -> AttemptEnd:
    """The ending of a job that raised `error`, its traceback from the job's own code on."""
    return AttemptEnd(
        how,
        error_type=cut(type(error).__qualname__, MAX_NAME),
        error_message=cut(_message(error), MAX_MESSAGE),
        error_traceback=cut(_traceback(error), MAX_TRACEBACK),
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as second:  # the class is the user's, and may even want to exit
        return f"(its message could not be read: {type(second).__name__})"


def _traceback(error: BaseException) -> str:
    own = error.__traceback__
    while own is not None and own.tb_frame.f_code.co_filename in _NOT_THE_JOBS:
        own = own.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, own))
    except BaseException as second:
        return _frames_alone(error, own, second)


def _frames_alone(error: BaseException, own: TracebackType | None, why: BaseException) -> str:
    """The traceback of an error that can't be put into words."""
    frames = "".join(traceback.format_tb(own))
    said = f"(its message could not be read: {type(why).__name__})"
    return f"Traceback (most recent call last):\n{frames}{type(error).__qualname__}: {said}\n"
