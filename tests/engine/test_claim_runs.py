"""Which runs a worker may claim, and that nobody else gets them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import (
    FAILED,
    Hands,
    change_run,
    occurrence_rows,
    only_postgres,
    statuses,
)
from tests.support.factories import World, a_job, a_schedule
from tick.define.jobs import JobDefinition
from tick.engine.runs.claim import held_runs
from tick.engine.runs.job_logs import write_progress
from tick.engine.runs.settle import settle_occurrences
from tick.executors.executor import ProgressReport

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
CHAIN = (
    a_job("features"),
    a_job("scores", depends_on=["features"]),
    a_job("trending", priority=5, queue="fast"),
)


def fired(world: World, *jobs: JobDefinition) -> World:
    """The world in which the daily schedule over these jobs has just fired."""
    world.define(a_schedule(), jobs=jobs)
    world.enable()
    world.tick(TWO)
    return world


@pytest.fixture
def chain(world: World) -> World:
    """features → scores, and trending beside them."""
    return fired(world, *CHAIN)


def test_independent_runs_are_claimed_first_by_priority(
    chain: World,
) -> None:
    assert Hands(chain).claim_names() == ["trending", "features"]


def test_a_claim_marks_the_run_and_its_occurrence_as_running(chain: World) -> None:
    hands = Hands(chain)
    (claimed,) = hands.claim(limit=1)
    run = next(run for run in chain.runs() if run.job_name == "trending")
    assert (run.status, run.attempt, run.fencing_token) == ("RUNNING", 1, 1)
    assert (run.worker_id, run.started_at) == (hands.worker_id, TWO)
    assert run.deadline_at == claimed.deadline == TWO + timedelta(hours=1)
    (row,) = occurrence_rows(chain)
    assert (row.outcome, row.first_started_at) == ("RUNNING", TWO)


def test_a_claimed_run_is_not_claimed_again(chain: World) -> None:
    hands = Hands(chain)
    assert len(hands.claim()) == 2
    assert Hands(chain).claim() == []


def test_a_worker_holds_what_it_claimed_until_it_has_ended(chain: World) -> None:
    hands = Hands(chain)
    ended, running = hands.claim()
    Hands(chain).claim()
    hands.end(ended)
    with chain.database.read.connect() as connection:
        assert [held.run for held in held_runs(connection, hands.worker_id)] == [running]


def test_a_run_is_ready_when_its_upstream_succeeded(chain: World) -> None:
    hands = Hands(chain)
    hands.end(*hands.claim())
    assert hands.claim_names() == ["scores"]


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "SKIPPED"])
def test_a_run_never_starts_after_an_upstream_that_did_not_succeed(
    chain: World, status: str
) -> None:
    change_run(chain, "features", status=status)
    assert Hands(chain).claim_names() == ["trending"]


def test_a_further_attempt_begins_without_what_the_one_before_it_said(world: World) -> None:
    fired(world, a_job("features", retries=1))
    hands = Hands(world)
    (run,) = hands.claim()
    with world.database.write.begin() as connection:
        write_progress(connection, [ProgressReport(run, 0.5, "half")])
    hands.end(run, end=FAILED)
    world.now += timedelta(hours=1)
    hands.claim()
    (again,) = world.runs()
    assert (again.attempt, again.progress, again.progress_text, again.reason) == (
        2,
        None,
        None,
        None,
    )


def test_a_tolerant_run_is_ready_when_its_upstream_ended_in_any_way(world: World) -> None:
    fired(world, CHAIN[0], a_job("scores", depends_on=["features"], tolerates={"features"}))
    hands = Hands(world)
    hands.end(*hands.claim(), end=FAILED)
    assert hands.claim_names() == ["scores"]


def test_an_always_job_runs_after_upstreams_that_were_skipped(world: World) -> None:
    fired(world, *CHAIN[:2], a_job("clean-up", depends_on=["scores"], always=True))
    hands = Hands(world)
    hands.end(*hands.claim(), end=FAILED)
    assert statuses(world)["scores"] == "SKIPPED"
    assert hands.claim_names() == ["clean-up"]


def test_a_run_waits_until_it_is_available(chain: World) -> None:
    change_run(chain, "trending", available_at=TWO + timedelta(seconds=1))
    hands = Hands(chain)
    assert hands.claim_names() == ["features"]
    chain.now += timedelta(seconds=1)
    assert hands.claim_names() == ["trending"]


def test_a_run_whose_cancellation_was_asked_for_is_not_claimed(chain: World) -> None:
    change_run(chain, "trending", cancel_requested_at=TWO)
    assert Hands(chain).claim_names() == ["features"]


def test_a_worker_serves_the_queues_it_was_given(chain: World) -> None:
    assert [run.job_name for run in Hands(chain).claim(queues=["fast"])] == ["trending"]
    assert Hands(chain).claim(queues=["slow"]) == []


def test_a_job_that_the_worker_does_not_know_waits_for_one_that_does(chain: World) -> None:
    older = World(chain.database, chain.now, jobs=CHAIN[:1])
    assert Hands(older).claim_names() == ["features"]
    assert Hands(chain).claim_names() == ["trending"]


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_claim_takes_no_more_than_its_limit(chain: World, limit: int) -> None:
    assert len(Hands(chain).claim(limit)) == limit


def test_the_runs_of_an_occurrence_wait_for_the_one_that_blocks_it(world: World) -> None:
    world.define(a_schedule(overlap="QUEUE_ONE", every=timedelta(minutes=1)), jobs=CHAIN[:1])
    world.enable()
    first = world.now + timedelta(minutes=1)
    world.tick(first)
    world.tick(first + timedelta(minutes=1))
    hands = Hands(world)
    running = hands.claim()
    assert len(running) == 1
    assert hands.claim() == []
    hands.end(*running)
    assert hands.claim_names() == ["features"]


@only_postgres
def test_two_claims_at_one_moment_take_different_runs(chain: World) -> None:
    one, other = Hands(chain), Hands(chain)
    with chain.database.write.begin() as first, chain.database.write.begin() as second:
        taken = [names(one.claim_in(first, 1)), names(other.claim_in(second, 1))]
    assert taken == [["trending"], ["features"]]


def names(runs: Sequence[object]) -> list[str]:
    """The jobs' names."""
    return [run.job_name for run in runs]  # type: ignore[attr-defined]


