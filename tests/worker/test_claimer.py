"""A worker's claim: since when its runs count as started, and which occurrences start by it."""

from dataclasses import replace
from datetime import timedelta

from tests.engine.worker_steps import Hands
from tests.worker.conftest import NOW, WorkWorld
from tick.worker.claimer import Claimer
from tick.worker.executor_group import ClaimRequest
from tick.worker.result_writer import ClaimResult


def claim(work: WorkWorld, *claim_requests: ClaimRequest) -> ClaimResult:
    """Claim at NOW, as a worker whose clock has gone on by three seconds meanwhile."""
    later = NOW + timedelta(seconds=3)
    claimer = Claimer(work.registry.jobs, work.settings, None, lambda: later)
    worker_id = Hands(work).worker_id
    with work.database.write.begin() as connection:
        return claimer.claim(connection, worker_id, claim_requests, NOW)


def test_a_run_that_waited_for_room_starts_after_what_made_it(work: WorkWorld) -> None:
    work.jobs = [replace(job, max_concurrent=1) for job in work.jobs if job.name == "add"]
    run_id = work.order("add")
    claim(work, ClaimRequest(work.registry.jobs, 1, ahead=False))
    assert work.run(run_id).started_at == NOW + timedelta(seconds=3)


def test_an_occurrence_starts_by_what_begins_at_once_and_not_by_what_waits(work: WorkWorld) -> None:
    work.order("writes-down")
    work.order("writes-down")
    jobs = work.registry.jobs
    claimed = claim(work, ClaimRequest(jobs, 1, ahead=False), ClaimRequest(jobs, 1, ahead=True))
    begun, waiting = claimed.runs
    assert claimed.occurrences == {begun.occurrence_id} != {waiting.occurrence_id}
