"""Backlogs, limits of runs and the storm brake, through the real tick."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tick.engine.schedules import lifecycle
from tick.store.tables import occurrence

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def enabled(world: World, *ids: str, **parts: Any) -> World:
    """The world with some enabled schedules."""
    world.define(*(a_schedule(name, **parts) for name in ids))
    for name in ids:
        world.enable(name)
    return world


def allow_runs(world: World, most: int) -> None:
    world.settings = world.settings.model_copy(update={"max_runs_per_tick": most})


def test_a_backlog_that_may_overlap_is_caught_up_in_one_tick_oldest_first(world: World) -> None:
    enabled(world, "minutely", cron="* * * * *", missed="CATCH_UP_ALL", overlap="ALLOW")
    result = world.tick(TWO + 5 * MINUTE)
    assert [line.scheduled_for for line in result.fired] == [
        TWO + minute * MINUTE for minute in range(6)
    ]
    assert not result.more
    assert [line.scheduled_for for line in world.tick(TWO + 6 * MINUTE).fired] == [TWO + 6 * MINUTE]


def test_a_backlog_that_must_not_overlap_is_caught_up_one_a_tick(world: World) -> None:
    enabled(world, "hourly", cron="0 * * * *", missed="CATCH_UP_ALL")
    for minute in range(3):
        fired = world.tick(TWO + 4 * HOUR + minute * MINUTE).fired
        assert [line.scheduled_for for line in fired] == [TWO + minute * HOUR]
        world.finish_runs()


def test_a_backlog_stops_at_the_brake_and_goes_on_with_the_next_tick(world: World) -> None:
    allow_runs(world, 2)
    enabled(world, "minutely", cron="* * * * *", missed="CATCH_UP_ALL", overlap="ALLOW")
    assert [world.tick(TWO + (4 + n) * MINUTE).runs for n in range(3)] == [2, 2, 2]
    assert [count for _, _, count in world.ledger("minutely")] == [1] * 6


def test_what_a_used_up_limit_leaves_due_is_one_suppressed_row(world: World) -> None:
    catch_up = {"missed": "CATCH_UP_ALL", "overlap": "ALLOW"}
    enabled(world, "hourly", cron="0 * * * *", max_runs=2, **catch_up)
    world.tick(TWO + 5 * HOUR)
    assert world.ledger("hourly") == [
        ("QUEUED", TWO, 1),
        ("QUEUED", TWO + HOUR, 1),
        ("SUPPRESSED", TWO + 2 * HOUR, 4),
    ]
    o = occurrence.c
    (said,) = world.rows(sa.select(o.reason).where(o.outcome == "SUPPRESSED"))
    assert said.reason == "its limit of 2 runs was used up"
    assert world.schedule("hourly").next_run_at is None


def test_a_used_up_run_limit_leaves_one_suppressed_row_after_an_outage(world: World) -> None:
    enabled(world, "hourly", cron="0 * * * *", max_runs=1)
    world.tick(TWO)
    world.finish_runs()
    world.disable("hourly")
    world.enable("hourly")
    world.tick(TWO + 4 * HOUR)
    assert world.ledger("hourly") == [("SUCCESS", TWO, 1), ("SUPPRESSED", TWO + HOUR, 4)]


def test_the_brake_counts_runs_and_not_schedules(world: World) -> None:
    allow_runs(world, 10)
    world.jobs = [a_job(f"j{number}") for number in range(4)]
    ids = [f"s{number}" for number in range(6)]
    enabled(world, *ids)
    assert world.tick(TWO).runs == 12  # the firing that reaches the limit is not cut
    assert world.tick(TWO + MINUTE).runs == 12
    assert [world.ledger(id) for id in ids] == [[("QUEUED", TWO, 1)]] * 6


def test_a_firing_of_more_jobs_than_one_tick_may_make_goes_alone(world: World) -> None:
    allow_runs(world, 10)
    world.jobs = [a_job(f"j{number}") for number in range(20)]
    enabled(world, "one", "two")
    assert [world.tick(TWO + minute * MINUTE).runs for minute in range(3)] == [20, 20, 0]


def test_the_brake_lets_what_has_been_due_for_longest_go_first(world: World) -> None:
    allow_runs(world, 1)
    world.now = TWO - 5 * MINUTE
    world.define(
        a_schedule("a", cron="0 2 * * *"),
        a_schedule("b", cron="58 1 * * *"),
        a_schedule("c", cron="59 1 * * *"),
    )
    for name in "abc":
        world.enable(name)
    went = [
        [line.schedule_id for line in world.tick(TWO + second * SECOND).fired]
        for second in (0, 30, 60)
    ]
    assert went == [["b"], ["c"], ["a"]]


def test_the_brake_cancels_nothing_of_what_it_puts_off(world: World) -> None:
    world.jobs = [a_job("a")]
    enabled(world, "one", "two", cron="*/5 * * * *", overlap="REPLACE")
    world.tick(TWO)
    allow_runs(world, 1)
    world.tick(TWO + 5 * MINUTE)
    statuses = sorted((run.status, run.scheduled_for) for run in world.runs())
    assert statuses == [
        ("CANCELLED", TWO),
        ("QUEUED", TWO),
        ("QUEUED", TWO + 5 * MINUTE),
    ]


def reasons(world: World, schedule_id: str) -> list[tuple[str, str | None]]:
    """The schedule's ledger as (outcome, reason), in order."""
    o = occurrence.c
    statement = sa.select(o.outcome, o.reason).where(o.schedule_id == schedule_id)
    return [(row.outcome, row.reason) for row in world.rows(statement.order_by(o.scheduled_for))]


