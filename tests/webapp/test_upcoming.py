"""What will fire: lanes, collisions, clock changes, and the feed for other calendars."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Flask

from tests.support.factories import World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor
from tick.ops.queries.descriptions import Timing
from tick.ops.reports.lanes import MOST_IN_LANE, Lane
from tick.store.tables import api_token
from webapp.drawing import ical, month
from webapp.drawing.charts import axis, lane_path
from webapp.drawing.clock_changes import clock_changes

NOW = datetime(2026, 10, 24, 10, 7, tzinfo=UTC)
IN_UTC = Timing(words="", expression=None, timezone="UTC", mistake=None)


def _define(world: World, **expressions: str) -> None:
    world.define(*(a_schedule(name, cron=cron) for name, cron in expressions.items()), jobs=JOBS)
    for name in expressions:
        world.enable(name)


def test_nothing_is_upcoming_before_something_is_on(ada: Visitor) -> None:
    assert "No schedule is on" in ada.page("/upcoming")


def test_each_schedule_that_is_on_has_a_lane(world: World, ada: Visitor) -> None:
    world.enable("hourly")
    page = ada.page("/upcoming")
    lanes = page[page.index("lanes-title") : page.index("list-title")]
    assert "Hourly Matching" in lanes
    assert '<span class="num">24</span>' in lanes
    assert "Daily Full Sync" not in lanes
    assert '<span class="num">168</span>' in ada.page("/upcoming?span=7d")


def test_what_fires_all_the_time_is_a_band(world: World, ada: Visitor) -> None:
    _define(world, minutely="* * * * *", daily="0 2 * * *")
    page = ada.page("/upcoming")
    assert f"more than {MOST_IN_LANE}" in page
    assert "together with others" not in page


def test_schedules_that_fire_in_the_same_minute_are_flagged(world: World, ada: Visitor) -> None:
    _define(world, first="0 2 * * *", second="0 2 * * *", third="30 2 * * *")
    page = ada.page("/upcoming")
    assert "together with Second" in page
    assert "together with First" in page
    assert page.count("1 together with others") == 2


def test_the_feed_holds_what_is_sparse(world: World, ada: Visitor) -> None:
    _define(world, minutely="* * * * *", daily="0 2 * * *")
    response = ada.get("/upcoming.ics")
    assert response.content_type == "text/calendar; charset=utf-8"
    assert response.text.count("BEGIN:VEVENT\r\n") == 7
    assert len(set(re.findall(r"UID:(.+)\r\n", response.text))) == 7
    assert "SUMMARY:Daily\r\n" in response.text
    assert "URL:http://localhost/schedules/daily\r\n" in response.text
    assert "Minutely" not in response.text


def test_the_feed_is_not_for_strangers(stranger: Visitor) -> None:
    assert stranger.get("/upcoming.ics").status_code == 303


def test_a_calendar_escapes_and_folds_its_lines() -> None:
    event = ical.Event("a@b", NOW, "one; two, three\\four", "é" * 60 + "\nnext", "http://x/")
    text = ical.calendar("Runs", [event], now=NOW)
    assert "SUMMARY:one\\; two\\, three\\\\four\r\n" in text
    assert "DTSTART:20261024T100700Z\r\n" in text
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert f"DESCRIPTION:{'é' * 60}\\nnext\r\n" in text.replace("\r\n ", "")


def test_the_nights_of_a_clock_change_are_found_for_each_zone() -> None:
    found = clock_changes(["Europe/Paris", "UTC", "Europe/Paris"], NOW, NOW + timedelta(days=7))
    assert [(change.day.day, change.zone, change.words) for change in found] == [
        (25, "Europe/Paris", "clocks go back 1 h on this day")
    ]


def test_a_lane_draws_each_place_once_and_in_order() -> None:
    end = NOW + timedelta(hours=10)
    instants = [end, NOW, NOW + timedelta(hours=5), NOW + timedelta(hours=5, seconds=1)]
    assert lane_path(instants, NOW, end) == "M0 0v14M500 0v14M1000 0v14"
    assert lane_path([], NOW, end) == ""


def test_an_axis_has_the_full_steps_inside_it() -> None:
    marks = axis(NOW, NOW + timedelta(days=1), timedelta(hours=4), UTC)
    assert [at.hour for _, at in marks] == [12, 16, 20, 0, 4, 8]
    assert all(0 < place < 100 for place, _ in marks)
    days = axis(NOW, NOW + timedelta(days=7), timedelta(days=1), ZoneInfo("Europe/Paris"))
    assert [(at.day, at.hour) for _, at in days[:2]] == [(24, 22), (25, 23)]
    assert len(days) == 7


def test_a_month_says_for_each_day_what_fires_and_what_collides(world: World, ada: Visitor) -> None:
    _define(world, first="0 2 * * *", second="0 2 1 * *", minutely="* * * * *")
    page = ada.page("/upcoming?span=month&month=2099-01")  # too far: this month
    assert "Fires all the time" in page
    following = (datetime.now(UTC).replace(day=1) + timedelta(days=31)).replace(day=1)
    page = ada.page(f"/upcoming?span=month&month={following:%Y-%m}")
    assert (
        f'from={following:%Y-%m}-01" aria-label="{following:%a} 1 {following:%b}: 2 firings' in page
    )
    assert page.count("1 firing") >= 27
    assert "1 collision" in page
    assert "Fires all the time, and is left out here" in page
    assert "Minutely" in page


def test_a_day_of_the_month_opens_as_its_lanes(world: World, ada: Visitor) -> None:
    _define(world, first="0 2 * * *")
    soon = datetime.now(UTC) + timedelta(days=9)
    page = ada.page(f"/upcoming?span=24h&from={soon:%Y-%m-%d}")
    assert f"{soon.day} {soon:%b}, 02:00 UTC" in page or f"{soon:%b} {soon.year}, 02:00 UTC" in page
    assert page.count('class="exact inline"') == 1
    for too_far in ("0001-01-01", "9999-12-31", "2001-01-01"):
        assert ada.get(f"/upcoming?from={too_far}").status_code == 200


def test_a_month_cuts_its_days_in_the_zone_of_whoever_looks() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    at = datetime(2026, 11, 29, 19, 0, tzinfo=UTC)  # half past midnight on the 30th there
    lane = Lane(
        "a",
        "A",
        IN_UTC,
        (at,),
        dense=False,
    )
    changes = clock_changes(["Europe/Paris"], NOW, NOW + timedelta(days=2))
    shown = month.month_view(date(2026, 11, 1), date(2026, 10, 24))
    weeks = month.month_weeks(shown, [lane], {at}, changes, zone)
    square = weeks[-1][0]
    assert (square.date.day, square.beside, square.collisions) == (30, False, 1)
    assert square.words == "Mon 30 Nov: 1 firing, 1 collision"
    assert [len(week) for week in weeks] == [7] * 6
    assert month.month_start("2027-11", date(2026, 11, 24)) == date(2027, 11, 1)
    for text in ("2027-12", "2026-10", "2026-13", "x"):
        assert month.month_start(text, date(2026, 11, 24)) == date(2026, 11, 1)


def _make_feed(visitor: Visitor) -> str:
    visitor.page("/upcoming/feed")
    page = visitor.post("/upcoming/feed").text
    address = re.search(r'value="http://localhost(/feeds/[^"]+)"', page)
    assert address
    return address[1]


def test_a_calendar_program_reads_the_feed_by_an_address_of_its_own(
    world: World, app: Flask, vic: Visitor
) -> None:
    _define(world, daily="0 2 * * *")
    address = _make_feed(vic)
    program = Visitor(app)
    assert program.page(address).count("BEGIN:VEVENT\r\n") == 7
    token = address.removeprefix("/feeds/").removesuffix(".ics")
    stored = world.rows(sa.select(api_token))[0]
    assert token not in str(stored)
    assert (stored.scope, stored.role) == ("feed", "VIEWER")
    refused = program.get("/api/admin/schedules", Authorization=f"Bearer {token}")
    assert refused.status_code == 401


def test_the_address_ends_by_a_new_one_by_hand_and_with_the_account(
    world: World, app: Flask, ada: Visitor, vic: Visitor
) -> None:
    program, first, second = Visitor(app), _make_feed(vic), _make_feed(vic)
    assert program.get(first).status_code == 404
    assert program.get(second).status_code == 200
    assert "last read" in vic.page("/upcoming/feed")
    vic.post("/upcoming/feed/end", next="/upcoming")
    assert program.get(second).status_code == 404
    third = _make_feed(vic)
    ada.page("/users")
    ada.post("/users/active", name="vic", active="no")
    assert program.get(third).status_code == 404
    assert program.get("/feeds/nonsense.ics").status_code == 404


def test_what_is_not_drawn_is_counted_and_said(world: World, ada: Visitor) -> None:
    world.define(
        *(a_schedule(f"s{number:03}", cron="0 5 * * *") for number in range(120)),
        a_schedule("zz-soon", cron="* * * * *", max_runs=3),
        jobs=JOBS,
    )
    for schedule_id in world.registry.schedules:
        world.enable(schedule_id)
    page = ada.page("/upcoming")
    lanes = page[page.index("lanes-title") : page.index("list-title")]
    assert "Zz Soon" in lanes
    assert "21 more schedules are on, of which 21 fire in this time" in lanes
    assert page[page.index("list-title") :].count("Zz Soon") == 1
    every = ada.page("/upcoming?list=all")
    assert every[every.index("list-title") :].count("Zz Soon") == 2


def test_a_calendar_that_is_cut_says_so(world: World, ada: Visitor) -> None:
    world.define(*(a_schedule(f"s{n:02}", cron="0 */2 * * *") for n in range(9)), jobs=JOBS)
    for schedule_id in world.registry.schedules:
        world.enable(schedule_id)
    feed = ada.get("/upcoming.ics").text
    assert feed.count("BEGIN:VEVENT") == 501
    assert "SUMMARY:256 more firings of this week are not shown" in feed


def test_instants_in_a_window_are_no_firings_in_feed_and_calendar(
    world: World, ada: Visitor
) -> None:
    _define(world, daily="0 2 * * *")
    world.plan_window(world.now, world.now + timedelta(days=3, hours=8))
    assert ada.get("/upcoming.ics").text.count("BEGIN:VEVENT") == 4
    assert "will not fire" in ada.page("/upcoming")
    assert '<span class="num">4</span>' in ada.page("/upcoming?span=7d")


def test_this_month_begins_with_this_week_and_fills_every_day_to_come() -> None:
    for today in (date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 1)):
        shown = month.month_view(today.replace(day=1), today)
        assert (shown.days[0].weekday(), len(shown.days)) == (0, 35)
        assert shown.days[0] <= today < shown.days[7]
    later = month.month_view(date(2026, 12, 1), date(2026, 11, 29))
    assert (later.days[0], later.days[-1]) == (date(2026, 11, 30), date(2027, 1, 3))
    at = datetime(2027, 1, 2, 12, tzinfo=UTC)
    lanes = [
        Lane(
            "a",
            "A",
            IN_UTC,
            (at,),
            dense=False,
        )
    ]
    weeks = month.month_weeks(later, lanes, {}, [], UTC)
    assert [(day.date, day.beside) for day in weeks[-1] if day.firings] == [(at.date(), True)]
