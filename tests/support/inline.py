"""The executor without processes: runs jobs one after another in the worker's own.

For tests: nothing can be killed here, and a timeout or a cancellation is the job's own business.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime

from tick.define.registry import Registry
from tick.executors.capture import Capture
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.context import CurrentRun, running_process_wide
from tick.executors.execute import execute
from tick.executors.executor import EndReport, Report
from tick.executors.thread_pool import OutputCollector

SLICE_SECONDS = 0.1
"""A poll goes on with further runs for so long, so that they are saved together."""


class InlineExecutor:
    """Takes up to `slots` runs, and executes them while it is polled."""

    def __init__(self, registry: Registry, clock: Callable[[], datetime], slots: int = 10) -> None:
        self._registry, self._clock, self.slots = registry, clock, slots
        self._waiting: deque[tuple[ClaimedRun, float]] = deque()
        self._cancelled: set[Claim] = set()

    @property
    def warm(self) -> int:
        """All of them."""
        return self.slots

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

    @property
    def begun(self) -> dict[Claim, float]:
        """None: while one is executed, nobody can ask."""
        return {}

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

    def wake(self) -> None:
        """Nothing to do: nobody waits here for long."""

    def _execute(self, run: ClaimedRun) -> list[Report]:
        output, job = OutputCollector(run), self._registry.jobs[run.job_name]
        began = time.monotonic()
        if run.claim in self._cancelled:
            output.cancel()
        current = CurrentRun(run, output)
        with running_process_wide(current), closing(Capture(self._clock)):
            end = execute(job, current)
        self._cancelled.discard(run.claim)
        return [*output.drain(), EndReport(run, end, began, time.monotonic() - began)]

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

    def close(self) -> list[Report]:
        """Give up what has not started."""
        self._waiting.clear()
        return []
