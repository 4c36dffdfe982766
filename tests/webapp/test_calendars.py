"""Calendars in the console: a year of one, and those that are made, edited and deleted there."""

import re
from datetime import date
from io import BytesIO
from typing import Any

import pytest

from tests.support.factories import TESTER, World
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor, location
from tick import Calendar
from tick.engine.ledger.audit import Act
from tick.ops.actions import calendars, custom_schedules
from tick.ops.queries.calendars import get_calendar
from webapp import create_app
from webapp.drawing.year import year_counts, year_months

FOUNDERS = {"name": "plant", "dates": "2026-03-04 Founders' Day\n2026-05-01, May Day"}
DATES = {"2026-03-04": "Founders' Day", "2026-05-01": "May Day"}
ICS = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261224\nSUMMARY:Eve\nEND:VEVENT\n"


def written(world: World, name: str = "plant") -> Any:
    """What is kept of a calendar."""
    with world.database.read.connect() as connection:
        return get_calendar(connection, world.registry, name, 2026).written


def use(world: World, name: str = "plant") -> None:
    """A schedule by hand goes by it."""
    options = {"name": "Nightly", "cron": "0 2 * * *", "calendar": name, "mode": "ALL_JOBS"}
    act = Act(world.now, TESTER)
    custom_schedules.create_schedule(world.database, act, world.registry, options)


def problems(page: str) -> dict[str, str]:
    """The mistakes of the form by field."""
    found = re.findall(r'id="problem-(\w+)">\s*<svg.*?</svg>\s*(.*?)</div>', page, re.DOTALL)
    return {name: said.strip() for name, said in found}


def test_one_is_made_shown_edited_and_deleted_and_comes_back(ada: Visitor, world: World) -> None:
    assert "No calendars yet" in ada.page("/calendars")
    ada.page("/new-calendar")
    made = ada.post("/new-calendar", **FOUNDERS)
    assert location(made) == "/calendars/plant"
    assert written(world) == {"dates": DATES}
    page = ada.page("/calendars/plant?year=2026")
    assert 'class="day-holiday" title="Wed 4 Mar: Founders&#39; Day"' in page
    assert "2026-05-01 Fri" in page
    assert "made here" in ada.page("/calendars")
    form = ada.page("/calendars/plant/edit")
    assert "2026-03-04 Founders&#39; Day" in form
    revision = re.search(r'name="revision" value="(\w+)"', form)
    assert revision
    use(world)
    parts = {"dates": "2026-03-05 Works council", "weekend": "sun", "revision": revision[1]}
    ada.post("/calendars/plant/edit", **parts, reason="a vote")
    assert written(world) == {"dates": {"2026-03-05": "Works council"}, "weekend": ["sun"]}
    assert "these follow: nightly" in ada.page("/calendars/plant")
    ada.page("/calendars/plant/delete")
    ada.post("/calendars/plant/delete")
    assert "Calendar plant is used by schedule nightly" in ada.page("/calendars")
    custom_schedules.delete_schedule(
        world.database, Act(world.now, TESTER), "nightly", world.registry
    )
    ada.post("/calendars/plant/delete")
    assert "It was deleted by ada" in ada.page("/calendars/plant")
    ada.post("/calendars/plant/restore")
    assert "It was deleted" not in ada.page("/calendars/plant")


def test_the_second_of_two_who_edit_is_told_and_loses_nothing(ada: Visitor, world: World) -> None:
    ada.page("/new-calendar")
    ada.post("/new-calendar", **FOUNDERS)
    answer = ada.post("/calendars/plant/edit", dates="2026-06-01 Mine", revision="0" * 16)
    assert answer.status_code == 409
    assert "was changed by ada since you read it" in answer.text
    assert "2026-06-01 Mine" in answer.text
    assert written(world) == {"dates": DATES}
    revision = re.search(r'name="revision" value="(\w+)"', answer.text)
    assert revision
    ada.post("/calendars/plant/edit", dates="2026-06-01 Mine", revision=revision[1])
    assert written(world) == {"dates": {"2026-06-01": "Mine"}}