def minutely_under_the_brake(world: World) -> list[str]:
    """Six schedules of three jobs a minute, of which a tick fires two, seen by three ticks."""
    world.settings = world.settings.model_copy(
        update={"max_runs_per_tick": 5, "chunk_schedules": 1}
    )
    world.jobs = [a_job(f"j{number}") for number in range(3)]
    ids = [f"s{number}" for number in range(6)]
    enabled(world, *ids, cron="* * * * *", overlap="ALLOW")
    world.now = TWO
    for minute in (0, 1, 2):
        world.tick(TWO + minute * MINUTE + 30 * SECOND)
    return ids


def test_no_instant_that_the_brake_held_is_called_missed(world: World) -> None:
    for id in minutely_under_the_brake(world):
        said = reasons(world, id)
        assert {outcome for outcome, _ in said} <= {"QUEUED", "COALESCED"}, said


def test_what_the_brake_leaves_due_is_more_to_do(world: World) -> None:
    allow_runs(world, 1)
    enabled(world, "one", "two")
    assert world.tick(TWO).more
    assert not world.tick(TWO + MINUTE).more


def test_an_instant_that_the_brake_held_too_long_is_held_and_says_so(world: World) -> None:
    allow_runs(world, 1)
    enabled(world, "one", "two", cron="0 * * * *")
    world.tick(TWO)
    world.tick(TWO + 10 * MINUTE)  # the next tick is late, and that is not why it did not fire
    ((outcome, reason),) = reasons(world, "two")
    assert outcome == "HELD"
    assert reason is not None
    assert reason.startswith("the storm brake held it")
    assert world.schedule("two").deferred_to is None


def test_instants_missed_after_a_held_one_are_missed(world: World) -> None:
    allow_runs(world, 1)
    enabled(world, "one", "two", cron="* * * * *", overlap="ALLOW")
    world.tick(TWO)
    allow_runs(world, 100)
    world.tick(TWO + 10 * MINUTE)
    assert world.ledger("two") == [
        ("COALESCED", TWO, 1),
        ("MISSED", TWO + MINUTE, 7),
        ("COALESCED", TWO + 8 * MINUTE, 2),
        ("QUEUED", TWO + 10 * MINUTE, 1),
    ]


def test_what_was_missed_before_the_brake_is_not_blamed_on_it(world: World) -> None:
    allow_runs(world, 1)
    enabled(world, "one", "two", cron="*/10 * * * *", overlap="ALLOW")
    world.tick(TWO + 20 * MINUTE)
    world.tick(TWO + 50 * MINUTE)
    ((first, why), *_) = reasons(world, "two")
    assert (first, why) == (
        "MISSED",
        "no tick came in time; the next one came 2026-03-01 02:20:00 UTC",
    )


def test_what_could_not_be_fired_in_time_says_the_error(world: World) -> None:
    enabled(world, "one")
    with world.database.write.begin() as connection:
        lifecycle.back_off(connection, "one", now=TWO + SECOND, error="no room")
    world.tick(TWO + HOUR)
    assert reasons(world, "one") == [
        ("MISSED", "it could not be fired: no room; it was too late at 2026-03-01 03:00:00 UTC")
    ]
