"""The executor of jobs with `isolation="thread"`: threads of the worker, one job at a time each.

For short jobs that wait for I/O. A thread costs next to nothing, but nothing can kill it: a run
that does not end in time is reported as failed, and its thread stays busy until it returns.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf

from tick.define.jobs import JobDefinition
from tick.executors.capture import Capture
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.context import CurrentRun, RunChannel
from tick.executors.execute import execute
from tick.executors.executor import CANCEL_SECONDS, EndReport, LogReport, ProgressReport, Report
from tick.executors.forked_copies import CopyPipe, exit_copy
from tick.executors.log_lines import HEAD, TAIL, BoundedLines, Line
from tick.executors.protocol import Message
from tick.executors.run_queue import Order, RunQueue
from tick.policy.retry import AttemptEnd, AttemptOutcome

log = logging.getLogger(__name__)
BATCH_SECONDS = 0.02  # ends wait so long for further ones, if there are runs to go on with
_GOES_ON = "nothing can kill its thread, which may go on"


class OutputCollector(RunChannel):
    """Collects the output of one run until the pool is polled; the oldest of too many lines go."""

    def __init__(self, run: ClaimedRun) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._lines = BoundedLines(HEAD, TAIL)
        self._progress: ProgressReport | None = None
        self._cancelled = False

    def line(self, line: Line) -> None:
        """Add a line of the log."""
        with self._lock:
            self._lines.push(line)

    def progress(self, fraction: float, text: str) -> None:
        """Replace the progress by a newer one."""
        with self._lock:
            self._progress = ProgressReport(self._run, fraction, text)

    def take(self, message: Message) -> None:
        """Add the output in a message of a forked copy of this process."""
        match message:
            case {"lines": lines}:
                for line in lines:
                    self.line(Line.from_json(line))
            case {"progress": [fraction, text]}:
                self.progress(fraction, text)

    def cancelled(self) -> bool:
        """Return whether the run was asked to stop."""
        return self._cancelled

    def cancel(self) -> None:
        """Ask the run to stop."""
        self._cancelled = True

    def drain(self) -> list[Report]:
        """Return what was collected since the last call."""
        reports: list[Report] = []
        with self._lock:
            if self._lines:
                lines, dropped = self._lines.drain()
                reports.append(LogReport(self._run, lines, dropped))
            if self._progress is not None:
                reports.append(self._progress)
                self._progress = None
        return reports


@dataclass(eq=False)
class _Attempt:
    """A run in a thread. Its instants are `time.monotonic` seconds."""

    order: Order
    began_at: float
    output: OutputCollector
    deadline: float
    planned_end: AttemptEnd | None = None  # to be reported at its deadline, if it is no timeout

    @property
    def run(self) -> ClaimedRun:
        return self.order.run

    def ended(self, end: AttemptEnd) -> EndReport:
        return EndReport(self.run, end, self.began_at, time.monotonic() - self.began_at)


class ThreadPool:
    """Keeps `threads` threads. They call `wake`, if it is given, when a run has ended."""

    def __init__(
        self,
        jobs: Mapping[str, JobDefinition],
        threads: int,
        clock: Callable[[], datetime],
        wake: Callable[[], None] | None = None,
    ) -> None:
        self._jobs, self.slots, self._wake = jobs, threads, wake
        # One lock for both: each guards the whole state, and wakes only those whom it concerns.
        lock = threading.Lock()
        self._has_work, self._has_ends = threading.Condition(lock), threading.Condition(lock)
        self._waiting = RunQueue()
        self._attempts: dict[Claim, _Attempt] = {}
        self._ended: list[tuple[_Attempt, EndReport]] = []
        self._reports: list[Report] = []
        self._busy = 0
        self._is_woken, self._notified_at = False, 0.0
        self._closed = False
        self._capture = Capture(clock)
        self._copies = CopyPipe(self._take_copy_message)
        for number in range(threads):
            # A daemon: what cannot be killed must not keep the worker from ending.
            threading.Thread(target=self._serve, name=f"job-{number}", daemon=True).start()

    @property
    def warm(self) -> int:
        """Return the number of threads: all exist from the beginning."""
        return self.slots

    @property
    def free(self) -> int:
        """Return how many threads wait for a run."""
        with self._has_work:
            return max(0, self.slots - self._busy - len(self._waiting))

    @property
    def waiting(self) -> int:
        """Return how many runs have not begun."""
        return len(self._waiting)

    @property
    def running(self) -> list[ClaimedRun]:
        """Return the runs in threads, those that wait for one, and those with unreported ends."""
        with self._has_work:
            begun = [attempt.run for attempt in self._attempts.values()]
            return begun + self._waiting.runs + [attempt.run for attempt, _ in self._ended]

    @property
    def begun(self) -> dict[Claim, float]:
        """Return the runs in threads, and since when."""
        with self._has_work:
            return {claim: attempt.began_at for claim, attempt in self._attempts.items()}

    def start(self, run: ClaimedRun, timeout_seconds: float) -> None:
        """Give the run to a free thread, or to the first that becomes free."""
        with self._has_work:
            self._waiting.add(Order(run, timeout_seconds, time.monotonic()))
            self._has_work.notify()

    def take_back(self, waiting_seconds: float) -> list[ClaimedRun]:
        """Return the runs that have waited for so long; they will not begin."""
        with self._has_work:
            return self._waiting.take_older(time.monotonic() - waiting_seconds)

    def poll(self, timeout_seconds: float) -> list[Report]:
        """Return what happened since the last call; wait up to `timeout_seconds` if nothing did."""
        self._capture.show_partial_lines()
        with self._has_ends:
            wait = 0.0 if self._reports else min(timeout_seconds, self._next_deadline())
            if self._waiting or self._ended:
                wait = min(wait, BATCH_SECONDS)
            self._has_ends.wait_for(lambda: self._is_woken, max(0.0, wait))
            self._is_woken = False
            self._abandon_overdue(time.monotonic())
            reports, self._reports = self._reports, []
            ended, self._ended = self._ended, []
            for attempt in self._attempts.values():
                reports += attempt.output.drain()
        return reports + _final_reports(ended)

    def wake(self) -> None:
        """End a `poll` that waits; from any thread."""
        with self._has_ends:
            self._is_woken = True
            self._has_ends.notify()

    def cancel(self, run: ClaimedRun) -> None:
        """Ask the run to stop; after CANCEL_SECONDS it is abandoned."""
        with self._has_work:
            attempt = self._attempts.get(run.claim)
            if self._waiting.drop(run):
                self._reports.append(EndReport(run, AttemptEnd(AttemptOutcome.CANCELLED)))
            elif attempt is not None:
                attempt.output.cancel()
                reason = f"did not stop when asked to; {_GOES_ON}"
                attempt.planned_end = AttemptEnd(AttemptOutcome.CANCELLED, reason=reason)
                attempt.deadline = min(attempt.deadline, time.monotonic() + CANCEL_SECONDS)

    def kill(self, run: ClaimedRun) -> None:
        """Ask the run to stop and ignore it from now on. The end is not reported."""
        with self._has_work:
            attempt = self._attempts.pop(run.claim, None)
            if not self._waiting.drop(run) and attempt is not None:
                self._abandon(attempt)

    def close(self) -> list[Report]:
        """Abandon all runs and free everything; return ends that were not reported."""
        with self._has_work:
            self._closed = True
            self._waiting.clear()
            for attempt in self._attempts.values():
                self._abandon(attempt)
            self._attempts.clear()
            self._has_work.notify_all()
        self._capture.close()
        self._copies.close()
        return self._reports + _final_reports(self._ended)

    def _serve(self) -> None:
        while (attempt := self._next()) is not None:
            job, run = self._jobs[attempt.run.job_name], CurrentRun(attempt.run, attempt.output)
            try:
                end = execute(job, run)
            except BaseException as error:  # only in a copy of the worker that the job forked
                exit_copy(error)
            # Before the end is noted: output that comes later belongs to no run.
            self._capture.end_lines()
            self._copies.read_all()
            self._end(attempt, end)

    def _take_copy_message(self, message: Message) -> None:
        """Add the output of a copy of the worker that a job forked."""
        claim = tuple(message.get("claim") or ())
        attempt = next((a for a in list(self._attempts.values()) if a.run.claim == claim), None)
        if attempt is not None:
            attempt.output.take(message)

    def _next(self) -> _Attempt | None:
        """Wait for a run and begin it; None when the pool is closed."""
        with self._has_work:
            self._has_work.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return None
            (order,) = self._waiting.take(1, inf)
            now = time.monotonic()
            attempt = _Attempt(order, now, OutputCollector(order.run), now + order.timeout_seconds)
            self._attempts[order.run.claim] = attempt
            self._busy += 1
            return attempt

    def _end(self, attempt: _Attempt, end: AttemptEnd) -> None:
        """Note an end and wake `poll`: at once, or once for many ends while runs are waiting."""
        with self._has_ends:
            self._busy -= 1
            if self._attempts.pop(attempt.run.claim, None) is None:  # it was abandoned meanwhile
                run_id, name = attempt.run.run_id, attempt.run.job_name
                if not self._closed:
                    log.warning("run %d (%s) %s too late, which is refused", run_id, name, end.how)
                return
            self._ended.append((attempt, attempt.ended(end)))
            now = time.monotonic()
            is_time = not self._waiting or now >= self._notified_at + BATCH_SECONDS
            if is_time and not self._is_woken:
                self._is_woken, self._notified_at = True, now
                self._has_ends.notify()
                if self._wake is not None:
                    self._wake()

    def _abandon_overdue(self, now: float) -> None:
        for attempt in [late for late in self._attempts.values() if now >= late.deadline]:
            del self._attempts[attempt.run.claim]
            self._abandon(attempt)
            end = attempt.planned_end or _timed_out(attempt.order.timeout_seconds)
            self._ended.append((attempt, attempt.ended(end)))

    def _abandon(self, attempt: _Attempt) -> None:
        attempt.output.cancel()
        log.warning("run %d (%s): %s", attempt.run.run_id, attempt.run.job_name, _GOES_ON)

    def _next_deadline(self) -> float:
        """Return the seconds until something is to be given up."""
        deadlines = (attempt.deadline for attempt in self._attempts.values())
        return min(deadlines, default=inf) - time.monotonic()


def _final_reports(ended: Iterable[tuple[_Attempt, EndReport]]) -> list[Report]:
    """Return the remaining output of each run, followed by its end."""
    return [report for attempt, end in ended for report in (*attempt.output.drain(), end)]


def _timed_out(seconds: float) -> AttemptEnd:
    message = f"timed out after {seconds:g} s; {_GOES_ON}"
    return AttemptEnd(AttemptOutcome.TIMED_OUT, error_type="TimedOut", error_message=message)
