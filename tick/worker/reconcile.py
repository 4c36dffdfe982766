"""What a worker executes, compared with what the database says that it holds."""

import logging

from tick.engine.runs.held import held_runs
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.store.database import Database
from tick.worker.executor_group import Crew
from tick.worker.result_writer import Saver

log = logging.getLogger(__name__)


class Custody:
    """Looks after the runs of a crew: the database has the last word on whose they are."""

    def __init__(self, database: Database, crew: Crew, saver: Saver) -> None:
        self._database, self._crew, self._saver = database, crew, saver
        self._cancelling: set[Claim] = set()

    def compare(self, worker_id: str, patience_seconds: float) -> None:
        """Pass cancellations on, kill what was taken back, and give back what is not executed.

        A run may wait for a slot as long as `patience_seconds`. What was reported must have been
        saved: else an end that the database has not heard of looks like a run that nobody executes.
        """
        with self._database.read.connect() as connection:
            held = {item.run.claim: item for item in held_runs(connection, worker_id)}
        running, begun = self._crew.running, self._crew.begun
        unwritten = (item.run for item in held.values() if not item.has_started)
        self._saver.add_starts((run, begun[run.claim]) for run in unwritten if run.claim in begun)
        self._cancelling.intersection_update(run.claim for run in running)
        for run in running:
            item = held.pop(run.claim, None)
            if item is None:
                self._kill(run, "was taken back")
            elif item.cancel_requested and run.claim not in self._cancelling:
                self._cancelling.add(run.claim)
                self._crew.cancel(run)
        waited = self._crew.take_back(patience_seconds)
        self._saver.release(waited, "its worker had no slot for it")
        # What is left was claimed while the answer got lost: nobody else would ever take it.
        strangers = [item.run for item in held.values()]
        self._saver.release(strangers, "its worker did not hear of its claim")

    def lose(self) -> None:
        """Others took this worker's runs: what still executes here must not go on."""
        for run in self._crew.running:
            self._kill(run, "is lost")

    def _kill(self, run: ClaimedRun, why: str) -> None:
        name, extra = run.job_name, {"run_id": run.run_id}
        log.warning("run %d (%s) %s and is killed", run.run_id, name, why, extra=extra)
        self._crew.kill(run)
        self._saver.forget(run)
