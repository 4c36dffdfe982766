"""The executor without processes: runs jobs one after another in the worker's own.

For tests, and for hosts that have no processes. Nothing can be killed here: a timeout or a
cancellation is the job's own business.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from tick.define.registry import Registry
from tick.engine.capture import captured
from tick.engine.claimed_run import ClaimedRun
from tick.engine.context import CurrentRun
from tick.engine.execute import execute
from tick.engine.lines import Line
from tick.engine.report import Ended, Progressed, Report, Said

SLICE_SECONDS = 0.1
"""A poll goes on with further runs for so long, so that they are saved together."""


class InlineExecutor:
    """Takes up to `slots` runs, and executes them while it is polled."""

    def __init__(self, registry: Registry, clock: Callable[[], datetime], slots: int = 10) -> None:
        self._registry, self._clock, self.slots = registry, clock, slots
        self._waiting: deque[tuple[ClaimedRun, float]] = deque()
        self._cancelled: set[tuple[int, int]] = set()

    @property
    def free(self) -> int:
        """How many runs it would take now."""
        return self.slots - len(self._waiting)

    @property
    def waiting(self) -> int:
        """How many runs it was given and has not executed."""
        return len(self._waiting)

    @property
    def running(self) -> Sequence[ClaimedRun]:
        """The same runs."""
        return [run for run, _ in self._waiting]

    def start(self, run: ClaimedRun, timeout_seconds: float) -> None:
        """Take the run; the time limit can't be kept here."""
        self._waiting.append((run, time.monotonic()))

    def poll(self, timeout_seconds: float) -> list[Report]:
        """Execute waiting runs, for a slice of time: all that they said, and their ends."""
        if not self._waiting:
            time.sleep(timeout_seconds)
        reports: list[Report] = []
        until = time.monotonic() + SLICE_SECONDS
        while self._waiting and time.monotonic() < until:
            reports += self._execute(self._waiting.popleft()[0])
        return reports

    def _execute(self, run: ClaimedRun) -> list[Report]:
        ear = _Ear(run, run.claim in self._cancelled)
        job = self._registry.jobs[run.job_name]
        with captured(ear.line, self._clock):
            end = execute(job, CurrentRun(run, ear))
        self._cancelled.discard(run.claim)
        return [*ear.reports, Ended(run, end)]

    def take_back(self, waiting_seconds: float) -> list[ClaimedRun]:
        """Give up the runs that have waited for so long: some job took its time."""
        before = time.monotonic() - waiting_seconds
        taken = [run for run, since in self._waiting if since <= before]
        for run in taken:
            self.kill(run)
        return taken

    def cancel(self, run: ClaimedRun) -> None:
        """Tell the run when it starts."""
        self._cancelled.add(run.claim)

    def kill(self, run: ClaimedRun) -> None:
        """Give up the run if it has not started."""
        self._waiting = deque(item for item in self._waiting if item[0] != run)

    def close(self) -> None:
        """Give up what has not started."""
        self._waiting.clear()


class _Ear:
    """Hears what one run says."""

    def __init__(self, run: ClaimedRun, cancelled: bool) -> None:
        self._run, self._cancelled = run, cancelled
        self.reports: list[Report] = []

    def line(self, line: Line) -> None:
        """Take a line of the log."""
        self.reports.append(Said(self._run, [line]))

    def progress(self, fraction: float, text: str) -> None:
        """Take the newest progress."""
        self.reports.append(Progressed(self._run, fraction, text))

    def cancelled(self) -> bool:
        """Whether the run was asked to stop before it started."""
        return self._cancelled
