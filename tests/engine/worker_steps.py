"""What a worker does, one step at a time, by hand."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tick.engine.runs.claim import claim_runs
from tick.engine.runs.finish import FinishedAttempt, FinishResult, finish_runs
from tick.engine.runs.heartbeat import beat, register_worker
from tick.engine.runs.rescue import Rescued, rescue_dead_workers
from tick.engine.runs.settle import settle_forgotten, settle_occurrences
from tick.executors.claimed_run import ClaimedRun
from tick.policy.retry import AttemptEnd, AttemptOutcome, Backoff, judge
from tick.states import WorkerType
from tick.store.tables import job_run, occurrence

# SQLite has one writer at a time: what needs two open transactions runs on PostgreSQL only.
only_postgres = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
DEAD_AFTER = timedelta(seconds=90)
FAILED = AttemptEnd(AttemptOutcome.RAISED, error_type="ValueError", error_message="no")
RETURNED = AttemptEnd(AttemptOutcome.RETURNED, result="1")


class Hands:
    """A worker whose every step a test takes itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        with world.database.write.begin() as connection:
            self.worker_id = register_worker(
                connection,
                worker_type=WorkerType.JOB_WORKER,
                now=world.now,
                abilities={"jobs": [job.name for job in world.jobs]},
            )

    def claim(
        self, limit: int = 100, queues: Collection[str] | None = None, ahead: bool = False
    ) -> list[ClaimedRun]:
        """Claim what is ready, then settle what started by it."""
        with self.world.database.write.begin() as connection:
            runs = self.claim_in(connection, limit, queues, ahead)
        started = set() if ahead else {run.occurrence_id for run in runs}
        with self.world.database.write.begin() as connection:
            settle_occurrences(connection, started, self.world.now, started=started)
        return runs

    def claim_in(
        self,
        connection: sa.Connection,
        limit: int = 100,
        queues: Collection[str] | None = None,
        ahead: bool = False,
    ) -> list[ClaimedRun]:
        """Claim inside a transaction that the test keeps open."""
        return claim_runs(
            connection,
            worker_id=self.worker_id,
            now=self.world.now,
            limit=limit,
            jobs=self.world.registry.jobs,
            queues=queues,
            ahead=ahead,
        )

    def live_on(self) -> None:
        """Beat for longer than the test takes."""
        with self.world.database.write.begin() as connection:
            beat(connection, self.worker_id, self.world.now + timedelta(days=1))

    def claim_names(self, limit: int = 100) -> list[str]:
        """The names of the jobs that a claim took."""
        return [run.job_name for run in self.claim(limit)]

    def end(self, *runs: ClaimedRun, end: AttemptEnd = RETURNED) -> FinishResult:
        """End the runs alike, then settle."""
        accepted = self.finish(*runs, end=end)
        self.settle(accepted)
        return accepted

    def finish(self, *runs: ClaimedRun, end: AttemptEnd = RETURNED) -> FinishResult:
        """End the runs alike, and leave the settling undone."""
        with self.world.database.write.begin() as connection:
            return finish_runs(connection, [ending(run, end) for run in runs], self.world.now)

    def settle(self, accepted: FinishResult) -> int:
        """Settle what a finish touched."""
        with self.world.database.write.begin() as connection:
            return settle_occurrences(connection, accepted.occurrences, self.world.now)

    def work_off(self, **ends: AttemptEnd) -> None:
        """Claim and end until nothing is ready; `ends` by job name, the others return."""
        while runs := self.claim():
            for run in runs:
                self.end(run, end=ends.get(run.job_name.replace("-", "_"), RETURNED))


def ending(run: ClaimedRun, end: AttemptEnd) -> FinishedAttempt:
    """The ending as the worker makes it."""
    verdict = judge(
        end,
        run_id=run.run_id,
        attempt=run.attempt,
        max_attempts=run.max_attempts,
        backoff=Backoff(10, 600),
    )
    return FinishedAttempt(run, end, verdict)


def rescue(world: World) -> Rescued:
    """Rescue as the tick does it."""
    with world.database.write.begin() as connection:
        rescued = rescue_dead_workers(connection, world.now, DEAD_AFTER)
    with world.database.write.begin() as connection:
        settle_forgotten(connection, world.now)
    return rescued


def statuses(world: World) -> dict[str, str]:
    """Status by job name."""
    return {run.job_name: run.status for run in world.runs()}


def occurrence_rows(world: World) -> list[sa.Row[Any]]:
    """The ledger's rows in order."""
    return world.rows(sa.select(occurrence).order_by(occurrence.c.id))


def change_run(world: World, job_name: str, **values: Any) -> None:
    """Write into a run's row, as nobody else would."""
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(job_run).where(job_run.c.job_name == job_name).values(**values)
        )


def waits_for_a_lock(world: World) -> bool:
    """Whether some transaction waits for another."""
    with world.database.read.connect() as connection:
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
        return connection.execute(sa.text(waiting)).first() is not None
