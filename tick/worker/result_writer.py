"""Writes the reports of runs, and keeps them until the database has taken them."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from tick.define.jobs import JobDefinition
from tick.engine.runs.expire import DEADLINE_EXCEEDED
from tick.engine.runs.finish import FinishedAttempt, FinishResult, finish_runs, instant_of
from tick.engine.runs.job_logs import write_lines, write_progress, write_starts
from tick.engine.runs.settle import settle_occurrences
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import EndReport, LogReport, ProgressReport, Report
from tick.executors.log_lines import LOG_LINES, Line, LogTruncator
from tick.policy.retry import AttemptEnd, AttemptOutcome, Backoff, judge
from tick.states import RunStatus
from tick.store.database import TRANSIENT, Database

log = logging.getLogger(__name__)

_UNSTORABLE = AttemptEnd(
    AttemptOutcome.RETURNED,
    error_type="Unstorable",
    error_message="What the run left could not be stored; the worker's own log says why.",
)


def _out_of_time(end: AttemptEnd, run: ClaimedRun) -> AttemptEnd:
    """The end of an attempt that was not too long by itself: its whole firing was."""
    by = f"its firing had to have ended by {run.firing_deadline:%Y-%m-%d %H:%M:%S} UTC"
    return replace(end, error_type=DEADLINE_EXCEEDED, error_message=f"{end.error_message} ({by})")


@dataclass(frozen=True)
class ClaimResult:
    """Claimed runs, and the occurrences that started with them and are still to be settled."""

    runs: Sequence[ClaimedRun] = ()
    occurrences: Collection[int] = ()


ClaimFunction = Callable[[sa.Connection], ClaimResult]


class Unstorable(Exception):
    """The database refused something that a run reported."""


class ResultWriter:
    """Saves the reports of a worker together, settles their occurrences, and loses none.

    A method that writes raises one of TRANSIENT when the database is away; the next call tries
    again. `moment` is the reading of `time.monotonic` at `now`, by default the present one.
    """

    def __init__(
        self, database: Database, jobs: Mapping[str, JobDefinition], log_lines: int = LOG_LINES
    ) -> None:
        self._database, self._jobs, self._log_lines = database, jobs, log_lines
        self._truncators: dict[Claim, LogTruncator] = {}
        self._lines: list[tuple[ClaimedRun, Line]] = []
        self._progress: dict[Claim, ProgressReport] = {}
        self._starts: list[tuple[ClaimedRun, float]] = []
        self._endings: list[FinishedAttempt] = []
        # Occurrences to be settled: those of runs that ended, and of runs that started.
        self._ended: set[int] = set()
        self._started: set[int] = set()
        self.statuses: Counter[RunStatus] = Counter()  # how many runs it brought into each status

    @property
    def pending(self) -> bool:
        """Return whether there is something to save."""
        return self._has_reports or self.is_unsettled

    @property
    def is_urgent(self) -> bool:
        """Return whether a run has ended, for which others may wait, or has begun."""
        return bool(self._endings or self._starts)

    @property
    def is_unsettled(self) -> bool:
        """Return whether there are occurrences to settle."""
        return bool(self._ended or self._started)

    @property
    def _has_reports(self) -> bool:
        return bool(self._lines or self._progress or self.is_urgent)

    def add(self, reports: Iterable[Report]) -> None:
        """Add reports of an executor."""
        for report in reports:
            match report:
                case LogReport(run, lines, lost):
                    new = LogTruncator(self._log_lines)
                    head = self._truncators.setdefault(run.claim, new).head(lines, lost)
                    self._lines.extend((run, line) for line in head)
                case ProgressReport(run):
                    self._progress[run.claim] = report
                case EndReport():
                    self._end(report)

    def add_starts(self, starts: Iterable[tuple[ClaimedRun, float]]) -> None:
        """Add the `time.monotonic` instants at which runs that were claimed ahead began."""
        self._starts.extend(starts)

    def release(self, runs: Iterable[ClaimedRun], reason: str) -> None:
        """Put runs back into the queue without burning their attempts."""
        end = AttemptEnd(AttemptOutcome.RELEASED, reason=reason)
        self.add(EndReport(run, end) for run in runs)

    def forget(self, run: ClaimedRun) -> None:
        """Drop the lines and the progress that were to be written when this run ends."""
        # Another worker has it now, and reports about it.
        self._truncators.pop(run.claim, None)
        self._progress.pop(run.claim, None)

    def save(self, now: datetime, moment: float | None = None) -> None:
        """Write the reports, then settle the occurrences that they touched."""
        self.write(now, moment)
        self.settle(now)

    def write(self, now: datetime, moment: float | None = None) -> None:
        """Write the reports, without settling."""
        if self._has_reports:
            self.save_and_claim(now, moment)

    def save_and_claim(
        self,
        now: datetime,
        moment: float | None = None,
        claim: ClaimFunction = lambda _: ClaimResult(),
    ) -> Sequence[ClaimedRun]:
        """Write the reports and `claim` runs in one transaction; return the claimed runs."""
        moment = time.monotonic() if moment is None else moment
        try:
            accepted, claimed = self._write_and_claim(now, moment, claim)
        except Unstorable:
            log.exception("something that a run left cannot be stored; only its end will be")
            self._drop_texts()
            accepted, claimed = self._write_and_claim(now, moment, claim)
        # Only now, after the commit: whatever failed before is tried again with everything.
        self._ended |= accepted.occurrences | {run.occurrence_id for run, _ in self._starts}
        self._lines, self._progress, self._starts, self._endings = [], {}, [], []
        self._started.update(claimed.occurrences)
        self.statuses.update(accepted.statuses.values())
        for ending in accepted.stale:
            run, told = (
                ending.run,
                "run %d (%s) ended as %s, too late: its claim was no longer valid",
            )
            extra, status = {"run_id": run.run_id}, ending.verdict.status
            log.warning(told, run.run_id, run.job_name, status, extra=extra)
        return claimed.runs

    def settle(self, now: datetime) -> bool:
        """Settle the occurrences whose runs have started or ended; return whether some ended."""
        # After an end, further runs may be ready: of occurrences that waited for this one, and of
        # the same occurrence, if two upstream runs ended in two transactions at the same moment.
        if not self.is_unsettled:
            return False
        both, only_started = self._ended | self._started, self._started - self._ended
        with self._database.write.begin() as connection:
            settle_occurrences(connection, both, now, started=only_started)
        has_ended = bool(self._ended)
        self._ended.clear()
        self._started.clear()
        return has_ended

    def _write_and_claim(
        self, now: datetime, moment: float, claim: ClaimFunction
    ) -> tuple[FinishResult, ClaimResult]:
        starts = {run.claim: instant_of(began, now, moment) for run, began in self._starts}
        with self._database.write.begin() as connection:
            try:
                write_starts(connection, starts)
                write_lines(connection, self._lines)
                write_progress(connection, self._progress.values())
                accepted = finish_runs(connection, self._endings, now, moment)
            except TRANSIENT:
                raise
            except sa.exc.SQLAlchemyError as error:
                raise Unstorable from error
            # Outside of the `try`: an error of the claim says nothing about what runs left.
            return accepted, claim(connection)

    def _drop_texts(self) -> None:
        """Drop all texts, some of which can't be stored, and keep how the runs ended."""
        self._lines, self._progress = [], {}
        self._endings = [
            replace(ending, end=_UNSTORABLE, verdict=replace(ending.verdict, reason=None))
            for ending in self._endings
        ]

    def _end(self, ended: EndReport) -> None:
        run, end = ended.run, ended.end
        if truncator := self._truncators.pop(run.claim, None):
            self._lines.extend((run, line) for line in truncator.tail())
        most = run.max_attempts
        if end.how is AttemptOutcome.TIMED_OUT and run.ends_with_firing:
            end, most = _out_of_time(end, run), run.attempt
        job = self._jobs[run.job_name]
        verdict = judge(
            end,
            run_id=run.run_id,
            attempt=run.attempt,
            max_attempts=most,
            backoff=Backoff(job.backoff_seconds, job.max_backoff_seconds),
        )
        self._endings.append(FinishedAttempt(run, end, verdict, ended.began))
