"""A world whose jobs run for real: in this process, or in child processes."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World
from tests.support.forked import Template
from tests.support.inline import InlineExecutor
from tests.worker.processes import SERVING, Process
from tick.define.registry import load_registry
from tick.engine.ledger.audit import Act
from tick.ops.actions import run_now
from tick.settings import Settings
from tick.store.database import Database
from tick.store.tables import job_log, job_run, occurrence
from tick.worker.worker import Worker

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
DEFINITIONS = "tests.worker.jobs"


class WorkWorld(World):
    """A world with the jobs of tests/worker/jobs.py, and questions about single runs."""

    def order(self, job: str, **params: Any) -> int:
        """Ask for one run of a job; the run's id."""
        occurrence_id = run_now.run_job(
            self.database, Act(self.now, TESTER), job, self.registry, params=params
        )
        found = sa.select(job_run.c.id).where(job_run.c.occurrence_id == occurrence_id)
        run_id: int = self.rows(found)[0].id
        return run_id

    def run(self, run_id: int) -> sa.Row[Any]:
        """The run's row."""
        return self.rows(sa.select(job_run).where(job_run.c.id == run_id))[0]

    def log(self, run_id: int) -> list[tuple[str, str]]:
        """The run's log as (level, message)."""
        lines = sa.select(job_log).where(job_log.c.run_id == run_id).order_by(job_log.c.id)
        return [(row.level, row.message) for row in self.rows(lines)]

    def occurrences(self) -> list[sa.Row[Any]]:
        """The whole ledger."""
        return self.rows(sa.select(occurrence).order_by(occurrence.c.id))

    def outcome(self, run_id: int) -> str:
        """The outcome of the run's occurrence."""
        found = sa.select(occurrence.c.outcome).where(
            occurrence.c.id == self.run(run_id).occurrence_id
        )
        outcome: str = self.rows(found)[0].outcome
        return outcome


@pytest.fixture
def work(database: Database) -> WorkWorld:
    """The world at NOW, with nothing ordered."""
    registry = load_registry(DEFINITIONS)
    settings = Settings(definitions=DEFINITIONS, worker_processes=2)
    return WorkWorld(
        database,
        now=NOW,
        settings=settings,
        jobs=tuple(registry.jobs.values()),
        schedules=tuple(registry.schedules.values()),
    )


@pytest.fixture
def inline(work: WorkWorld) -> Iterator[Worker]:
    """A worker that runs jobs in this process."""
    worker = Worker(
        work.runtime, executor=InlineExecutor(work.registry, lambda: NOW), now=lambda: NOW
    )
    yield worker
    worker.close()


@pytest.fixture
def make_worker(work: WorkWorld) -> Iterator[Callable[..., Worker]]:
    """Makes workers with child processes; they are closed at the end."""
    made: list[Worker] = []

    def make(**how: Any) -> Worker:
        made.append(Worker(work.runtime, now=lambda: NOW, **how))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


@pytest.fixture
def worker(make_worker: Callable[..., Worker]) -> Worker:
    """A worker with child processes."""
    return make_worker()


@pytest.fixture(scope="session")
def serving_template() -> Iterator[Template]:
    """What worker processes are forked from."""
    template = Template(SERVING)
    yield template
    template.close()


@pytest.fixture
def serve(
    work: WorkWorld, database_url: str, serving_template: Template
) -> Iterator[Callable[..., Process]]:
    """Starts worker processes, which are killed at the end."""
    work.now = datetime.now(UTC)
    started: list[Process] = []

    def start(
        drain_seconds: float = 10,
        dead_after_seconds: float = 60,
        poll_seconds: float = 0.05,
        afresh: bool = False,
    ) -> Process:
        template = None if afresh else serving_template
        how = (drain_seconds, dead_after_seconds, poll_seconds)
        started.append(Process(template, database_url, *how))
        return started[-1]

    yield start
    for process in started:
        process.end()
