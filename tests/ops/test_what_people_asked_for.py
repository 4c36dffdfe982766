"""What a person asked for is neither late nor a mark of how well its schedule does."""

from datetime import UTC, datetime, timedelta

from tests.engine.worker_steps import FAILED, Hands, occurrence_rows
from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.ops.actions import run_now, switches
from tick.ops.queries.health import day_of_ticks, read_health, read_page_status
from tick.ops.queries.scheduler import read_status
from tick.ops.reports import statistics, why

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
EVENING = TWO + timedelta(hours=14)


def enable_and_catch_up(world: World, at: datetime) -> None:
    """Switch the schedule on, and let it fire its latest instant as somebody wishes."""
    switches.enable_schedule(world.database, Act(at, TESTER), "daily", catch_up_latest=True)
    world.tick(at)


def test_an_instant_that_was_asked_for_is_not_late(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("features")])
    enable_and_catch_up(world, EVENING)
    fired = next(row for row in occurrence_rows(world) if row.outcome == "QUEUED")
    assert (fired.scheduled_for, fired.late_seconds) == (TWO, None)
    Hands(world).work_off()
    world.tick(EVENING + timedelta(minutes=1))
    figures = statistics.gather(world.database, world.now).firings
    assert (figures.on_time, figures.delayed, figures.late.count) == (0, 0, 0)
    with world.database.read.connect() as connection:
        assert day_of_ticks(connection, world.now, 60).late_p95_seconds is None
        said = why.explain(connection, "daily", TWO, world.now).sentence
    assert said.endswith("fired, because somebody asked for it, and is SUCCESS.")


def test_firings_by_hand_are_no_part_of_a_schedules_success_rate(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("features")])
    world.enable()
    hands = Hands(world)
    world.tick(TWO)
    hands.work_off()
    run_now.run_schedule(world.database, Act(world.now, TESTER), "daily")
    hands.work_off(features=FAILED)
    world.tick(TWO + timedelta(minutes=1))
    found = {
        each.schedule_id: each for each in statistics.gather(world.database, world.now).schedules
    }
    assert (found["daily"].succeeded, found["daily"].failed) == (1, 0)
    assert (found[""].name, found[""].failed) == ("By hand", 1)
    assert (world.schedule().failure_count, world.schedule().consecutive_failures) == (0, 0)


def test_what_is_usual_is_not_told_before_the_third_tick(world: World) -> None:
    known = []
    for minute in range(4):
        world.tick(TWO + timedelta(minutes=minute))
        with world.database.read.connect() as connection:
            signs = read_page_status(connection, world.now, 90)
            known.append(read_health(connection, world.now, signs).learned)
    assert known == [False, False, True, True]


def test_the_status_before_the_first_tick_tells_of_the_sync_that_decided(world: World) -> None:
    world.define(a_schedule(every=timedelta(hours=1), anchor=TWO), jobs=[a_job("features")])
    world.enable()
    world.now = TWO + timedelta(seconds=30)
    with world.database.read.connect() as connection:
        assert read_status(connection, world.now, 90, "production").synced_at is None
    world.define(a_schedule(every=timedelta(hours=2), anchor=TWO), jobs=[a_job("features")])
    with world.database.read.connect() as connection:
        status = read_status(connection, world.now, 90, "production")
    assert (status.last_tick_at, status.synced_at) == (None, world.now)
