"""What happens to the runs of a worker that stopped beating."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.test_claim_runs import fired
from tests.engine.worker_steps import (
    DEAD_AFTER,
    RETURNED,
    Hands,
    change_run,
    ending,
    occurrence_rows,
    only_postgres,
    rescue,
    statuses,
    waits_for_a_lock,
)
from tests.support.factories import World, a_job
from tests.worker.processes import eventually
from tick.engine.runs.finish import finish_runs
from tick.engine.runs.heartbeat import beat, drain_worker, stop_worker
from tick.engine.runs.rescue import MAX_RESCUES, cancel_orphans
from tick.states import WorkerStatus
from tick.store.tables import worker_instance

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
SILENT = DEAD_AFTER + timedelta(seconds=1)


@pytest.fixture
def patient(world: World) -> None:
    """A rescue waits for the rows it would pass over: its look and its lock lie far apart."""

    @sa.event.listens_for(world.database.write, "before_cursor_execute", retval=True)
    def wait(_1: Any, _2: Any, statement: str, values: Any, _3: Any, _4: Any) -> tuple[str, Any]:
        return statement.replace(" SKIP LOCKED", ""), values


def worker_status(world: World, worker_id: str) -> str:
    """As others see it."""
    w = worker_instance.c
    status: str = world.rows(sa.select(w.status).where(w.id == worker_id))[0].status
    return status


def test_a_worker_that_beats_keeps_its_runs(world: World) -> None:
    fired(world, a_job("a"))
    hands = Hands(world)
    hands.claim()
    world.now += SILENT
    with world.database.write.begin() as connection:
        assert beat(connection, hands.worker_id, world.now, "a") is WorkerStatus.RUNNING
    assert rescue(world).runs == 0
    assert statuses(world) == {"a": "RUNNING"}


def test_a_worker_that_does_much_tells_the_beginning_of_it(world: World) -> None:
    hands = Hands(world)
    with world.database.write.begin() as connection:
        beat(connection, hands.worker_id, world.now, "reads, " * 100)
    (row,) = world.rows(sa.select(worker_instance))
    assert (row.activity[:12], len(row.activity)) == ("reads, reads", 200)


def test_a_silent_worker_is_dead_and_learns_so_at_its_next_beat(world: World) -> None:
    hands = Hands(world)
    world.now += SILENT
    assert rescue(world).workers == (hands.worker_id,)
    assert worker_status(world, hands.worker_id) == "DEAD"
    with world.database.write.begin() as connection:
        assert beat(connection, hands.worker_id, world.now) is None
        assert not stop_worker(connection, hands.worker_id, world.now)


def test_an_idempotent_run_of_a_dead_worker_goes_back_to_the_queue(world: World) -> None:
    fired(world, a_job("a", idempotent=True))
    claimed = Hands(world).claim()
    world.now += SILENT
    assert rescue(world).queued == 1
    run = world.runs()[0]
    assert (run.status, run.rescues, run.attempt, run.deadline_at) == ("QUEUED", 1, 0, None)
    assert run.fencing_token == claimed[0].fencing_token + 1
    other = Hands(world)
    assert other.end(*other.claim()).statuses == {run.id: "SUCCESS"}


def test_another_run_of_a_dead_worker_ends_as_abandoned(world: World) -> None:
    fired(world, a_job("a"), a_job("b", depends_on=["a"]))
    hands = Hands(world)
    hands.claim()
    world.now += SILENT
    assert rescue(world).abandoned == 1
    run = world.runs()[0]
    said = f"abandoned: worker {hands.worker_id} stopped beating"
    assert (run.error_type, run.error_message, run.reason) == ("Abandoned", said, said)
    assert statuses(world) == {"a": "FAILED", "b": "SKIPPED"}
    assert occurrence_rows(world)[0].outcome == "FAILED"


def test_a_run_that_kills_every_worker_is_rescued_only_so_often(world: World) -> None:
    fired(world, a_job("a", idempotent=True))
    for _ in range(MAX_RESCUES):
        assert Hands(world).claim_names() == ["a"]
        world.now += SILENT
        assert rescue(world).queued == 1
    assert Hands(world).claim_names() == ["a"]
    world.now += SILENT
    assert rescue(world).abandoned == 1
    assert statuses(world) == {"a": "FAILED"}


def test_what_a_dead_worker_still_reports_is_refused(world: World) -> None:
    fired(world, a_job("a", idempotent=True))
    hands = Hands(world)
    runs = hands.claim()
    world.now += SILENT
    rescue(world)
    assert [stale.run for stale in hands.end(*runs).stale] == runs
    assert statuses(world) == {"a": "QUEUED"}


def test_a_claim_made_after_its_worker_was_declared_dead_is_rescued_next(
    world: World,
) -> None:
    fired(world, a_job("a", idempotent=True))
    hands = Hands(world)
    world.now += SILENT
    rescue(world)
    assert hands.claim_names() == ["a"]
    assert rescue(world).queued == 1


def test_a_cancel_request_holds_when_the_worker_dies(world: World) -> None:
    fired(world, a_job("a", idempotent=True))
    Hands(world).claim()
    change_run(world, "a", cancel_requested_at=TWO)
    world.now += SILENT
    rescue(world)
    assert statuses(world) == {"a": "CANCELLED"}


def test_rescuing_twice_changes_nothing_more(world: World) -> None:
    fired(world, a_job("a", idempotent=True))
    Hands(world).claim()
    world.now += SILENT
    assert (rescue(world).runs, rescue(world).runs) == (1, 0)


@only_postgres
@pytest.mark.usefixtures("patient")
def test_a_rescue_spares_a_run_that_ended_before_its_lock(
    world: World,
) -> None:
    fired(world, a_job("a", idempotent=True))
    (run,) = Hands(world).claim()
    world.now += SILENT
    with ThreadPoolExecutor(1) as thread:
        with world.database.write.begin() as rival:
            finish_runs(rival, [ending(run, RETURNED)], world.now)
            rescued = thread.submit(rescue, world)
            eventually(lambda: waits_for_a_lock(world))
        assert rescued.result().runs == 0
    assert statuses(world) == {"a": "SUCCESS"}


@only_postgres
@pytest.mark.usefixtures("patient")
def test_a_rescue_spares_a_worker_that_beat_before_its_lock(world: World) -> None:
    hands = Hands(world)
    world.now += SILENT
    with ThreadPoolExecutor(1) as thread:
        with world.database.write.begin() as rival:
            beat(rival, hands.worker_id, world.now)
            rescued = thread.submit(rescue, world)
            eventually(lambda: waits_for_a_lock(world))
        assert rescued.result().workers == ()
    assert worker_status(world, hands.worker_id) == "RUNNING"


def test_a_worker_that_stopped_is_not_dead(world: World) -> None:
    hands = Hands(world)
    with world.database.write.begin() as connection:
        assert drain_worker(connection, hands.worker_id)
        assert beat(connection, hands.worker_id, world.now, "a") is WorkerStatus.DRAINING
        assert stop_worker(connection, hands.worker_id, world.now)
    world.now += SILENT
    assert rescue(world).workers == ()
    (row,) = world.rows(sa.select(worker_instance))
    assert (row.status, row.activity) == ("STOPPED", None)


def test_a_queued_run_whose_upstream_somebody_ended_is_skipped(world: World) -> None:
    fired(world, a_job("a"), a_job("b", depends_on=["a"]))
    change_run(world, "a", status="FAILED", finished_at=TWO)
    rescue(world)
    assert statuses(world) == {"a": "FAILED", "b": "SKIPPED"}
    assert occurrence_rows(world)[0].outcome == "FAILED"


def test_a_run_whose_job_nobody_knows_is_cancelled_after_a_time(world: World) -> None:
    fired(world, a_job("a"), a_job("b"), a_job("c", depends_on=["b"]))
    hour = timedelta(hours=1)
    for later, left in ((hour, "QUEUED"), (hour + timedelta(seconds=1), "CANCELLED")):
        with world.database.write.begin() as connection:
            cancel_orphans(connection, TWO + later, hour, ["a", "c"])
        assert statuses(world)["b"] == left
    assert statuses(world) == {"a": "QUEUED", "b": "CANCELLED", "c": "SKIPPED"}


def test_a_run_whose_job_some_living_worker_knows_is_left_alone(world: World) -> None:
    fired(world, a_job("a"))
    Hands(world)
    with world.database.write.begin() as connection:
        assert cancel_orphans(connection, TWO + timedelta(days=1), timedelta(hours=1), []) == 0
