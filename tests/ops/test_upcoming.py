"""What fires next, and what going on would suppress."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.factories import TESTER, World, a_schedule
from tests.support.zones import fixed, released
from tick.cron.zone_data import using
from tick.engine.ledger.audit import Act
from tick.ops.actions import switches, windows
from tick.ops.queries.courses import read_course, read_courses
from tick.ops.reports.deploy_plan import plan_deploy
from tick.ops.reports.lanes import find_collisions, find_companions, list_lanes, next_in_lanes
from tick.ops.reports.upcoming import (
    Undecided,
    UpcomingInstant,
    count_undecided,
    list_next,
    list_upcoming,
    resumed_next,
)
from tick.ops.reports.why import explain
from tick.states import FIRED_OUTCOMES

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VANCOUVER = "America/Vancouver"


@pytest.fixture
def using_older() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Vancouver's clocks at UTC-7, and for a while by older data at UTC-8."""
    older = released("2025b", {VANCOUVER: fixed(-8)})
    with using(released("2026f", {VANCOUVER: fixed(-7)})):
        yield lambda: using(older)


def upcoming(world: World, count: int, **how: Any) -> list[UpcomingInstant]:
    with world.database.read.connect() as connection:
        return list_upcoming(connection, world.now, count, **how)


def undecided(world: World, schedule_id: str = "daily") -> Undecided:
    with world.database.read.connect() as connection:
        return count_undecided(read_course(connection, schedule_id, world.now))


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
        before = list_lanes(connection, world.now, TWO, TWO + DAY)
    switches.pause_schedule(world.database, Act(world.now, TESTER, reason="disks"), "daily")
    switches.disable_schedule(world.database, Act(world.now, TESTER), "hourly")
    with world.database.read.connect() as connection:
        after = list_lanes(connection, world.now, TWO, TWO + DAY)
    assert ([lane.schedule_id for lane in before], after) == (["hourly", "daily"], ())


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
    switches.pause_schedule(world.database, Act(world.now, TESTER, reason="why not"), "daily")
    assert undecided(world) == Undecided(0)
    world.now = TWO + 3 * DAY + HOUR
    assert undecided(world) == Undecided(4, TWO, TWO + 3 * DAY)
    assert undecided(world, "hourly") == Undecided(0)
    assert undecided(world, "no-such") == Undecided(0)


def limited(world: World) -> None:
    world.define(a_schedule(cron="0 * * * *", max_runs=3))
    world.enable()


def limited_and_begun(world: World) -> None:
    limited(world)
    world.tick(TWO)
    world.finish_runs()


def used_up(world: World) -> None:
    world.define(a_schedule(cron="*/10 * * * *", max_runs=1))
    world.enable()
    world.tick(TWO)
    world.finish_runs()


def beyond_a_window(world: World) -> None:
    world.define(a_schedule(cron="0 * * * *", max_runs=3))
    world.enable()
    world.plan_window(world.now + HOUR, world.now + 3 * HOUR)


def paused_for_a_time(world: World) -> None:
    world.define(a_schedule(cron="0 * * * *", max_runs=4))
    world.enable()
    switches.pause_schedule(
        world.database,
        Act(world.now, TESTER, reason="disks"),
        "daily",
        until=(world.now + 3 * HOUR).replace(minute=0),
    )


def paused(world: World) -> None:
    world.define(a_schedule(cron="0 * * * *"))
    world.enable()
    switches.pause_schedule(world.database, Act(world.now, TESTER, reason="disks"), "daily")


def bounded(world: World) -> None:
    world.define(
        a_schedule(
            every=timedelta(minutes=45),
            anchor=world.now,
            starts_at=world.now + 2 * HOUR,
            ends_at=world.now + 9 * HOUR,
        )
    )
    world.enable()


def stopped(world: World) -> None:
    world.define(a_schedule(cron="0 * * * *", max_runs=4))
    world.enable()
    windows.stop_scheduler(world.database, Act(world.now, TESTER, reason="disks"))


SCENES = [
    limited,
    limited_and_begun,
    used_up,
    beyond_a_window,
    paused_for_a_time,
    paused,
    bounded,
    stopped,
    World.disable,
]


