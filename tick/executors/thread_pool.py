"""The executor of jobs with `isolation="thread"`: threads of the worker, one job at a time each.

For short jobs that wait for I/O. A thread costs next to nothing, but nothing can kill it: a run
that does not end in time is reported as failed, and its thread stays busy, its output ignored,
until the job's code returns.
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
from tick.executors.child_messages import reports_from_message
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.context import CurrentRun
from tick.executors.execute import execute
from tick.executors.executor import CANCEL_SECONDS, EndReport, Report
from tick.executors.forked_copies import CopyPipe, exit_copy
from tick.executors.protocol import Message
from tick.executors.run_queue import Order, RunQueue
from tick.executors.thread_output import OutputCollector
from tick.policy.retry import AttemptEnd, AttemptOutcome

log = logging.getLogger(__name__)
BATCH_SECONDS = 0.02
"""How long ends wait for further ones while there are runs to go on with."""
_GOES_ON = "nothing can kill its thread, which may go on"


@dataclass(eq=False)
class _Attempt:
    """A run in a thread. Its instants are `time.monotonic` seconds."""

    order: Order
    began_at: float
    output: OutputCollector
    deadline: float
    planned_end: AttemptEnd | None = None
    """The end to report at its deadline, if it is not a timeout."""

    @property
    def run(self) -> ClaimedRun:
        return self.order.run

    def ended(self, end: AttemptEnd) -> EndReport:
        return EndReport(self.run, end, self.began_at, time.monotonic() - self.began_at)


class ThreadPool:
    """Keeps `threads` threads. `wake` is called from them when a run has ended."""

    def __init__(
        self,
        jobs: Mapping[str, JobDefinition],
        threads: int,
        clock: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._jobs, self.slots, self._wake = jobs, threads, wake
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
        """The number of threads: all exist from the beginning."""
        return self.slots

    @property
    def free(self) -> int:
        """How many threads wait for a run."""
        with self._has_work:
            return max(0, self.slots - self._busy - len(self._waiting))

    @property
    def waiting(self) -> int:
        """How many runs have not begun."""
        return len(self._waiting)

    @property
    def running(self) -> list[ClaimedRun]:
        """The runs in threads, those that wait for one, and those whose ends were not reported."""
        with self._has_work:
            begun = [attempt.run for attempt in self._attempts.values()]
            return begun + self._waiting.runs + [attempt.run for attempt, _ in self._ended]

    @property
    def begun(self) -> dict[Claim, float]:
        """The runs in threads, and since when."""
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
        self._capture.uninstall()
        self._copies.close()
        return self._reports + _final_reports(self._ended)

    def _serve(self) -> None:
        while (attempt := self._next()) is not None:
            end = self._execute(attempt)
            self._capture.end_lines()
            self._copies.read_all()
            self._end(attempt, end)

    def _execute(self, attempt: _Attempt) -> AttemptEnd:
        try:
            return execute(
                self._jobs[attempt.run.job_name], CurrentRun(attempt.run, attempt.output)
            )
        except BaseException as error:  # only in a copy of the worker that the job forked
            exit_copy(error)

    def _take_copy_message(self, message: Message) -> None:
        """Add the output of a copy of the worker that a job forked."""
        claim = tuple(message.get("claim") or ())
        attempt = next((a for a in list(self._attempts.values()) if a.run.claim == claim), None)
        if attempt is not None:
            attempt.output.take(reports_from_message(attempt.run, message))

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
            if self._attempts.pop(attempt.run.claim, None) is None:
                self._log_late_end(attempt.run, end)
                return
            self._ended.append((attempt, attempt.ended(end)))
            now = time.monotonic()
            if not self._is_woken and (
                not self._waiting or now >= self._notified_at + BATCH_SECONDS
            ):
                self._is_woken, self._notified_at = True, now
                self._has_ends.notify()
                self._wake()

    def _log_late_end(self, run: ClaimedRun, end: AttemptEnd) -> None:
        if not self._closed:
            name = run.job_name
            log.warning("run %d (%s) %s too late, which is refused", run.run_id, name, end.how)

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
        """Seconds until something is to be given up."""
        deadlines = (attempt.deadline for attempt in self._attempts.values())
        return min(deadlines, default=inf) - time.monotonic()


def _final_reports(ended: Iterable[tuple[_Attempt, EndReport]]) -> list[Report]:
    """Return the remaining output of each run, followed by its end."""
    return [report for attempt, end in ended for report in (*attempt.output.drain(), end)]


def _timed_out(seconds: float) -> AttemptEnd:
    message = f"timed out after {seconds:g} s; {_GOES_ON}"
    return AttemptEnd(AttemptOutcome.TIMED_OUT, error_type="TimedOut", error_message=message)
