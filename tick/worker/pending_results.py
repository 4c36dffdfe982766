"""What runs have reported and the database does not know yet.

It is kept until the database has taken it, however long the database is away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from tick.define.jobs import JobDefinition
from tick.engine.runs.finish import FinishedAttempt, FinishResult, finish_runs, instant_of
from tick.engine.runs.job_logs import write_lines, write_progress, write_starts
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import Ended, Progressed, Report, Said
from tick.executors.log_lines import Budget, Line, Shortener
from tick.policy.retry import AttemptEnd, AttemptOutcome, Backoff, judge

_UNSTORABLE = AttemptEnd(
    AttemptOutcome.RETURNED,
    error_type="Unstorable",
    error_message="What the run left could not be stored; the worker's own log says why.",
)


class Unsaved:
    """Starts, lines, progress and endings on their way to the database."""

    def __init__(self, jobs: Mapping[str, JobDefinition], budget: Budget | None = None) -> None:
        self._jobs, self._budget = jobs, budget or Budget()
        self._shorteners: dict[Claim, Shortener] = {}
        self._lines: list[tuple[ClaimedRun, Line]] = []
        self._progress: dict[Claim, Progressed] = {}
        self._starts: list[tuple[ClaimedRun, float]] = []
        self._endings: list[FinishedAttempt] = []

    def __bool__(self) -> bool:
        return bool(self._lines or self._progress or self._starts or self._endings)

    @property
    def is_urgent(self) -> bool:
        """Whether some run has ended, for which others wait, or is to be seen to start."""
        return bool(self._endings or self._starts)

    def add(self, reports: Iterable[Report]) -> None:
        """Take what an executor reported."""
        for report in reports:
            match report:
                case Said(run, lines, lost):
                    head = self._shortener(run).head(lines, lost)
                    self._lines.extend((run, line) for line in head)
                case Progressed(run):
                    self._progress[run.claim] = report
                case Ended():
                    self._end(report)

    def add_starts(self, starts: Iterable[tuple[ClaimedRun, float]]) -> None:
        """Take when runs began that count as not started, in `time.monotonic` seconds."""
        self._starts.extend(starts)

    def write(self, connection: sa.Connection, now: datetime, moment: float) -> FinishResult:
        """Write all of it. Call `clear` when the transaction has been committed.

        `moment` is what `time.monotonic` says at `now`.
        """
        starts = {run.claim: instant_of(began, now, moment) for run, began in self._starts}
        write_starts(connection, starts)
        write_lines(connection, self._lines)
        write_progress(connection, self._progress.values())
        accepted = finish_runs(connection, self._endings, now, moment)
        begun = {run.occurrence_id for run, _ in self._starts}
        return replace(accepted, occurrences=accepted.occurrences | begun)

    def forget(self, run: ClaimedRun) -> None:
        """Drop what the run said and was to be written at its end, which will not come."""
        self._shorteners.pop(run.claim, None)
        self._progress.pop(run.claim, None)

    def drop_texts(self) -> None:
        """Keep how runs ended, and nothing that they said: something in it can't be stored."""
        self._lines, self._progress = [], {}
        self._endings = [
            replace(ending, end=_UNSTORABLE, verdict=replace(ending.verdict, reason=None))
            for ending in self._endings
        ]

    def clear(self) -> None:
        """Forget what was written."""
        self._lines, self._progress, self._starts, self._endings = [], {}, [], []

    def _shortener(self, run: ClaimedRun) -> Shortener:
        return self._shorteners.setdefault(run.claim, Shortener(self._budget))

    def _end(self, ended: Ended) -> None:
        run, end = ended.run, ended.end
        if shortener := self._shorteners.pop(run.claim, None):
            self._lines.extend((run, line) for line in shortener.tail())
        job = self._jobs[run.job_name]
        verdict = judge(
            end,
            run_id=run.run_id,
            attempt=run.attempt,
            max_attempts=run.max_attempts,
            backoff=Backoff(job.backoff_seconds, job.max_backoff_seconds),
        )
        self._endings.append(FinishedAttempt(run, end, verdict, ended.began))
