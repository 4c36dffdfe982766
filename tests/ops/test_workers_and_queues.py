"""Draining a worker, pausing a queue."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import Hands
from tests.support.factories import TESTER, World, a_job
from tick.engine.ledger.audit import Act
from tick.engine.runs import queues
from tick.engine.runs.heartbeat import register_worker, stop_worker
from tick.engine.runs.queues import paused_queues
from tick.errors import NotFound, Refused
from tick.ops.actions import run_now, workers_and_queues
from tick.ops.queries.queues import list_queues
from tick.states import WorkerType
from tick.store.tables import audit_entry, worker_instance


def drain(world: World, worker_id: str) -> bool:
    """Drain the worker."""
    return workers_and_queues.drain_worker(world.database, Act(world.now, TESTER), worker_id)


def pause(world: World, name: str, reason: str = "the disk is full") -> bool:
    """Pause the queue."""
    return workers_and_queues.pause_queue(
        world.database, Act(world.now, TESTER, reason=reason), name
    )


def resume(world: World, name: str) -> bool:
    """Resume the queue."""
    return workers_and_queues.resume_queue(world.database, Act(world.now, TESTER), name)


def audited(world: World) -> list[tuple[str, str, str | None]]:
    """The audit as (action, subject, reason)."""
    rows = world.rows(sa.select(audit_entry).order_by(audit_entry.c.id))
    return [(row.action, row.subject, row.reason) for row in rows]


def test_a_drained_worker_is_asked_once(world: World) -> None:
    worker_id = Hands(world).worker_id
    assert (drain(world, worker_id), drain(world, worker_id)) == (True, False)
    (row,) = world.rows(sa.select(worker_instance))
    assert row.status == "DRAINING"
    assert audited(world) == [("worker.drain", worker_id, None)]


def test_a_worker_that_has_ended_can_not_be_drained(world: World) -> None:
    worker_id = Hands(world).worker_id
    with world.database.write.begin() as connection:
        stop_worker(connection, worker_id, world.now)
    with pytest.raises(Refused, match="is STOPPED already"):
        drain(world, worker_id)
    with pytest.raises(NotFound, match="`tick workers` lists them"):
        drain(world, "nobody")


def test_a_process_that_runs_no_jobs_can_not_be_drained(world: World) -> None:
    with world.database.write.begin() as connection:
        loop = register_worker(
            connection, worker_type=WorkerType.SCHEDULE_DAEMON, now=world.now, abilities={}
        )
    with pytest.raises(Refused, match="is a schedule_daemon"):
        drain(world, loop)


def test_a_paused_queue_is_quiet_until_it_is_resumed(world: World) -> None:
    world.jobs = [a_job("resize", queue="media"), a_job("rank")]
    run_now.run_all(world.database, Act(world.now, TESTER), world.registry)
    assert (pause(world, "media"), pause(world, "media", "again")) == (True, False)
    with world.database.read.connect() as connection:
        (paused,) = paused_queues(connection).items()
    assert (paused[0], paused[1].reason, paused[1].by) == ("media", "the disk is full", "tester")
    assert Hands(world).claim_names() == ["rank"]
    assert (resume(world, "media"), resume(world, "media")) == (True, False)
    assert Hands(world).claim_names() == ["resize"]
    assert audited(world)[1:] == [
        ("queue.pause", "media", "the disk is full"),
        ("queue.resume", "media", None),
    ]


def test_who_read_that_a_queue_is_paused_may_pause_it_again(world: World) -> None:
    pause(world, "media")
    with world.database.read.connect() as connection:
        (row,) = list_queues(connection, {})
    assert not workers_and_queues.pause_queue(
        world.database, Act(world.now, TESTER, reason="still full", revision=row.revision), "media"
    )


@pytest.mark.parametrize(("first", "second"), [(pause, resume), (resume, pause)])
def test_pause_and_resume_at_once_wait_for_each_other(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    first: Callable[[World, str], bool],
    second: Callable[[World, str], bool],
) -> None:
    if first is resume:
        pause(world, "media")
    deed = f"{first.__name__}_queue"
    act = getattr(queues, deed)

    with ThreadPoolExecutor(1) as pool:
        rivals = []

        def with_a_rival_before_the_commit(*what: object, **how: object) -> bool:
            done = act(*what, **how)
            monkeypatch.undo()
            rivals.append(pool.submit(second, world, "media"))
            with suppress(TimeoutError):
                rivals[0].result(timeout=0.3)
            return bool(done)

        monkeypatch.setattr(queues, deed, with_a_rival_before_the_commit)
        assert first(world, "media")
        assert rivals[0].result()
    with world.database.read.connect() as connection:
        assert ("media" in paused_queues(connection)) is (second is pause)
    assert [action for action, *_ in audited(world)][-2:] == [
        f"queue.{first.__name__}",
        f"queue.{second.__name__}",
    ]


@pytest.mark.parametrize(("name", "reason"), [("media", "  "), ("", "why"), ("a b", "why")])
def test_a_pause_needs_a_name_and_a_reason(world: World, name: str, reason: str) -> None:
    with pytest.raises(Refused):
        pause(world, name, reason)
