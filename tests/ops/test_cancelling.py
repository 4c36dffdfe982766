"""Cancelling an occurrence: what is queued ends, what runs is asked, what has ended stays."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.runs.cancel import cancel_runs
from tick.errors import NotFound, Refused
from tick.ops.actions import batches, cancellation, retries, run_now
from tick.store.database import Database
from tick.store.tables import audit_entry, job_run, occurrence

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
JOBS = [
    a_job("features"),
    a_job("scores", depends_on=["features"]),
    a_job("report", depends_on=["scores"], always=True),
]


@pytest.fixture
def world(database: Database) -> World:
    """A daily sync that has just begun: the first of three jobs is at work."""
    world = World(database, now=NOW)
    world.define(a_schedule("daily"), jobs=JOBS)
    run_now.run_schedule(database, Act(NOW, TESTER), "daily")
    _set(world, "features", status="RUNNING", started_at=NOW, attempt=1)
    return world


def _set(world: World, name: str, **values: object) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.job_name == name).values(**values))


def _cancel(world: World) -> int:
    return cancellation.cancel_occurrence(world.database, Act(world.now, TESTER), 1)


def test_what_is_queued_ends_and_what_runs_is_asked(world: World) -> None:
    assert _cancel(world) == 3
    runs = {run.job_name: run for run in world.runs()}
    assert {name: run.status for name, run in runs.items()} == {
        "features": "RUNNING",
        "scores": "CANCELLED",
        "report": "CANCELLED",
    }
    assert {run.cancel_requested_at for run in runs.values()} == {NOW}
    assert {run.reason for run in runs.values()} == {"cancelled by tester"}


def test_what_needs_a_run_that_is_cancelled_is_skipped_at_once(database: Database) -> None:
    world = World(database, now=NOW)
    jobs = [a_job("features"), a_job("scores", depends_on=["features"])]
    world.define(a_schedule("daily"), jobs=jobs)
    run_now.run_schedule(database, Act(NOW, TESTER), "daily")
    cancellation.cancel_run(database, Act(NOW, TESTER), 1)
    assert [run.status for run in world.runs()] == ["CANCELLED", "SKIPPED"]
    assert world.runs()[1].reason == "features was cancelled"


def test_whoever_asks_first_is_named_and_what_has_ended_is_left_as_it_is(world: World) -> None:
    _set(world, "scores", status="SUCCESS", finished_at=NOW)
    _cancel(world)
    later = NOW + timedelta(minutes=1)
    with world.database.write.begin() as connection:
        cancel_runs(connection, [1, 2, 3], now=later, reason="cancelled by somebody else")
    asked, ended, _ = world.runs()
    assert (asked.cancel_requested_at, asked.reason) == (NOW, "cancelled by tester")
    assert (ended.status, ended.cancel_requested_at, ended.reason) == ("SUCCESS", None, None)


def test_an_occurrence_of_which_nothing_runs_has_an_outcome_at_once(world: World) -> None:
    _set(world, "features", status="SUCCESS", finished_at=NOW)
    assert _cancel(world) == 2
    (row,) = world.rows(sa.select(occurrence))
    assert (row.outcome, row.cancelled) == ("CANCELLED", 2)
    assert world.runs()[0].status == "SUCCESS"


def test_cancelling_the_last_run_settles_the_occurrence_and_is_audited(
    world: World,
) -> None:
    for name in ("features", "scores"):
        _set(world, name, status="SUCCESS", finished_at=NOW)
    last = world.runs()[2].id
    cancellation.cancel_run(world.database, Act(NOW, TESTER, reason="wrong day"), last)
    (row,) = world.rows(sa.select(occurrence))
    assert row.outcome == "CANCELLED"
    (entry,) = world.rows(sa.select(audit_entry).where(audit_entry.c.action == "run.cancel"))
    assert (entry.subject, entry.before, entry.reason) == (
        str(last),
        {"status": "QUEUED"},
        "wrong day",
    )


def test_of_many_runs_those_that_have_ended_are_told_apart(world: World) -> None:
    _set(world, "features", status="SUCCESS", finished_at=NOW)
    batch = batches.cancel_runs(world.database, Act(NOW, TESTER), [1, 2, 99])
    assert batch.done == (2,)
    assert set(batch.refused) == {1, 99}


@pytest.mark.parametrize("many", [0, 1001])
def test_none_and_more_than_a_thousand_at_once_are_refused(world: World, many: int) -> None:
    with pytest.raises(Refused, match="1 to 1000 runs"):
        batches.cancel_runs(world.database, Act(NOW, TESTER), range(many))


def test_it_is_one_entry_of_the_audit(world: World) -> None:
    _cancel(world)
    query = sa.select(audit_entry).where(audit_entry.c.action == "occurrence.cancel")
    (entry,) = world.rows(query)
    assert (entry.actor, entry.subject, entry.after) == ("tester", "1", {"runs": 3})


def test_what_has_ended_is_not_cancelled(world: World) -> None:
    world.finish_runs()
    with pytest.raises(Refused, match="has ended as SUCCESS already"):
        _cancel(world)
    with pytest.raises(NotFound):
        cancellation.cancel_occurrence(world.database, Act(NOW, TESTER), 4711)


def test_what_was_cancelled_can_be_put_back(world: World) -> None:
    _set(world, "features", status="SUCCESS", finished_at=NOW)
    _cancel(world)
    ids = retries.retry_occurrence(world.database, Act(world.now, TESTER), 1, world.registry)
    assert len(ids) == 2
    assert [run.status for run in world.runs()] == ["SUCCESS", "QUEUED", "QUEUED"]