@pytest.mark.parametrize("scene", SCENES)
def test_every_list_of_instants_is_what_the_ticks_then_fire(
    world: World, scene: Callable[[World], object]
) -> None:
    world.define(a_schedule(cron="0 * * * *"))
    world.enable()
    scene(world)
    now, end = world.now, world.now + 12 * HOUR
    with world.database.read.connect() as connection:
        lists = {
            "upcoming": [item.at for item in upcoming(world, 99, until=end) if item.fires],
            "lanes": [at for lane in list_lanes(connection, now, now, end) for at in lane.instants],
            "later lanes": [
                at
                for start in (now, now + 4 * HOUR, now + 8 * HOUR)
                for lane in list_lanes(connection, now, start, start + 4 * HOUR)
                for at in lane.instants
            ],
            "one": [
                item.at
                for item in list_next(connection, "daily", now, 99)
                if item.fires and item.at <= end
            ],
            "companions": sorted(
                find_companions(
                    read_courses(connection, now),
                    "other",
                    [now + minutes * timedelta(minutes=1) for minutes in range(1, 12 * 60 + 1)],
                )
            ),
        }
        assert not any(
            "is still to come" in explain(connection, "daily", at, now).sentence
            for at in _hours(now, end)
            if at not in lists["upcoming"]
        )
        assert all(
            "is still to come" in explain(connection, "daily", at, now).sentence
            for at in lists["upcoming"]
        )
    before = len(_fired(world))
    while world.now < end:
        world.now += timedelta(minutes=1)
        # All that these scenes define fires at one of the first two.
        if world.now.minute % 15 in (14, 0, 1, 7) and world.tick().fired_count:
            world.finish_runs()
    fired = _fired(world)[before:]
    assert lists == dict.fromkeys(lists, fired)


def _hours(now: datetime, end: datetime) -> list[datetime]:
    first = now.replace(minute=0) + HOUR
    return [first + number * HOUR for number in range((end - first) // HOUR + 1)]


def _fired(world: World) -> list[datetime]:
    return [at for outcome, at, _ in world.ledger() if at and outcome in FIRED_OUTCOMES]


def test_no_schedule_is_left_out_because_there_are_many(world: World) -> None:
    world.define(
        *(a_schedule(f"s{number:03}", cron="0 5 * * *") for number in range(120)),
        a_schedule("zz-soon", cron="5 * * * *"),
    )
    for schedule_id in world.registry.schedules:
        world.enable(schedule_id)
    with world.database.read.connect() as connection:
        lanes = list_lanes(connection, world.now, world.now, world.now + DAY)
    assert (len(lanes), lanes[0].schedule_id) == (121, "zz-soon")
    assert next_in_lanes(lanes, 3) == upcoming(world, 3)
    assert {len(names) for names in find_collisions(lanes).values()} == {120}


def test_each_schedule_can_be_listed_once(world: World) -> None:
    world.define(a_schedule("often", cron="* * * * *"), a_schedule("seldom"))
    world.enable("often")
    world.enable("seldom")
    assert [item.schedule_id for item in upcoming(world, 5)].count("often") >= 4
    found = upcoming(world, 5, once_each=True)
    assert [item.schedule_id for item in found] == ["often", "seldom"]


def test_what_would_fire_once_it_goes_on_is_shown_before(world: World) -> None:
    world.define(a_schedule(cron="0 * * * *", max_runs=2))
    world.enable()
    switches.pause_schedule(world.database, Act(world.now, TESTER, reason="disks"), "daily")
    world.now += 5 * HOUR
    with world.database.read.connect() as connection:
        found = resumed_next(connection, "daily", world.now, 9)
    assert [(item.at, item.fires) for item in found] == [
        (at, True) for at in _hours(world.now, world.now + 2 * HOUR)
    ]


def test_an_instant_beyond_the_limit_is_said_to_be_so(world: World) -> None:
    limited(world)
    with world.database.read.connect() as connection:
        third = explain(connection, "daily", _hours(world.now, NOON)[2], world.now).sentence
        fourth = explain(connection, "daily", _hours(world.now, NOON)[3], world.now).sentence
    assert third.endswith("is still to come.")
    assert fourth.endswith(
        "will not fire: only 3 runs are left of its limit of 3, and go to earlier instants."
    )


def test_a_deploy_promises_no_more_than_the_limit_leaves(world: World) -> None:
    limited_and_begun(world)
    world.schedules = (a_schedule(cron="30 * * * *", max_runs=3),)
    with world.database.read.connect() as connection:
        change = plan_deploy(connection, world.registry, world.now).changes[0]
    assert (len(change.next_before), len(change.next_after)) == (2, 2)


def test_a_host_with_older_zone_data_lists_instants_by_the_data_in_force(
    world: World, using_older: Callable[[], AbstractContextManager[None]]
) -> None:
    rules = {"cron": "0 9 * * *", "timezone": VANCOUVER}
    world.define(a_schedule(**rules), a_schedule("second", **rules))
    for name in ("daily", "second"):
        world.enable(name)
    world.tick()
    nine = NOON + 4 * HOUR
    with using_older(), world.database.read.connect() as connection:
        assert {item.at for item in upcoming(world, 2)} == {nine}
        assert [item.at for item in list_next(connection, "daily", world.now, 2)] == [
            nine,
            nine + DAY,
        ]
        lanes = list_lanes(connection, world.now, world.now, nine + HOUR)
        assert {lane.instants for lane in lanes} == {(nine,)}
        courses = read_courses(connection, world.now)
        assert find_companions(courses, "daily", [nine, nine + HOUR]) == {nine: ("Second",)}
