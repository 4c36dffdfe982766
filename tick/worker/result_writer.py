"""Writes what runs report, and keeps it until the database has taken it."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.define.jobs import JobDefinition
from tick.engine.runs.finish import FinishResult
from tick.engine.runs.settle import settle_occurrences
from tick.executors.claimed_run import ClaimedRun
from tick.executors.executor import EndReport, Report
from tick.executors.log_lines import LOG_LINES, Budget
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.states import RunStatus
from tick.store.database import TRANSIENT, Database
from tick.worker.pending_results import PendingResults

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClaimResult:
    """Claimed runs, and the occurrences that started with them and are still to be settled."""

    runs: Sequence[ClaimedRun] = ()
    occurrences: Collection[int] = ()


ClaimFunction = Callable[[sa.Connection], ClaimResult]


class Unstorable(Exception):
    """The database refused something that a run reported."""


class ResultWriter:
    """Saves the reports of a worker together, settles their occurrences, and loses none."""

    def __init__(
        self,
        database: Database,
        jobs: Mapping[str, JobDefinition],
        log_lines: int = LOG_LINES,
    ) -> None:
        self._database = database
        self._pending = PendingResults(jobs, Budget(log_lines))
        # Occurrences to be settled: those of runs that ended, and of runs that started.
        self._ended: set[int] = set()
        self._started: set[int] = set()
        self.statuses: Counter[RunStatus] = Counter()
        """How many runs it brought into each status."""

    @property
    def pending(self) -> bool:
        """Whether there is something to save."""
        return bool(self._pending) or self.is_unsettled

    @property
    def is_urgent(self) -> bool:
        """Whether a run has ended, for which others may wait, or has begun."""
        return self._pending.is_urgent

    @property
    def is_unsettled(self) -> bool:
        """Whether there are occurrences to settle."""
        return bool(self._ended or self._started)

    def add(self, reports: Iterable[Report]) -> None:
        """Add what an executor reported."""
        self._pending.add(reports)

    def add_starts(self, starts: Iterable[tuple[ClaimedRun, float]]) -> None:
        """Add the `time.monotonic` instants at which runs that were claimed ahead began."""
        self._pending.add_starts(starts)

    def release(self, runs: Iterable[ClaimedRun], reason: str) -> None:
        """Put runs back into the queue without burning their attempts."""
        end = AttemptEnd(AttemptOutcome.RELEASED, reason=reason)
        self._pending.add(EndReport(run, end) for run in runs)

    def forget(self, run: ClaimedRun) -> None:
        """Drop what the run reported: another worker has it now."""
        self._pending.forget(run)

    def save(self, now: datetime, moment: float | None = None) -> None:
        """Write what was reported, then settle the occurrences that it touched.

        `moment` is the reading of `time.monotonic` at `now`, by default the present one.
        Raises one of TRANSIENT; then nothing is lost, and the next call tries again.
        """
        self.write(now, moment)
        self.settle(now)

    def write(self, now: datetime, moment: float | None = None) -> None:
        """Write what was reported, without settling. Raises one of TRANSIENT, as `save` does."""
        if self._pending:
            self.save_and_claim(now, moment)

    def save_and_claim(
        self,
        now: datetime,
        moment: float | None = None,
        claim: ClaimFunction = lambda _: ClaimResult(),
    ) -> Sequence[ClaimedRun]:
        """Write what was reported and `claim` runs in one transaction; return the claimed runs.

        Raises one of TRANSIENT, as `save` does.
        """
        moment = time.monotonic() if moment is None else moment
        try:
            accepted, claimed = self._write(now, moment, claim)
        except Unstorable:
            log.exception("something that a run left cannot be stored; only its end will be")
            self._pending.drop_texts()
            accepted, claimed = self._write(now, moment, claim)
        self._pending.clear()
        self._ended |= accepted.occurrences
        self._started.update(claimed.occurrences)
        self.statuses.update(accepted.statuses.values())
        for ending in accepted.stale:
            log.warning(
                "run %d (%s) ended as %s, too late: its claim was no longer valid",
                ending.run.run_id,
                ending.run.job_name,
                ending.verdict.status,
                extra={"run_id": ending.run.run_id},
            )
        return claimed.runs

    def settle(self, now: datetime) -> bool:
        """Settle the occurrences whose runs have started or ended; return whether some have ended.

        After an end, further runs may be ready: of occurrences that waited for this one, and of
        the same occurrence, if two upstream runs ended in two transactions at the same moment.
        Raises one of TRANSIENT, as `save` does.
        """
        if not self.is_unsettled:
            return False
        both, only_started = self._ended | self._started, self._started - self._ended
        with self._database.write.begin() as connection:
            settle_occurrences(connection, both, now, started=only_started)
        has_ended = bool(self._ended)
        self._ended.clear()
        self._started.clear()
        return has_ended

    def _write(
        self, now: datetime, moment: float, claim: ClaimFunction
    ) -> tuple[FinishResult, ClaimResult]:
        with self._database.write.begin() as connection:
            try:
                accepted = self._pending.write(connection, now, moment)
            except TRANSIENT:
                raise
            except sa.exc.SQLAlchemyError as error:
                raise Unstorable from error
            return accepted, claim(connection)
