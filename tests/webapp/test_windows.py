"""Stopping the scheduler and planning windows in the console."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor
from tick.define.windows import Window
from tick.ops.queries.health import read_page_status
from tick.store.tables import maintenance_window

HOUR = timedelta(hours=1)


def banner(visitor: Visitor, path: str = "/") -> str:
    found = re.search(r'<aside[^>]* id="standstill".*?</aside>', visitor.page(path), re.DOTALL)
    return found[0] if found else ""


def test_a_stop_is_seen_on_every_page_and_a_start_ends_it(ada: Visitor) -> None:
    assert "Stop the scheduler?" in ada.page("/scheduler/stop")
    ada.post("/scheduler/stop", reason="database move")
    for path in ("/", "/schedules", "/runs", "/workers"):
        seen = banner(ada, path)
        assert "The scheduler is stopped" in seen
        assert "by ada: database move" in seen
    ada.press(banner(ada), "/scheduler/start")
    assert banner(ada) == ""


def test_a_stop_wants_a_reason(ada: Visitor) -> None:
    ada.post("/scheduler/stop", reason=" ")
    assert "A window needs a reason" in ada.page("/workers")
    assert banner(ada) == ""


def test_a_window_stands_from_its_beginning_and_no_longer_at_its_end(world: World) -> None:
    start, end = world.now + HOUR, world.now + 2 * HOUR
    world.plan_window(start, end)
    with world.database.read.connect() as connection:
        stands = [
            read_page_status(connection, at, 90).active_window is not None for at in (start, end)
        ]
    assert stands == [True, False]


def test_a_window_is_planned_and_called_off(ada: Visitor, world: World) -> None:
    start = world.runtime.now() + HOUR
    times = {"from": f"{start:%Y-%m-%dT%H:%M}", "to": f"{start + HOUR:%Y-%m-%dT%H:%M}"}
    ada.post("/windows/add", **times, reason="new disks")
    page = ada.page("/workers")
    assert "new disks (by ada)" in page
    assert "to come" in page
    ada.press(page, "/windows/1/end")
    assert "ended by ada" in ada.page("/workers")


def test_a_lasting_window_says_until_when_and_may_be_ended(ada: Visitor, world: World) -> None:
    ada.post("/scheduler/stop", reason="x")
    ada.post("/scheduler/start")
    start = world.runtime.now()
    times = {"from": f"{start:%Y-%m-%dT%H:%M}", "to": f"{start + HOUR:%Y-%m-%dT%H:%M}"}
    ada.post("/windows/add", **times, reason="new disks")
    assert "nothing fires until" in banner(ada)
    ada.press(banner(ada), "/windows/2/end")
    assert banner(ada) == ""


def test_what_a_planned_window_keeps_from_firing_is_marked(ada: Visitor, world: World) -> None:
    world.define(a_schedule("often", cron="*/30 * * * *"), jobs=JOBS)
    world.enable("often")
    start = world.runtime.now() + timedelta(minutes=2)
    times = {"from": f"{start:%Y-%m-%dT%H:%M}", "to": f"{start + 2 * HOUR:%Y-%m-%dT%H:%M}"}
    ada.post("/windows/add", **times, reason="new disks")
    for path in ("/", "/upcoming"):
        page = ada.page(path)
        assert "will not fire" in page, path
        assert "new disks" in page, path
    assert "nothing fires in it (by ada: new disks)" in ada.page("/upcoming?span=month")


def test_a_time_that_is_none_is_refused(ada: Visitor) -> None:
    ada.post("/windows/add", **{"from": "soon", "to": ""}, reason="x")
    assert "Say from when to when" in ada.page("/workers")


def test_a_viewer_sees_the_banner_and_no_button(ada: Visitor, vic: Visitor) -> None:
    ada.post("/scheduler/stop", reason="database move")
    assert "database move" in banner(vic)
    assert "<button" not in banner(vic)
    assert vic.post("/scheduler/start").status_code == 403


def test_a_window_of_one_schedule_that_recurs_is_planned_in_the_form(
    ada: Visitor, world: World
) -> None:
    world.define(a_schedule("often", cron="*/30 * * * *"), jobs=JOBS)
    world.enable("often")
    assert 'value="schedule:often"' in ada.page("/windows/add")
    form = {
        "scope": "schedule:often",
        "cron": "0 * * * *",
        "timezone": "Europe/Berlin",
        "minutes": "45",
    }
    ada.post("/windows/add", **form, reason="backups")
    page = ada.page("/workers")
    assert "At <code>0 * * * *</code>" in page
    assert ', of <a href="/schedules/often">often</a>' in page
    assert "will not fire" in ada.page("/schedules/often")
    assert "does not fire in it (by ada: backups)" in ada.page("/upcoming")
    assert "End for good" in page
    ada.press(page, "/windows/1/end")
    assert "will not fire" not in ada.page("/schedules/often")


def test_a_recurring_window_that_can_not_be_is_refused_in_words(ada: Visitor) -> None:
    for form, told in (
        ({"cron": "0 2 * * 0", "minutes": "many"}, "how many minutes the window lasts"),
        ({"cron": "0 25 * * 0", "minutes": "120"}, "hour"),
        ({"cron": "0 * * * *", "minutes": "60"}, "begins again before it ends"),
    ):
        ada.post("/windows/add", **form, reason="x")
        assert told in ada.page("/workers")


def test_what_a_window_holds_is_marked_with_when_it_runs(ada: Visitor, world: World) -> None:
    world.define(a_schedule("often", cron="*/30 * * * *"), jobs=JOBS)
    world.enable("often")
    assert "What falls due in it runs after it" in ada.page("/windows/add")
    form = {"scope": "schedule:often", "cron": "20 * * * *", "minutes": "20", "run_after": "1"}
    ada.post("/windows/add", **form, reason="backups")
    assert "runs after" in ada.page("/workers")
    for path in ("/schedules/often", "/upcoming?list=all"):
        page = ada.page(path)
        assert "held until" in page, path
        assert "will not fire" not in page, path


def test_a_window_for_a_label_is_planned_by_the_clock_of_a_zone(ada: Visitor, world: World) -> None:
    world.define(
        a_schedule("often", cron="*/30 * * * *", labels=("finance",)), a_schedule(), jobs=JOBS
    )
    world.enable("often")
    world.enable()
    assert 'value="label:finance"' in ada.page("/windows/add")
    form = {"scope": "label:finance", "weekly": "00:10-23:50", "timezone": "Europe/Berlin"}
    ada.post("/windows/add", **form, reason="backups")
    page = ada.page("/workers")
    assert ">00:10-23:50</span> Europe/Berlin" in page
    assert ', of label <a href="/schedules?label=finance">finance</a>' in page
    assert "will not fire" in ada.page("/schedules/often")
    assert "will not fire" not in ada.page("/schedules/daily")
    for mistaken, told in (("Sunday night", "no time of the week"), ("Sun 02:00-02:99", "time of")):
        ada.post("/windows/add", weekly=mistaken, reason="x")
        assert told in ada.page("/workers")


def test_a_window_is_planned_from_a_day_of_the_month_in_the_zone_that_is_shown(
    ada: Visitor, world: World
) -> None:
    world.enable()
    day = world.runtime.now().date() + timedelta(days=3)
    assert f'href="/windows/add?day={day}&' in ada.page("/upcoming?span=month").replace(
        "&amp;", "&"
    )
    form = ada.page(f"/windows/add?day={day}&zone=Europe/Berlin")
    assert f'value="{day}T02:00"' in form
    assert 'name="zone" value="Europe/Berlin"' in form
    times = {"from": f"{day}T02:00", "to": f"{day}T04:00", "zone": "Europe/Berlin"}
    ada.post("/windows/add", **times, reason="new disks")
    (row,) = world.rows(sa.select(maintenance_window))
    berlin = datetime.fromisoformat(times["from"]).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert row.starts_at == berlin
    assert "month-closed" in ada.page("/upcoming?span=month")


def test_a_window_in_code_has_no_button_and_is_ended_there(ada: Visitor, world: World) -> None:
    backups = Window("backups", weekly="00:10-23:50", reason="new disks", source="tests:1")
    world.define(a_schedule(), jobs=JOBS, windows=(backups,))
    page = ada.page("/workers")
    assert "“backups” in code" in page
    assert "/windows/1/end" not in page
    ada.post("/windows/1/end")
    assert "lives in code" in ada.page("/workers")
