"""Executes one attempt: calls the job's function, and returns how that ended."""

import asyncio
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
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
# Their frames stand above those of every job, or of every coroutine, and tell its author nothing.
_NOT_THE_JOBS = {__file__, asyncio.runners.__file__, asyncio.base_events.__file__}


def execute(job: JobDefinition, run: CurrentRun) -> AttemptEnd:
    """Call the job's function with the run's parameters if its condition holds; return its end.

    Raises nothing that the job raises, except in a copy of this process that the job forked.
    """
    process = os.getpid()
    try:
        arguments = validate_params(job.function, run.params)
    except InvalidParams as error:
        # Without a traceback: its frames would be ours.
        message = cut(str(error), MAX_MESSAGE)
        how = AttemptOutcome.REFUSED
        return AttemptEnd(how, error_type="InvalidParams", error_message=message)
    except Exception as error:  # an annotation that cannot be resolved
        return raised(error, AttemptOutcome.REFUSED)
    try:
        with running(run):
            end = returned(_skip(job.when) or _call(job.function, arguments))
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the job's as well
        if os.getpid() != process:  # the copy ends by it, as any program does
            raise
        end = _RETURNED_NOTHING if _means_success(error) else raised(error)
    # A copy that returned must not go on as a second worker of the same runs.
    if os.getpid() != process:
        sys.exit()
    return _STOPPED if run.told_to_stop else end


_RETURNED_NOTHING = AttemptEnd(AttemptOutcome.RETURNED)
_STOPPED = AttemptEnd(AttemptOutcome.CANCELLED, reason="the job stopped when asked to")


def _skip(when: Callable[[], object] | None) -> Skip | None:
    """Return a Skip if the job's own condition does not hold."""
    answer = True if when is None else when()
    # A text is the reason why not, although it counts as true.
    if answer and isinstance(answer, str):
        return Skip(answer)
    return None if answer else Skip("its condition does not hold")


def _means_success(error: BaseException) -> bool:
    """Return whether a program that ends by it ends well, as by `sys.exit()` or `sys.exit(0)`."""
    return isinstance(error, SystemExit) and (error.code is None or error.code == 0)


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call the function; run a coroutine to its end, on another thread if a loop runs on this."""
    value = function(**arguments)
    if not inspect.iscoroutine(value):
        return value
    # Asked outside of an `except`: that error would be the context of whatever the job raises.
    if not _loop_runs():
        return asyncio.run(value)
    context = copy_context()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(context.run, asyncio.run, value).result()


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def returned(value: object) -> AttemptEnd:
    """Return the end of a job that returned `value`."""
    if value is None:
        return _RETURNED_NOTHING
    match value:
        case Retry(in_seconds, reason):
            return _asked(AttemptOutcome.ASKED_RETRY, reason, in_seconds)
        case Snooze(in_seconds, reason):
            return _asked(AttemptOutcome.ASKED_SNOOZE, reason, in_seconds)
        case Cancel(reason):
            return _asked(AttemptOutcome.ASKED_CANCEL, reason)
        case Skip(reason):
            return _asked(AttemptOutcome.ASKED_SKIP, reason)
    return AttemptEnd(AttemptOutcome.RETURNED, result=bounded_json(value))


def _asked(how: AttemptOutcome, reason: object, seconds: float = 0.0) -> AttemptEnd:
    """Return an end that the job asked for. Raises ValueError for an impossible pause."""
    if not 0 <= float(seconds) <= MAX_PAUSE_SECONDS:
        raise ValueError(f"in_seconds is {seconds!r}: use 0 to {MAX_PAUSE_SECONDS:,}")
    return AttemptEnd(how, reason=cut(str(reason), MAX_MESSAGE), in_seconds=float(seconds))


def raised(error: BaseException, how: AttemptOutcome = AttemptOutcome.RAISED) -> AttemptEnd:
    """Return the end of a job that raised `error`, its traceback from the job's own code on."""
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
        return _unreadable(second)


def _unreadable(why: BaseException) -> str:
    return f"(its message could not be read: {type(why).__name__})"


def _traceback(error: BaseException) -> str:
    own = error.__traceback__
    while own is not None and own.tb_frame.f_code.co_filename in _NOT_THE_JOBS:
        own = own.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, own))
    except BaseException as second:  # the error can't be put into words, but its frames can
        frames, name = "".join(traceback.format_tb(own)), type(error).__qualname__
        return f"Traceback (most recent call last):\n{frames}{name}: {_unreadable(second)}\n"
