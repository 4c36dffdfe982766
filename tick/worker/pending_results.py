"""Reports of runs that are not yet in the database.

They are kept until the database has taken them, however long it is away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from tick.define.jobs import JobDefinition
from tick.engine.runs.finish import FinishedAttempt, FinishResult, finish_runs, instant_of
from tick.engine.runs.job_logs import write_lines, write_progress, write_starts
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import EndReport, LogReport, ProgressReport, Report
from tick.executors.log_lines import Budget, Line, LogTruncator
from tick.policy.retry import AttemptEnd, AttemptOutcome, Backoff, judge

_UNSTORABLE = AttemptEnd(
    AttemptOutcome.RETURNED,
    error_type="Unstorable",
    error_message="What the run left could not be stored; the worker's own log says why.",
)


class PendingResults:
    """Collects starts, lines, progress and ends until they are written together."""

    def __init__(self, jobs: Mapping[str, JobDefinition], budget: Budget | None = None) -> None:
        self._jobs, self._budget = jobs, budget or Budget()
        self._truncators: dict[Claim, LogTruncator] = {}
        self._lines: list[tuple[ClaimedRun, Line]] = []
        self._progress: dict[Claim, ProgressReport] = {}
        self._starts: list[tuple[ClaimedRun, float]] = []
        self._endings: list[FinishedAttempt] = []

    def __bool__(self) -> bool:
        return bool(self._lines or self._progress or self._starts or self._endings)

    @property
    def is_urgent(self) -> bool:
        """Whether a run has ended, for which others may wait, or has begun."""
        return bool(self._endings or self._starts)

    def add(self, reports: Iterable[Report]) -> None:
        """Add what an executor reported."""
        for report in reports:
            match report:
                case LogReport(run, lines, lost):
                    head = self._truncator(run).head(lines, lost)
                    self._lines.extend((run, line) for line in head)
                case ProgressReport(run):
                    self._progress[run.claim] = report
                case EndReport():
                    self._end(report)

    def add_starts(self, starts: Iterable[tuple[ClaimedRun, float]]) -> None:
        """Add the `time.monotonic` instants at which runs that were claimed ahead began."""
        self._starts.extend(starts)

    def write(self, connection: sa.Connection, now: datetime, moment: float) -> FinishResult:
        """Write everything; call `clear` once the transaction has been committed.

        `moment` is the reading of `time.monotonic` at `now`.
        """
        starts = {run.claim: instant_of(began, now, moment) for run, began in self._starts}
        write_starts(connection, starts)
        write_lines(connection, self._lines)
        write_progress(connection, self._progress.values())
        accepted = finish_runs(connection, self._endings, now, moment)
        begun = {run.occurrence_id for run, _ in self._starts}
        return replace(accepted, occurrences=accepted.occurrences | begun)

    def forget(self, run: ClaimedRun) -> None:
        """Drop the lines and the progress that were to be written when this run ends."""
        self._truncators.pop(run.claim, None)
        self._progress.pop(run.claim, None)

    def drop_texts(self) -> None:
        """Drop all texts, some of which can't be stored, and keep how the runs ended."""
        self._lines, self._progress = [], {}
        self._endings = [
            replace(ending, end=_UNSTORABLE, verdict=replace(ending.verdict, reason=None))
            for ending in self._endings
        ]

    def clear(self) -> None:
        """Forget everything: it was written."""
        self._lines, self._progress, self._starts, self._endings = [], {}, [], []

    def _truncator(self, run: ClaimedRun) -> LogTruncator:
        return self._truncators.setdefault(run.claim, LogTruncator(self._budget))

    def _end(self, ended: EndReport) -> None:
        run, end = ended.run, ended.end
        if truncator := self._truncators.pop(run.claim, None):
            self._lines.extend((run, line) for line in truncator.tail())
        job = self._jobs[run.job_name]
        verdict = judge(
            end,
            run_id=run.run_id,
            attempt=run.attempt,
            max_attempts=run.max_attempts,
            backoff=Backoff(job.backoff_seconds, job.max_backoff_seconds),
        )
        self._endings.append(FinishedAttempt(run, end, verdict, ended.began))