@pytest.mark.parametrize(
    ("parts", "field", "said"),
    [
        ({"name": ""}, "name", "give it a name"),
        ({"dates": "tomorrow off"}, "dates", "line 1 begins with &#39;tomorrow off&#39;, no date"),
        ({"dates": ICS.replace("20261224", "soon")}, "dates", "no date: 20260501"),
        ({"dates": "2026-02-30 x"}, "dates", "is no date"),
        ({"country": "XX"}, "country", "country &#39;XX&#39; is not known"),
        ({"country": "DE"}, "subdivision", "choose a subdivision"),
        ({"half_days": "2026-12-24 soon"}, "half_days", "is no time of day"),
        ({"working": "later"}, "working", "no date"),
        ({"combines": "all_of"}, "members", "tick the calendars"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    ada: Visitor, parts: dict[str, str], field: str, said: str
) -> None:
    ada.page("/new-calendar")
    answer = ada.post("/new-calendar", **{**FOUNDERS, **parts})
    assert answer.status_code == 422
    assert said in problems(answer.text)[field]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("days.ics", ICS.encode(), None),
        ("days.CSV", "date,name\n2026-12-24,Eve\n".encode("utf-8-sig"), None),
        ("days.xls", b"x", "its name must end with .csv or .ics"),
        ("days.csv", b"\xff\xfe", "it is not UTF-8 text"),
        ("days.csv", b"2026-12-24,\x00\n" + b"x" * 10, "line 2 begins with"),
        ("days.csv", b"2026-12-24,Eve\n" * 4000, "it has more than 50000 bytes"),
        ("days.ics", b"nothing", "no day stands in it"),
        ("days.ics", ICS.replace("SUMMARY", "RRULE").encode(), "recurs"),
    ],
)
def test_a_file_is_read_within_bounds(
    ada: Visitor, world: World, name: str, content: bytes, said: str | None
) -> None:
    ada.page("/new-calendar")
    answer = ada.post("/new-calendar", name="plant", file=(BytesIO(content), name))
    if said is None:
        assert written(world) == {"dates": {"2026-12-24": "Eve"}}
    else:
        assert said in problems(answer.text)["file"]


def test_the_form_of_schedules_offers_them(ada: Visitor, world: World) -> None:
    ada.page("/new-calendar")
    ada.post("/new-calendar", **FOUNDERS)
    assert "<option>plant</option>" in ada.page("/new-schedule")
    use(world)
    assert 'href="/schedules/nightly"' in ada.page("/calendars/plant")


def test_one_in_code_is_shown_and_edited_there(world: World) -> None:
    world.calendars = [Calendar("gulf", weekend=["fri", "sat"])]
    world.define(jobs=JOBS)
    ada = Visitor(create_app(world.runtime)).log_in("ada")
    page = ada.page("/calendars/gulf")
    assert "in code" in page
    assert "/calendars/gulf/edit" not in page
    assert ada.get("/calendars/gulf/edit").status_code == 409
    assert ada.get("/calendars/none").status_code == 404
    assert ada.get("/calendars/gulf?year=20x6").status_code == 422


def test_who_only_reads_sees_them_and_changes_nothing(vic: Visitor, world: World) -> None:
    act = Act(world.now, TESTER)
    calendars.make_calendar(world.database, act, "plant", world.registry, {"dates": DATES})
    page = vic.page("/calendars/plant")
    assert "Edit" not in re.findall(r'<div class="head-actions">(.*?)</div>', page, re.DOTALL)[0]
    assert vic.get("/new-calendar").status_code == 403


def test_each_day_of_a_year_is_of_one_kind(world: World) -> None:
    act = Act(world.now, TESTER)
    options = {
        "dates": DATES,
        "half_days": {"2026-12-24": "13:00"},
        "working": ["2026-01-10"],
        "until": "2026-12-30",
    }
    calendars.make_calendar(world.database, act, "plant", world.registry, options)
    with world.database.read.connect() as connection:
        months = year_months(get_calendar(connection, world.registry, "plant", 2026))
    days = {day.date: day for month in months for week in month.weeks for day in week if day}
    assert len(days) == 365
    kinds = {
        day: days[date.fromisoformat(day)].kind
        for day in (
            "2026-01-01",
            "2026-01-03",
            "2026-01-10",
            "2026-03-04",
            "2026-12-24",
            "2026-12-31",
        )
    }
    assert list(kinds.values()) == [
        *("working", "weekend", "made-up", "holiday", "half", "unknown"),
    ]
    assert days[date(2026, 12, 24)].words == "Thu 24 Dec: half day, over at 13:00"
    assert year_counts(months) == {
        "working day": 365 - 104 - 2 - 1 - 1,
        "weekend day": 103,
        "holiday": 2,
        "half day": 1,
        "working weekend": 1,
        "unknown": 1,
    }
