"""At most one unfinished run of a unique job, or of it with the same parameters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import (
    FAILED,
    Hands,
    occurrence_rows,
    only_postgres,
    statuses,
    waits_for_a_lock,
)
from tests.support.factories import TESTER, World, a_job, a_schedule
from tests.worker.processes import eventually
from tick.engine.ledger.audit import Act
from tick.engine.runs import requeue
from tick.errors import Refused
from tick.ops.actions import run_now
from tick.ops.actions.retries import retry_occurrence, retry_run
from tick.store.tables import job_run

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def limited(limit: int = 10, title: str = "") -> None:
    """A job with parameters."""


@pytest.fixture
def index(world: World) -> World:
    """A job that is unique, one that is so by its parameters, and one behind the first."""
    world.define(
        a_schedule(overlap="ALLOW"),
        jobs=[
            a_job("index", unique="job", function=limited),
            a_job("digest", unique="params", function=limited),
            a_job("publish", depends_on=["index"]),
        ],
    )
    world.enable()
    return world


def order(world: World, job: str, **params: object) -> sa.Row[Any]:
    """Ask for one run of a job; the run."""
    occurrence_id = run_now.run_job(
        world.database, Act(world.now, TESTER), job, world.registry, params=params
    )
    return next(run for run in world.runs() if run.occurrence_id == occurrence_id)


def test_a_second_run_is_skipped_and_names_the_first(index: World) -> None:
    first, second = order(index, "index", limit=1), order(index, "index", limit=2)
    assert (first.status, second.status) == ("QUEUED", "SKIPPED")
    assert second.reason == f"run {first.id} of this job is unfinished, and it is unique"
    assert second.finished_at == index.now


def test_the_occurrence_of_a_skipped_run_comes_to_its_outcome_at_once(index: World) -> None:
    order(index, "index")
    order(index, "index")
    assert [row.outcome for row in occurrence_rows(index)] == ["QUEUED", "SUCCESS"]


def test_it_may_run_again_when_the_first_has_ended(index: World) -> None:
    order(index, "index")
    hands = Hands(index)
    (run,) = hands.claim()
    assert order(index, "index").status == "SKIPPED"
    hands.end(run)
    assert order(index, "index").status == "QUEUED"


def test_other_parameters_are_another_run_and_defaults_count(index: World) -> None:
    orders = [order(index, "digest", **params) for params in ({}, {"limit": 5}, {"limit": 10})]
    assert [run.status for run in orders] == ["QUEUED", "QUEUED", "SKIPPED"]


def test_a_tick_skips_it_and_what_waits_for_it(index: World) -> None:
    running = order(index, "index")
    index.tick(TWO)
    ticked = {run.job_name: run for run in index.runs() if run.schedule_id}
    assert {name: run.status for name, run in ticked.items()} == {
        "index": "SKIPPED",
        "digest": "QUEUED",
        "publish": "SKIPPED",
    }
    assert ticked["index"].reason.startswith(f"run {running.id} of this job")
    assert ticked["publish"].reason == "index was skipped"


def test_of_two_schedules_in_one_tick_one_gets_it(world: World) -> None:
    world.define(a_schedule("one"), a_schedule("two"), jobs=[a_job("index", unique="job")])
    world.enable("one")
    world.enable("two")
    assert world.tick(TWO).runs == 2
    assert sorted(run.status for run in world.runs()) == ["QUEUED", "SKIPPED"]
    assert sorted(row.outcome for row in occurrence_rows(world)) == ["QUEUED", "SUCCESS"]


def test_a_run_that_goes_back_keeps_its_place(index: World) -> None:
    first = order(index, "index")
    hands = Hands(index)
    hands.end(*hands.claim(), end=FAILED)
    assert statuses(index) == {"index": "FAILED"}
    second = order(index, "index")
    with pytest.raises(Refused) as refused:
        retry_run(index.database, Act(index.now, TESTER), first.id, index.registry)
    assert str(refused.value) == (
        f"Run {first.id} (index) is unique, and run {second.id} of the same job is QUEUED. Wait "
        "for it to end or cancel it, then retry."
    )
    with pytest.raises(Refused):
        retry_occurrence(
            index.database, Act(index.now, TESTER), first.occurrence_id, index.registry
        )
    hands.end(*hands.claim())
    assert retry_run(index.database, Act(index.now, TESTER), first.id, index.registry)


def test_a_run_that_is_queued_while_a_retry_looks_is_noticed(
    index: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = order(index, "index")
    hands = Hands(index)
    hands.end(*hands.claim(), end=FAILED)
    order(index, "index")
    monkeypatch.setattr(requeue, "_check_unique", lambda *_: None)
    with pytest.raises(Refused, match="has just been queued"):
        retry_run(index.database, Act(index.now, TESTER), first.id, index.registry)
    assert [run.status for run in index.runs()] == ["FAILED", "QUEUED"]


@only_postgres
def test_of_two_who_order_at_one_moment_one_gets_it(index: World) -> None:
    first = order(index, "index")
    hands = Hands(index)
    hands.end(*hands.claim())
    again = sa.update(job_run).where(job_run.c.id == first.id).values(status="QUEUED")
    with ThreadPoolExecutor(1) as thread:
        with index.database.write.begin() as rival:
            rival.execute(again)
            second = thread.submit(order, index, "index")
            eventually(lambda: waits_for_a_lock(index))
        assert second.result().status == "SKIPPED"
