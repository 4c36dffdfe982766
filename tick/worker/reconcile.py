"""Keeps the runs that a worker executes to those that it holds in the database."""

import logging

from tick.engine.runs.claim import held_runs
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import EndReport
from tick.store.database import Database
from tick.worker.executor_group import ExecutorGroup
from tick.worker.result_writer import ResultWriter

log = logging.getLogger(__name__)


class Reconciler:
    """Makes executors follow the database, which decides who holds a run."""

    def __init__(self, database: Database, executors: ExecutorGroup, results: ResultWriter) -> None:
        self._database, self._executors, self._results = database, executors, results
        self._cancelling: set[Claim] = set()

    def reconcile(self, worker_id: str, wait_seconds: float) -> None:
        """Pass cancellations on, kill runs that were taken back, release runs nobody executes.

        A run may wait for a slot as long as `wait_seconds`. Save all reports before.
        """
        # A run whose end is not yet in the database would look like one that nobody executes.
        with self._database.read.connect() as connection:
            held = {item.run.claim: item for item in held_runs(connection, worker_id)}
        running, begun = self._executors.running, self._executors.begun
        unwritten = (item.run for item in held.values() if not item.has_started)
        self._results.add_starts((run, begun[run.claim]) for run in unwritten if run.claim in begun)
        self._cancelling.intersection_update(run.claim for run in running)
        for run in running:
            item = held.pop(run.claim, None)
            if item is None:
                self._kill(run, "was taken back")
            # Only once, although this looks each second until the run has stopped.
            elif item.cancel_requested and run.claim not in self._cancelling:
                self._cancelling.add(run.claim)
                self._executors.cancel(run)
        waited = self._executors.take_back(wait_seconds)
        self._results.release(waited, "its worker had no slot for it")
        # The rest was claimed, but the answer got lost: no other worker would ever take these.
        unknown = [item.run for item in held.values()]
        self._results.release(unknown, "its worker did not hear of its claim")

    def abandon_all(self) -> None:
        """Kill every run, because this worker was declared dead and others have its runs."""
        for run in self._executors.running:
            self._kill(run, "is lost")

    def give_back_all(self) -> None:
        """Kill every run, and put it back into the queue without burning its attempt."""
        unfinished = self._executors.take_back(0)
        self._results.add(self._executors.poll(0))
        unfinished += self._executors.running
        last = self._executors.close()
        self._results.add(last)
        # A run may have ended between the two looks: then its end counts.
        ended = {report.run.claim for report in last if isinstance(report, EndReport)}
        given_back = (run for run in unfinished if run.claim not in ended)
        self._results.release(given_back, "its worker stopped")

    def _kill(self, run: ClaimedRun, why: str) -> None:
        name, extra = run.job_name, {"run_id": run.run_id}
        log.warning("run %d (%s) %s and is killed", run.run_id, name, why, extra=extra)
        self._executors.kill(run)
        self._results.forget(run)
