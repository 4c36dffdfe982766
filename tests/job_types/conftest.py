"""A run in this process, with its log: what a kind of job does, seen without a worker."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.worker.conftest import WorkWorld
from tick.define.jobs import ATTRIBUTE, JobDefinition
from tick.define.registry import load_registry
from tick.executors.claimed_run import ClaimedRun
from tick.executors.context import CurrentRun
from tick.executors.execute import execute
from tick.policy.retry import AttemptEnd
from tick.settings import Settings
from tick.store.database import Database
from tick.worker.worker import Worker

DEFINITIONS = "tests.job_types.jobs"
NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@dataclass
class OutputCollector:
    """Whoever listens to the run; `asked_to_stop` is what the run is told."""

    asked_to_stop: bool = False
    heard: list[tuple[float, str]] = field(default_factory=list)

    def progress(self, fraction: float, text: str) -> None:
        self.heard.append((fraction, text))

    def cancelled(self) -> bool:
        return self.asked_to_stop


def definition_of(job: Callable[..., Any]) -> JobDefinition:
    """What `@job` or a kind made of it."""
    definition: JobDefinition = getattr(job, ATTRIBUTE)
    return definition


class Attempt:
    """Executes jobs one after another, and keeps what they logged."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self.output = OutputCollector()

    def __call__(self, job: Callable[..., Any], **params: Any) -> AttemptEnd:
        definition = definition_of(job)
        run = ClaimedRun(
            run_id=7,
            fencing_token=3,
            job_name=definition.name,
            occurrence_id=1,
            schedule_id="nightly",
            scheduled_for=NOW,
            attempt=2,
            max_attempts=3,
            params=params,
            deadline=NOW,
        )
        self._caplog.clear()
        return execute(definition, CurrentRun(run, self.output))

    @property
    def log(self) -> list[tuple[str, str]]:
        """What the last job logged, as (level, message)."""
        return [(record.levelname, record.getMessage()) for record in self._caplog.records]


@pytest.fixture
def attempt(caplog: pytest.LogCaptureFixture) -> Iterator[Attempt]:
    """Executes a job in this process."""
    with caplog.at_level(logging.INFO):
        yield Attempt(caplog)


@pytest.fixture
def work(database: Database) -> WorkWorld:
    """A world with the jobs of tests/job_types/jobs.py."""
    registry = load_registry(DEFINITIONS)
    settings = Settings(definitions=DEFINITIONS, worker_processes=2)
    jobs = tuple(registry.jobs.values())
    return WorkWorld(database, now=NOW, settings=settings, jobs=jobs, schedules=())


@pytest.fixture
def worker(work: WorkWorld) -> Iterator[Worker]:
    """A worker with child processes."""
    worker = Worker(work.runtime, now=lambda: work.now)
    yield worker
    worker.close()