def test_only_idempotent_runs_are_claimed_ahead_and_not_started(
    world: World,
) -> None:
    fired(world, a_job("once"), a_job("again", idempotent=True))
    assert [run.job_name for run in Hands(world).claim(ahead=True)] == ["again"]
    runs = {run.job_name: run for run in world.runs()}
    assert (runs["again"].status, runs["again"].started_at) == ("RUNNING", None)
    assert runs["once"].status == "QUEUED"


def test_an_occurrence_whose_only_claimed_run_has_not_started_is_running(world: World) -> None:
    fired(world, a_job("once"), a_job("again", idempotent=True))
    hands = Hands(world)
    (ahead,) = hands.claim(ahead=True)
    with world.database.write.begin() as connection:
        settle_occurrences(connection, [ahead.occurrence_id], world.now)
    assert [row.outcome for row in occurrence_rows(world)] == ["RUNNING"]


def test_a_claim_walks_along_the_queue_and_not_through_the_history(chain: World) -> None:
    """With an empty queue among thousands of ended runs it reads next to nothing."""
    hands, plans = Hands(chain), []

    def explain(
        connection: sa.Connection, _cursor: Any, statement: str, values: Any, *_: Any
    ) -> None:
        if statement.startswith("WITH picked"):
            word = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
            rows = connection.connection.cursor()
            rows.execute(word + statement, values)
            plans.append("\n".join(str(row) for row in rows.fetchall()))

    sa.event.listen(chain.database.write, "before_cursor_execute", explain)
    with chain.database.write.begin() as connection:
        if connection.dialect.name == "postgresql":
            # For a handful of rows any way is as good; what is asked is which are open.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        hands.claim_in(connection)
    (plan,) = plans
    assert "ix_job_run_claimable" in plan
    assert "ix_job_run_job_name_id" not in plan
