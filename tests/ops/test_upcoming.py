"""What fires next, and what going on would suppress."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.factories import TESTER, World, a_schedule
from tick.ops import control
from tick.ops.queries.upcoming import list_lanes
from tick.ops.upcoming import Undecided, Upcoming, count_undecided, list_upcoming

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def upcoming(world: World, count: int, **how: Any) -> list[Upcoming]:
    with world.database.read.connect() as connection:
        return list_upcoming(connection, world.now, count, **how)


def undecided(world: World, schedule_id: str = "daily") -> Undecided:
    with world.database.read.connect() as connection:
        return count_undecided(connection, schedule_id, world.now)


def two(world: World) -> World:
    world.define(a_schedule(), a_schedule("hourly", cron="30 * * * *", timezone="Asia/Kolkata"))
    world.enable()
    world.enable("hourly")
    return world


def test_all_schedules_come_in_one_order(world: World) -> None:
    found = [(item.at, item.schedule_id) for item in upcoming(two(world), 3)]
    assert found == [(TWO, "daily"), (TWO, "hourly"), (TWO + HOUR, "hourly")]


def test_it_ends_where_it_is_told(world: World) -> None:
    assert len(upcoming(two(world), 100, until=TWO + 3 * HOUR)) == 5


def test_what_is_paused_or_off_has_no_lane(world: World) -> None:
    two(world)
    with world.database.read.connect() as connection:
        before = list_lanes(connection, TWO, TWO + DAY)
    control.pause_schedule(world.database, "daily", now=world.now, author=TESTER, reason="disks")
    control.disable_schedule(world.database, "hourly", now=world.now, author=TESTER)
    with world.database.read.connect() as connection:
        after = list_lanes(connection, TWO, TWO + DAY)
    assert ([lane.schedule_id for lane in before], after) == (["daily", "hourly"], ())


def test_what_is_off_is_left_out_unless_asked_for(world: World) -> None:
    two(world).disable("hourly")
    assert {item.schedule_id for item in upcoming(world, 9)} == {"daily"}
    with_off = upcoming(world, 2, with_off=True)
    assert [(item.schedule_id, item.fires) for item in with_off] == [
        ("daily", True),
        ("hourly", False),
    ]


def test_what_lies_in_a_window_is_listed_and_does_not_fire(world: World) -> None:
    two(world)
    first = upcoming(world, 1)[0].at
    world.plan_window(first, first + timedelta(minutes=1))
    found = upcoming(world, 3)
    assert [item.fires for item in found if item.at == first] == [False, False]
    assert str(found[0].blackout).endswith("by tester: new disks")
    assert (found[-1].fires, found[-1].blackout) == (True, None)


def test_a_limited_number_of_runs_ends_the_list(world: World) -> None:
    world.define(a_schedule(max_runs=3))
    world.enable()
    world.tick(TWO)
    assert len(upcoming(world, 9)) == 2


def test_what_passed_during_a_pause_is_counted_before_it_ends(world: World) -> None:
    two(world)
    control.pause_schedule(world.database, "daily", now=world.now, author=TESTER, reason="why not")
    assert undecided(world) == Undecided(0)
    world.now = TWO + 3 * DAY + HOUR
    assert undecided(world) == Undecided(4, TWO, TWO + 3 * DAY)
    assert undecided(world, "hourly") == Undecided(0)
    assert undecided(world, "no-such") == Undecided(0)
