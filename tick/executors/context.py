"""`current_run()`: a job asks about its own run by it, and reports about it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from tick.executors.bounds import cut
from tick.executors.claimed_run import ClaimedRun
from tick.executors.log_lines import Line
from tick.states import LogLevel

MAX_PROGRESS_TEXT = 200
# A level of its own between warning and error, so that no filter on warnings hides a milestone.
MILESTONE = 35


class RunChannel:
    """Carries the output of a run to the worker, and a cancellation to the run; here to nobody."""

    def line(self, line: Line) -> None:
        """Take a line of the log."""

    def progress(self, fraction: float, text: str) -> None:
        """Take the newest progress."""

    def cancelled(self) -> bool:
        """Return whether the run was asked to stop."""
        return False


class CurrentRun:
    """The run that is being executed.

    `scheduled_for` is its nominal instant, None when nothing was due by time. `fencing_token` only
    rises from claim to claim: pass it on where a late writer must be told apart. The run is killed
    at its `deadline`. The first `attempt` has the number 1.
    """

    def __init__(self, run: ClaimedRun, channel: RunChannel) -> None:
        self._channel = channel
        self.told_to_stop = False  # whether `cancelled()` ever returned True
        self.run_id: int = run.run_id
        self.job_name: str = run.job_name
        self.occurrence_id: int = run.occurrence_id
        self.schedule_id: str | None = run.schedule_id
        self.scheduled_for: datetime | None = run.scheduled_for
        self.attempt: int = run.attempt
        self.max_attempts: int = run.max_attempts
        self.params: Mapping[str, Any] = run.params
        self.fencing_token: int = run.fencing_token
        self.deadline: datetime = run.deadline
        self.log: logging.Logger = logging.getLogger(run.job_name)

    def progress(self, fraction: float, text: str = "") -> None:
        """Report how far the job is: from 0 to 1, and in words of at most 200 characters."""
        bounded = min(1.0, max(0.0, float(fraction)))
        self._channel.progress(bounded, cut(str(text), MAX_PROGRESS_TEXT))

    def milestone(self, text: str) -> None:
        """Log a line that stands out among the others."""
        self.log.log(MILESTONE, "%s", text)

    def cancelled(self) -> bool:
        """Return whether somebody asked the run to stop. Soon after, its process is killed.

        A job that was told so and then ends, ends as cancelled.
        """
        self.told_to_stop = self.told_to_stop or self._channel.cancelled()
        return self.told_to_stop


def level_of(number: int) -> LogLevel:
    """Return the level of a line that was logged at a numeric level of the logging module."""
    if number == MILESTONE:
        return LogLevel.MILESTONE
    if number >= logging.ERROR:
        return LogLevel.ERROR
    if number >= logging.WARNING:
        return LogLevel.WARNING
    return LogLevel.INFO if number >= logging.INFO else LogLevel.DEBUG


def current_run() -> CurrentRun:
    """Return the run that is executed here; outside of a run, a stand-in that does nothing."""
    return _here.get() or _of_process[-1]


def current_channel() -> RunChannel | None:
    """Return the channel of the run that is executed here; None outside of a run."""
    run = current_run()
    return None if run is _STAND_IN else run._channel


def use_channel(channel: RunChannel) -> None:
    """In a forked copy: give the current run another channel, in every thread."""
    run = current_run()
    if run is _STAND_IN:
        run = CurrentRun(_NO_RUN, channel)
    run._channel = channel
    _of_process.append(run)


@contextmanager
def running(run: CurrentRun) -> Iterator[None]:
    """Make `run` the current one inside the block."""
    token = _here.set(run)
    try:
        yield
    finally:
        _here.reset(token)


@contextmanager
def running_process_wide(run: CurrentRun) -> Iterator[None]:
    """Make `run` the current one in every thread of this process, inside the block."""
    _of_process.append(run)
    try:
        yield
    finally:
        _of_process.remove(run)


_NO_RUN = ClaimedRun(
    run_id=0,
    fencing_token=0,
    job_name="outside-of-a-run",
    occurrence_id=0,
    schedule_id=None,
    scheduled_for=None,
    attempt=1,
    max_attempts=1,
    params={},
    deadline=datetime.max.replace(tzinfo=UTC),
)
_STAND_IN = CurrentRun(_NO_RUN, RunChannel())
# A child process runs one job at a time: the run is the process's, and threads that the job starts
# see it as well. In a thread of the worker it is the context's, because others run beside it.
_of_process = [_STAND_IN]
_here: ContextVar[CurrentRun | None] = ContextVar("current_run", default=None)
