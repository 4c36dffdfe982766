"""Whatever makes a run ready says so to the workers, in its own transaction; nothing else does."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import psycopg
import pytest

from tests.engine.worker_steps import DEAD_AFTER, FAILED, Hands, only_postgres, rescue
from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.runs.wake_workers import CHANNEL, announce_ready
from tick.ops.actions import cancellation, clock_ahead, retries, run_now, workers_and_queues
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.states import OverlapPolicy
from tick.store.database import Database

pytestmark = only_postgres
TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
Ask: TypeAlias = Callable[[], int]


@pytest.fixture
def times_told(database: Database) -> Iterator[Ask]:
    """How often workers were told something since the last time, or since the test began."""
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")

        def ask() -> int:
            connection.execute(f"NOTIFY {CHANNEL}, 'all of it'")
            told = (notification.payload for notification in connection.notifies(timeout=30))
            return list(iter(told.__next__, "all of it")).count("")

        yield ask


@pytest.fixture
def world(world: World, times_told: Ask) -> World:
    """A chain of two jobs that is due, on a schedule that waits for itself."""
    jobs = [a_job("first", idempotent=True), a_job("second", depends_on=["first"])]
    world.define(a_schedule(overlap=OverlapPolicy.QUEUE_ONE), jobs=jobs)
    world.enable()
    assert times_told() == 0
    return world


def test_a_firing_is_told_once(world: World, times_told: Ask) -> None:
    assert world.tick(TWO).runs == 2
    assert times_told() == 1
    world.tick(TWO + timedelta(minutes=1))
    assert times_told() == 0


def test_a_run_that_a_person_asks_for_is_told(world: World, times_told: Ask) -> None:
    run_now.run_all(world.database, Act(world.now, TESTER), world.registry)
    assert times_told() == 1


def test_what_waited_for_an_end_is_told_and_claims_are_not(world: World, times_told: Ask) -> None:
    hands = Hands(world)
    world.tick(TWO)
    times_told()
    first = hands.claim()
    assert times_told() == 0
    hands.end(*first)
    assert times_told() == 1
    hands.end(*hands.claim())
    assert times_told() == 0


def test_the_end_of_an_occurrence_is_told_to_the_one_behind_it(
    world: World, times_told: Ask
) -> None:
    hands = Hands(world)
    world.tick(TWO)
    world.tick(TWO + timedelta(days=1))
    hands.end(*hands.claim())
    last = hands.claim()
    times_told()
    hands.end(*last)
    assert times_told() == 1
    assert hands.claim_names() == ["first"]


def test_a_run_that_goes_back_is_told(world: World, times_told: Ask) -> None:
    hands = Hands(world)
    world.tick(TWO)
    times_told()
    hands.finish(*hands.claim(), end=AttemptEnd(AttemptOutcome.RELEASED))
    assert times_told() == 1


def test_a_run_that_is_rescued_is_told(world: World, times_told: Ask) -> None:
    world.tick(TWO)
    Hands(world).claim()
    times_told()
    world.now += DEAD_AFTER + timedelta(seconds=1)
    assert rescue(world).queued == 1
    assert times_told() == 1


def test_a_run_that_a_clock_ahead_left_in_the_future_is_told_when_it_may_begin(
    world: World, times_told: Ask
) -> None:
    world.tick(TWO + timedelta(days=1))
    world.now = TWO
    times_told()
    clock_ahead.resume_all_from_now(world.database, Act(world.now, TESTER))
    assert times_told() == 1
    assert Hands(world).claim_names() == ["first"]


def test_a_retry_is_told(world: World, times_told: Ask) -> None:
    world.tick(TWO)
    Hands(world).work_off(first=FAILED)
    (failed, _) = world.runs()
    times_told()
    retries.retry_run(world.database, Act(world.now, TESTER), failed.id, world.registry)
    assert times_told() == 1


def test_a_queue_that_goes_on_is_told(world: World, times_told: Ask) -> None:
    workers_and_queues.pause_queue(
        world.database, Act(world.now, TESTER, reason="disk full"), "default"
    )
    assert times_told() == 0
    workers_and_queues.resume_queue(world.database, Act(world.now, TESTER), "default")
    assert times_told() == 1


def test_a_cancellation_is_told_to_what_waits_for_that_occurrence(
    world: World, times_told: Ask
) -> None:
    world.tick(TWO)
    world.tick(TWO + timedelta(days=1))
    first, *_ = world.runs()
    times_told()
    cancellation.cancel_occurrence(world.database, Act(world.now, TESTER), first.occurrence_id)
    assert times_told() == 1
    assert Hands(world).claim_names() == ["first"]


def test_what_is_rolled_back_is_not_told(world: World, times_told: Ask) -> None:
    with world.database.write.connect() as connection, connection.begin() as transaction:
        announce_ready(connection)
        transaction.rollback()
    assert times_told() == 0
