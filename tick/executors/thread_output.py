"""Collects the output of a run in this process until its executor is polled."""

import threading
from collections.abc import Iterable

from tick.executors.claimed_run import ClaimedRun
from tick.executors.executor import LogReport, ProgressReport, Report
from tick.executors.log_lines import HEAD, TAIL, BoundedLines, Line


class OutputCollector:
    """The channel of one run. Its buffer is bounded; the oldest lines are dropped and counted."""

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

    def take(self, reports: Iterable[Report]) -> None:
        """Add what forked copies of this process reported for the run."""
        for report in reports:
            match report:
                case LogReport(_, lines):
                    for line in lines:
                        self.line(line)
                case ProgressReport(_, fraction, text):
                    self.progress(fraction, text)

    def cancelled(self) -> bool:
        """Whether the run was asked to stop."""
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
