"""Brings what runs report into the database, and keeps it until the database has taken it."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from tick.db import TRANSIENT, Database
from tick.define.jobs import JobDefinition
from tick.engine.finish import Accepted
from tick.engine.settle import settle_occurrences
from tick.engine.unsaved import Unsaved
from tick.execution.claimed_run import Claim, ClaimedRun
from tick.execution.report import Ended, Report
from tick.policy.retry import AttemptEnd, How
from tick.states import RunStatus

log = logging.getLogger(__name__)


class Saver:
    """A worker's reports on their way: saved together, settled, and never given up."""

    def __init__(self, database: Database, jobs: Mapping[str, JobDefinition]) -> None:
        self._database = database
        self._unsaved = Unsaved(jobs)
        self._unsettled: frozenset[int] = frozenset()
        self.statuses: Counter[RunStatus] = Counter()
        """How many runs this saver brought into each status."""

    @property
    def pending(self) -> bool:
        """Whether there is something to save."""
        return bool(self._unsaved or self._unsettled)

    @property
    def has_endings(self) -> bool:
        """Whether some run has ended: others may wait for that."""
        return self._unsaved.has_endings

    def add(self, reports: Iterable[Report]) -> None:
        """Take what an executor reported."""
        self._unsaved.add(reports)

    def add_starts(self, starts: Mapping[Claim, float]) -> None:
        """Take when runs that were claimed ahead have begun, in `time.monotonic` seconds."""
        self._unsaved.add_starts(starts)

    def release(self, runs: Iterable[ClaimedRun], reason: str) -> None:
        """Let runs go back to the queue without burning their attempts."""
        end = AttemptEnd(How.RELEASED, reason=reason)
        self._unsaved.add(Ended(run, end) for run in runs)

    def forget(self, run: ClaimedRun) -> None:
        """The run is somebody else's now."""
        self._unsaved.forget(run)

    def save(self, now: datetime, moment: float | None = None) -> None:
        """Write what was reported, then settle the occurrences whose runs ended by it.

        `moment` is what `time.monotonic` said at `now`, by default what it says.
        Raises one of TRANSIENT; then nothing is lost, and the next call tries again.
        """
        if self._unsaved:
            accepted = self._write(now, time.monotonic() if moment is None else moment)
            self._unsettled |= accepted.occurrences
            self.statuses.update(accepted.statuses.values())
            for ending in accepted.stale:
                log.warning(
                    "run %d (%s) ended as %s, too late: its claim was no longer valid",
                    ending.run.run_id,
                    ending.run.job_name,
                    ending.verdict.status,
                    extra={"run_id": ending.run.run_id},
                )
        if self._unsettled:
            with self._database.write.begin() as connection:
                settle_occurrences(connection, self._unsettled, now)
            self._unsettled = frozenset()

    def _write(self, now: datetime, moment: float) -> Accepted:
        try:
            accepted = self._write_all(now, moment)
        except TRANSIENT:
            raise
        except sa.exc.SQLAlchemyError:
            log.exception("something that a run left cannot be stored; only its end will be")
            self._unsaved.drop_texts()
            accepted = self._write_all(now, moment)
        self._unsaved.clear()
        return accepted

    def _write_all(self, now: datetime, moment: float) -> Accepted:
        with self._database.write.begin() as connection:
            return self._unsaved.write(connection, now, moment)
