"""A worker process in the wild: stopped, killed, frozen, cut off from its database."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.support.factories import TESTER
from tests.worker.conftest import WorkWorld
from tests.worker.processes import (
    Process,
    eventually,
    freeze,
    has_ended,
    is_gone,
    pids_in,
    workers,
)
from tick.engine.ledger.audit import Act
from tick.engine.runs.rescue import rescue_dead_workers
from tick.engine.runs.settle import settle_forgotten
from tick.ops.actions import cancellation
from tick.store.tables import job_run, worker_instance


def test_a_worker_takes_what_comes(work: WorkWorld, serve: Callable[..., Process]) -> None:
    serve()
    for _ in range(2):
        run_id = work.order("add")
        eventually(has_ended(work, run_id))
        assert work.run(run_id).result == '{"sum": 3}'
        eventually(lambda run_id=run_id: work.outcome(run_id) == "SUCCESS")


def test_an_occurrence_is_seen_to_run_while_its_run_does(
    work: WorkWorld, serve: Callable[..., Process]
) -> None:
    serve()
    run_id = work.order("sleeps")
    eventually(lambda: work.outcome(run_id) == "RUNNING")
    (row,) = work.occurrences()
    assert row.first_started_at == work.run(run_id).started_at


def test_a_stopped_worker_gives_back_what_it_could_not_end(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    process, note = serve(drain_seconds=0.2), tmp_path / "note"
    run_id = work.order("sleeps", note=str(note))
    (pid,) = eventually(pids_in(note))
    process.signal(signal.SIGTERM)
    assert process.ends() == 0
    run = work.run(run_id)
    assert (run.status, run.attempt, run.reason) == ("QUEUED", 0, "its worker stopped")
    assert workers(work) == ["STOPPED"]
    assert is_gone(pid)


def test_a_stopped_worker_waits_for_what_runs(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    process, note = serve(), tmp_path / "note"
    run_id = work.order("waits", note=str(note))
    eventually(pids_in(note))
    process.signal(signal.SIGTERM)
    eventually(lambda: workers(work) == ["DRAINING"])
    cancellation.cancel_run(work.database, Act(work.now, TESTER), run_id)
    assert process.ends() == 0
    assert (work.run(run_id).status, workers(work)) == ("CANCELLED", ["STOPPED"])


def test_replacing_four_busy_workers_loses_no_run_and_no_attempt(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    note = tmp_path / "finished"
    old = [serve(drain_seconds=0.2) for _ in range(4)]
    eventually(lambda: workers(work) == ["RUNNING"] * 4)
    stuck = [work.order("sleeps") for _ in range(4)]
    quick = [work.order("writes-down", note=str(note)) for _ in range(60)]
    eventually(lambda: any(work.run(run_id).status == "SUCCESS" for run_id in quick))
    for process in old:
        process.signal(signal.SIGTERM)
    assert [process.ends() for process in old] == [0] * 4
    assert {(work.run(i).status, work.run(i).attempt) for i in stuck} == {("QUEUED", 0)}
    for run_id in stuck:
        cancellation.cancel_run(work.database, Act(work.now, TESTER), run_id)
    serve()
    eventually(lambda: all(work.run(run_id).status == "SUCCESS" for run_id in quick))
    assert {work.run(run_id).attempt for run_id in quick} == {1}


def test_a_second_sigterm_ends_it_at_once(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    process, note = serve(drain_seconds=600), tmp_path / "note"
    run_id = work.order("sleeps", note=str(note))
    eventually(pids_in(note))
    process.signal(signal.SIGTERM)
    eventually(lambda: workers(work) == ["DRAINING"])
    process.signal(signal.SIGTERM)
    assert process.ends() == 0
    assert (work.run(run_id).status, work.run(run_id).attempt) == ("QUEUED", 0)


def test_a_cancelled_job_stops_by_itself(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    serve()
    note = tmp_path / "note"
    run_id = work.order("waits", note=str(note))
    eventually(pids_in(note))
    cancellation.cancel_run(work.database, Act(work.now, TESTER), run_id)
    eventually(has_ended(work, run_id))
    run = work.run(run_id)
    assert (run.status, run.reason) == ("CANCELLED", "cancelled by tester")


def test_a_cancelled_job_that_does_not_listen_is_killed(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    serve()
    note = tmp_path / "note"
    run_id = work.order("sleeps", note=str(note))
    (pid,) = eventually(pids_in(note))
    cancellation.cancel_run(work.database, Act(work.now, TESTER), run_id)
    eventually(has_ended(work, run_id))
    assert work.run(run_id).status == "CANCELLED"
    assert is_gone(pid)


def test_the_jobs_of_a_killed_worker_die_with_it_and_are_rescued(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    process, note = serve(), tmp_path / "note"
    lost, abandoned = work.order("sleeps", note=str(note)), work.order("waits")
    (pid,) = eventually(pids_in(note))
    eventually(lambda: work.run(abandoned).status == "RUNNING")
    process.signal(signal.SIGKILL)
    process.ends()
    eventually(lambda: is_gone(pid))
    with work.database.write.begin() as connection:
        later = datetime.now(UTC) + timedelta(seconds=91)
        rescue_dead_workers(connection, later, timedelta(seconds=90))
    with work.database.write.begin() as connection:
        settle_forgotten(connection, later)
    assert (work.run(lost).status, work.run(lost).rescues) == ("QUEUED", 1)
    assert work.run(abandoned).error_type == "Abandoned"
    assert work.outcome(abandoned) == "FAILED"


def test_what_the_jobs_of_a_killed_worker_started_dies_too(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    process, note = serve(), tmp_path / "note"
    work.order("starts-another", note=str(note))
    child, grandchild = eventually(pids_in(note))
    process.signal(signal.SIGKILL)
    process.ends()
    eventually(lambda: is_gone(child) and is_gone(grandchild))


def test_a_worker_declared_dead_kills_its_jobs_and_registers_anew(
    work: WorkWorld, serve: Callable[..., Process], tmp_path: Path
) -> None:
    process, note = serve(dead_after_seconds=1.0), tmp_path / "note"
    run_id = work.order("sleeps", note=str(note))
    (pid,) = eventually(pids_in(note))
    freeze(process, work.database)
    with work.database.write.begin() as connection:
        later = datetime.now(UTC) + timedelta(seconds=91)
        assert rescue_dead_workers(connection, later, timedelta(seconds=90)).queued == 1
    process.signal(signal.SIGCONT)
    eventually(lambda: is_gone(pid))
    eventually(lambda: workers(work) == ["DEAD", "RUNNING"])
    assert work.run(run_id).fencing_token >= 2


def test_a_worker_that_somebody_drains_ends_when_it_is_done(
    work: WorkWorld, serve: Callable[..., Process]
) -> None:
    process = serve()
    eventually(lambda: workers(work) == ["RUNNING"])
    with work.database.write.begin() as connection:
        connection.execute(sa.update(worker_instance).values(status="DRAINING"))
    assert process.ends() == 0
    assert workers(work) == ["STOPPED"]


def test_a_claim_whose_answer_got_lost_is_given_back_and_runs(
    work: WorkWorld, serve: Callable[..., Process]
) -> None:
    serve()
    eventually(lambda: workers(work) == ["RUNNING"])
    run_id = work.order("add")
    with work.database.write.begin() as connection:
        # As if the worker's own claim had been committed, and the connection lost.
        connection.execute(
            sa.update(job_run)
            .where(job_run.c.id == run_id, job_run.c.status == "QUEUED")
            .values(
                status="RUNNING",
                attempt=1,
                fencing_token=1,
                deadline_at=work.now,
                worker_id=sa.select(worker_instance.c.id).scalar_subquery(),
            )
        )
    eventually(has_ended(work, run_id))
    assert (work.run(run_id).status, work.run(run_id).attempt) == ("SUCCESS", 1)
