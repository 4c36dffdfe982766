"""Brings what runs report into the database, and keeps it until the database has taken it."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from tick.db import Database
from tick.define.jobs import JobDefinition
from tick.engine.claimed_run import ClaimedRun
from tick.engine.finish import Accepted
from tick.engine.report import Ended, Report
from tick.engine.settle import settle_occurrences
from tick.engine.unsaved import Unsaved
from tick.policy.retry import AttemptEnd, How
from tick.states import RunStatus

log = logging.getLogger(__name__)

DATABASE_AWAY = (OperationalError, InterfaceError, InternalError, sa.exc.TimeoutError)
"""What passes when one waits: a restart, a lost connection, a lock, a deadlock."""


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

    def release(self, runs: Iterable[ClaimedRun], reason: str) -> None:
        """Let runs go back to the queue without burning their attempts."""
        end = AttemptEnd(How.RELEASED, reason=reason)
        self._unsaved.add(Ended(run, end) for run in runs)

    def forget(self, run: ClaimedRun) -> None:
        """The run is somebody else's now."""
        self._unsaved.forget(run)

    def save(self, now: datetime) -> None:
        """Write what was reported, then settle the occurrences whose runs ended by it.

        Raises one of DATABASE_AWAY; then nothing is lost, and the next call tries again.
        """
        if self._unsaved:
            accepted = self._write(now)
            self._unsettled |= accepted.occurrences
            self.statuses.update(accepted.statuses.values())
            for ending in accepted.stale:
                log.warning(
                    "run %d (%s) ended as %s, too late: its claim was no longer valid",
                    ending.run.run_id,
                    ending.run.job_name,
                    ending.verdict.status,
                )
        if self._unsettled:
            with self._database.write.begin() as connection:
                settle_occurrences(connection, self._unsettled, now)
            self._unsettled = frozenset()

    def _write(self, now: datetime) -> Accepted:
        try:
            accepted = self._write_all(now)
        except DATABASE_AWAY:
            raise
        except sa.exc.SQLAlchemyError:
            log.exception("something that a run left cannot be stored; only its end will be")
            self._unsaved.drop_texts()
            accepted = self._write_all(now)
        self._unsaved.clear()
        return accepted

    def _write_all(self, now: datetime) -> Accepted:
        with self._database.write.begin() as connection:
            return self._unsaved.write(connection, now)
