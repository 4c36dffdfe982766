"""A worker heeds the limits of its settings and of its jobs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.inline import InlineExecutor
from tests.worker.conftest import NOW, WorkWorld
from tick.worker.worker import Worker


@pytest.fixture
def new_worker(work: WorkWorld) -> Iterator[Callable[..., Worker]]:
    """Makes workers that run jobs in this process, under the given settings."""
    workers: list[Worker] = []

    def new_worker(**settings: Any) -> Worker:
        work.settings = work.settings.model_copy(update=settings)
        executor = InlineExecutor(work.registry, lambda: NOW)
        workers.append(Worker(work.runtime, executor=executor, now=lambda: NOW))
        return workers[-1]

    yield new_worker
    for worker in workers:
        worker.close()


@pytest.mark.parametrize(
    "settings", [{"queue_limits": {"default": 2}}, {"group_limits": {"good": 2}}]
)
def test_it_claims_no_more_than_a_queue_or_a_group_may_run(
    work: WorkWorld, new_worker: Callable[..., Worker], settings: dict[str, Any]
) -> None:
    for _ in range(5):
        work.order("add")
    worker = new_worker(**settings)
    assert [worker.run_once(NOW) for _ in range(4)] == [2, 2, 1, 0]


def test_it_claims_no_more_than_a_job_allows(
    work: WorkWorld, new_worker: Callable[..., Worker]
) -> None:
    work.jobs = [replace(job, max_concurrent=1) for job in work.jobs if job.name == "add"]
    for _ in range(3):
        work.order("add")
    worker = new_worker()
    assert [worker.run_once(NOW) for _ in range(4)] == [1, 1, 1, 0]
