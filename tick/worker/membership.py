"""Keeps a worker among the others: registers, beats, drains, stops, and rescues dead ones' runs."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from tick.define.jobs import JobDefinition
from tick.engine.runs.heartbeat import beat, drain_worker, register_worker, stop_worker
from tick.engine.runs.rescue import cancel_orphans, rescue_dead_workers
from tick.engine.runs.settle import settle_forgotten
from tick.states import WorkerStatus, WorkerType
from tick.store.database import Database

log = logging.getLogger(__name__)

ORPHANED_AFTER = timedelta(hours=1)  # the release that brings the job may be late


class Membership:
    """Keeps the worker's row in the database. `worker_id` is None while it is not registered.

    `on_declared_dead` is called when others declared it dead, before it goes on under a new id.
    `environment` is the one that the database must belong to; None: any.
    """

    def __init__(
        self,
        database: Database,
        jobs: Mapping[str, JobDefinition],
        queues: Collection[str] | None,
        slots: int,
        on_declared_dead: Callable[[], None],
        environment: str | None = None,
    ) -> None:
        self.environment = environment
        self._database, self._jobs, self._slots = database, jobs, slots
        self._queues, self._on_declared_dead = queues, on_declared_dead
        self.worker_id: str | None = None

    def beat(self, now: datetime, activity: str) -> WorkerStatus:
        """Write a heartbeat, and register first where necessary; return the worker's status.

        Raises WrongEnvironment.
        """
        self._database.want_file()  # a file that was moved away must not be written on unseen
        status = None
        with self._database.write.begin() as connection:
            if self.worker_id is not None:
                status = beat(connection, self.worker_id, now, activity, self.environment)
            if status is None:
                queues = None if self._queues is None else sorted(self._queues)
                abilities = {"queues": queues, "jobs": sorted(self._jobs), "slots": self._slots}
                kind = WorkerType.JOB_WORKER
                registered = register_worker(
                    connection,
                    worker_type=kind,
                    now=now,
                    abilities=abilities,
                    environment=self.environment,
                )
        if status is not None:
            return status
        if self.worker_id is not None:
            log.warning("worker %s was declared dead; going on anew", self.worker_id)
            self._on_declared_dead()
        self.worker_id = registered
        return WorkerStatus.RUNNING

    def drain(self) -> None:
        """Show that the worker takes nothing new."""
        if self.worker_id is not None:
            with self._database.write.begin() as connection:
                drain_worker(connection, self.worker_id)

    def stop(self, now: datetime) -> None:
        """Show that the worker has stopped."""
        if self.worker_id is not None:
            with self._database.write.begin() as connection:
                stop_worker(connection, self.worker_id, now)
            self.worker_id = None

    def rescue_others(self, now: datetime, dead_after: timedelta) -> None:
        """Declare workers dead that stopped beating, and end or settle what nobody else would."""
        with self._database.write.begin() as connection:
            rescued = rescue_dead_workers(connection, now, dead_after)
            cancel_orphans(connection, now, ORPHANED_AFTER, self._jobs)
        with self._database.write.begin() as connection:
            settle_forgotten(connection, now)
        for worker_id in rescued.workers:
            log.warning("worker %s stopped beating and was declared dead", worker_id)
