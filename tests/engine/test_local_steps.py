"""Steps in local days, from the definition to the proof."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tests.support.zones import fixed, released
from tick import Calendar, business_day, last_day, last_weekday, nearest_weekday
from tick.cron.zone_data import using
from tick.define.steps import Step, days, months, weeks
from tick.engine.ledger.audit import Act
from tick.ops.actions import custom_schedules
from tick.ops.queries.descriptions import describe_timing
from tick.ops.reports.deploy_plan import plan_deploy
from tick.ops.reports.upcoming import list_next
from tick.ops.reports.verify import verify
from tick.ops.reports.why import explain
from tick.policy import instants
from tick.store.tables import schedule_version, zone_data

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2027, 1, 1, tzinfo=UTC)
ANCHOR = date(2027, 1, 31)


def start(world: World, every: Step, now: datetime = START, **parts: object) -> World:
    """A schedule with these steps in Berlin, switched on."""
    world.now = now
    world.define(a_schedule(**{"every": every, "timezone": "Europe/Berlin", **parts}))
    world.enable()
    return world


def fired(world: World) -> list[str]:
    """The instants of its firings on the clock of Berlin."""
    return [f"{at.astimezone(BERLIN):%m-%d %H:%M}" for _, at, _ in world.ledger() if at]


def test_a_year_of_month_ends_fires_each_of_them_once_and_is_proven(world: World) -> None:
    start(world, months(1, at="02:30"), anchor=ANCHOR, missed="CATCH_UP")
    while (due := world.schedule().next_run_at) < START + 365 * DAY:
        world.tick(due + 5 * MINUTE)
        world.finish_runs()
    assert fired(world) == [
        *("01-31 02:30", "02-28 02:30", "03-31 02:30", "04-30 02:30", "05-31 02:30", "06-30 02:30"),
        *("07-31 02:30", "08-31 02:30", "09-30 02:30", "10-31 02:30", "11-30 02:30", "12-31 02:30"),
    ]
    found = verify(world.database, START, world.now)
    assert (found.violations, found.instants) == ((), 12)


@pytest.mark.parametrize("missed", ["SKIP", "CATCH_UP", "CATCH_UP_ALL"])
def test_a_year_with_outages_is_proven_whatever_the_policy(world: World, missed: str) -> None:
    start(world, days(3, at="02:30"), missed=missed, jitter=600.0, max_runs=100)
    for hours in (1, 30, 200, 71) * 29:
        world.tick(world.now + hours * HOUR)
        world.finish_runs()
    found = verify(world.database, START, world.now)
    assert found.violations == ()
    assert found.instants == instants.count(a_rule(missed), START, world.now)


def a_rule(missed: str) -> instants.Rule:
    parts = {"every": days(3, at="02:30"), "timezone": "Europe/Berlin", "jitter": 600.0}
    return a_schedule(**parts, missed=missed).rule()


def test_a_time_in_the_gap_fires_at_the_first_valid_minute_and_a_repeated_one_once(
    world: World,
) -> None:
    start(world, weeks(1, on="sun", at="02:30"), now=datetime(2027, 3, 25, tzinfo=UTC))
    world.tick(datetime(2027, 3, 28, 1, 0, tzinfo=UTC))
    assert fired(world) == ["03-28 03:00"]
    world.finish_runs()
    world.tick(datetime(2027, 10, 31, 0, 30, tzinfo=UTC))
    world.finish_runs()
    world.tick(datetime(2027, 10, 31, 1, 30, tzinfo=UTC))
    assert world.ledger()[-1][1] == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_its_version_names_the_zone_data_and_newer_ones_move_its_next_instant(
    world: World,
) -> None:
    nine = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    zone = "America/Vancouver"
    with using(released("2025b", {zone: fixed(-8)})):
        start(world, days(1, at="09:00"), now=nine - HOUR - DAY, timezone=zone)
        assert world.schedule().next_run_at == nine - DAY
        world.tick(nine - DAY)
        world.finish_runs()
    named = sa.select(zone_data.c.zone).join(
        schedule_version, schedule_version.c.zone_data_id == zone_data.c.id
    )
    assert [row.zone for row in world.rows(named)] == [zone]
    with using(released("2026f", {zone: fixed(-7)})):
        world.tick(nine - 5 * HOUR)
        assert world.schedule().next_run_at == nine - HOUR
        world.tick(nine - HOUR)
        world.finish_runs()
        assert [at for _, at, _ in world.ledger()] == [nine - DAY, nine - HOUR]
        assert verify(world.database, nine - 30 * DAY, world.now).violations == ()


def test_a_version_with_steps_is_left_alone_by_older_releases_and_others_are_not(
    world: World,
) -> None:
    start(world, days(2))
    world.define(a_schedule(every=timedelta(days=2)))
    formats = sa.select(schedule_version.c.rule_format).order_by(schedule_version.c.number)
    assert [row.rule_format for row in world.rows(formats)] == [2, 1]


def test_upcoming_why_and_the_plan_of_a_deploy_know_the_steps(world: World) -> None:
    start(world, days(1, at="02:30"), now=datetime(2027, 3, 26, 12, tzinfo=UTC))
    with world.database.read.connect() as connection:
        assert [
            f"{item.at:%m-%d %H:%M}" for item in list_next(connection, "daily", world.now, 3)
        ] == [
            *("03-27 01:30", "03-28 01:00", "03-29 00:30"),
        ]
        no_instant = datetime(2027, 3, 26, 20, tzinfo=UTC)
        assert "Every day at 02:30 (Europe/Berlin)" in str(
            explain(connection, "daily", no_instant, world.now)
        )
    every, anchor = days(2, at="02:30"), date(2027, 3, 26)
    world.schedules = (a_schedule(every=every, anchor=anchor, timezone="Europe/Berlin"),)
    with world.database.read.connect() as connection:
        plan = plan_deploy(connection, world.registry, world.now)
    (change,) = plan.changes
    assert change.before == "Every day at 02:30 (Europe/Berlin)"
    assert change.after == "Every 2 days at 02:30, counted from 2027-03-26 (Europe/Berlin)"
    assert plan.clock_changes[0].at == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_steps_heed_a_calendar_on_the_days_of_their_zone(world: World) -> None:
    world.calendars = [Calendar("plant", dates={"2027-03-30": "Founders' Day"})]
    now = datetime(2027, 3, 26, 12, tzinfo=UTC)
    start(world, days(1, at="00:30"), now=now, calendar="plant")
    rule = world.registry.schedules["daily"].rule()
    for at in instants.between(rule, now, None, 5):
        world.tick(at + MINUTE)
        world.finish_runs()
    assert [
        (f"{at.astimezone(BERLIN):%a %d}", outcome) for outcome, at, _ in world.ledger() if at
    ] == [
        ("Sat 27", "BLACKOUT"),
        ("Sun 28", "BLACKOUT"),
        ("Mon 29", "SUCCESS"),
        ("Tue 30", "BLACKOUT"),
        ("Wed 31", "SUCCESS"),
    ]
    assert verify(world.database, now, world.now).violations == ()
    words = describe_timing(rule.to_json()).words
    assert words == "Every day at 00:30, only on business days of plant"


def test_steps_by_hand_are_stored_edited_and_read_again_by_a_sync(world: World) -> None:
    world.define(a_schedule("other"), jobs=[a_job("a")])
    act, every = Act(world.now, TESTER), {"months": 1, "at": "18:00"}
    written = {"name": "Ends", "every": every, "anchor": "2027-01-31", "job": "a"}
    custom_schedules.create_schedule(world.database, act, world.registry, written, enabled=True)
    assert world.schedule("ends").next_run_at == datetime(2027, 1, 31, 18, tzinfo=UTC)
    given = {"timezone": "Europe/Berlin", "every": {"months": 2, "at": "09:00"}}
    custom_schedules.edit_schedule(world.database, act, "ends", world.registry, given)
    assert world.schedule("ends").next_run_at == datetime(2027, 1, 31, 8, tzinfo=UTC)
    world.define(a_schedule("other"), a_schedule("another"))
    assert world.schedule("ends").state == "ACTIVE"


def test_business_days_of_a_month_go_by_the_calendar_and_a_sync_moves_them(world: World) -> None:
    # The first business day is Friday, 1 January; Monday, the 4th, is a holiday.
    world.calendars = [Calendar("plant", dates={"2027-01-04": "Founders' Day"})]
    start(world, months(1, on=business_day(2), at="02:30"), calendar="plant")
    assert world.schedule().next_run_at == datetime(2027, 1, 5, 1, 30, tzinfo=UTC)
    world.calendars = [Calendar("plant", dates={"2027-01-05": "Works council"})]
    world.define(*world.schedules)
    assert world.schedule().next_run_at == datetime(2027, 1, 4, 1, 30, tzinfo=UTC)
    while (due := world.schedule().next_run_at) < START + 365 * DAY:
        world.tick(due + MINUTE)
        world.finish_runs()
    assert fired(world) == [
        *("01-04 02:30", "02-02 02:30", "03-02 02:30", "04-02 02:30", "05-04 02:30", "06-02 02:30"),
        *("07-02 02:30", "08-03 02:30", "09-02 02:30", "10-04 02:30", "11-02 02:30", "12-02 02:30"),
    ]
    assert {outcome for outcome, _, _ in world.ledger()} == {"SUCCESS"}
    assert verify(world.database, START, world.now).violations == ()
    rule = world.registry.schedules["daily"].rule()
    words = "Every month on the 2nd business day of plant at 02:30"
    assert describe_timing(rule.to_json()).words == words


def test_a_version_with_such_a_day_is_left_alone_by_releases_that_know_plain_steps(
    world: World,
) -> None:
    start(world, months(1, on=last_day(-3)))
    formats = sa.select(schedule_version.c.rule_format)
    assert [row.rule_format for row in world.rows(formats)] == [3]


@pytest.mark.parametrize("missed", ["SKIP", "CATCH_UP", "CATCH_UP_ALL"])
@pytest.mark.parametrize("on", [business_day(-1), nearest_weekday(31), last_weekday()])
def test_years_with_outages_are_proven_whatever_the_day(world: World, missed: str, on: str) -> None:
    step = months(1, on=on, at="02:30")
    start(world, step, missed=missed, jitter=600.0)
    for hours in (1, 300, 2000, 710) * 6:
        world.tick(world.now + hours * HOUR)
        world.finish_runs()
    found = verify(world.database, START, world.now)
    rule = a_schedule(every=step, timezone="Europe/Berlin", missed=missed, jitter=600.0).rule()
    assert found.violations == ()
    assert found.instants == instants.count(rule, START, world.now) > 10
