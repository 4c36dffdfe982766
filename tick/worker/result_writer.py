"""Brings what runs report into the database, and keeps it until the database has taken it."""

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
from tick.executors.executor import Ended, Report
from tick.executors.log_lines import LOG_LINES, Budget
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.states import RunStatus
from tick.store.database import TRANSIENT, Database
from tick.worker.pending_results import Unsaved

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimed:
    """Runs that were claimed, and the occurrences that started by it, which are to be settled."""

    runs: Sequence[ClaimedRun] = ()
    occurrences: Collection[int] = ()


Claim = Callable[[sa.Connection], Claimed]


class Unstorable(Exception):
    """Something that a run left was refused by the database."""


class Saver:
    """A worker's reports on their way: saved together, settled, and never given up."""

    def __init__(
        self,
        database: Database,
        jobs: Mapping[str, JobDefinition],
        log_lines: int = LOG_LINES,
    ) -> None:
        self._database = database
        self._unsaved = Unsaved(jobs, Budget(log_lines))
        # Occurrences to be settled: those of runs that ended, and of runs that started.
        self._ended: set[int] = set()
        self._started: set[int] = set()
        self.statuses: Counter[RunStatus] = Counter()
        """How many runs this saver brought into each status."""

    @property
    def pending(self) -> bool:
        """Whether there is something to save."""
        return bool(self._unsaved) or self.is_unsettled

    @property
    def is_urgent(self) -> bool:
        """Whether some run has ended, for which others may wait, or is to be seen to start."""
        return self._unsaved.is_urgent

    @property
    def is_unsettled(self) -> bool:
        """Whether there are occurrences to settle."""
        return bool(self._ended or self._started)

    def add(self, reports: Iterable[Report]) -> None:
        """Take what an executor reported."""
        self._unsaved.add(reports)

    def add_starts(self, starts: Iterable[tuple[ClaimedRun, float]]) -> None:
        """Take when runs that were claimed ahead have begun, in `time.monotonic` seconds."""
        self._unsaved.add_starts(starts)

    def release(self, runs: Iterable[ClaimedRun], reason: str) -> None:
        """Let runs go back to the queue without burning their attempts."""
        end = AttemptEnd(AttemptOutcome.RELEASED, reason=reason)
        self._unsaved.add(Ended(run, end) for run in runs)

    def forget(self, run: ClaimedRun) -> None:
        """The run is somebody else's now."""
        self._unsaved.forget(run)

    def save(self, now: datetime, moment: float | None = None) -> None:
        """Write what was reported, then settle the occurrences that it touched.

        `moment` is what `time.monotonic` said at `now`, by default what it says.
        Raises one of TRANSIENT; then nothing is lost, and the next call tries again.
        """
        self.write(now, moment)
        self.settle(now)

    def write(self, now: datetime, moment: float | None = None) -> None:
        """The first half of `save`."""
        if self._unsaved:
            self.exchange(now, moment)

    def exchange(
        self, now: datetime, moment: float | None = None, claim: Claim = lambda _: Claimed()
    ) -> Sequence[ClaimedRun]:
        """Write what was reported and `claim` further runs in one transaction; what was claimed.

        Raises one of TRANSIENT, as `save` does.
        """
        moment = time.monotonic() if moment is None else moment
        try:
            accepted, claimed = self._write(now, moment, claim)
        except Unstorable:
            log.exception("something that a run left cannot be stored; only its end will be")
            self._unsaved.drop_texts()
            accepted, claimed = self._write(now, moment, claim)
        self._unsaved.clear()
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
        """Settle the occurrences whose runs have started or ended; whether some have ended.

        Then further runs may be ready: of occurrences that waited, and of the same one, if the last
        two that they waited for ended in two transactions at one moment.
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

    def _write(self, now: datetime, moment: float, claim: Claim) -> tuple[FinishResult, Claimed]:
        with self._database.write.begin() as connection:
            try:
                accepted = self._unsaved.write(connection, now, moment)
            except TRANSIENT:
                raise
            except sa.exc.SQLAlchemyError as error:
                raise Unstorable from error
            return accepted, claim(connection)
