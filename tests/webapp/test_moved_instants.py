"""What the console shows of instants that a calendar moved."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tests.webapp.visitor import Visitor
from tick import Calendar
from tick.ops.queries.schedules import get_schedule
from tick.ops.reports.upcoming import list_next
from tick.store.tables import occurrence

DAY = timedelta(days=1)


@pytest.fixture
def moving(world: World, now: datetime) -> World:
    """Due on yesterday's weekday and on that of the day after tomorrow, both of them days off."""
    off = [now.date() + number * DAY for number in (-1, 2)]
    dates = {f"{day}": "Works shutdown" for day in off}
    world.calendars = [Calendar("plant", dates=dates, weekend=[])]
    days_of_week = f"{off[0]:%w},{off[1]:%w}"
    world.now = now - 3 * DAY
    schedule = a_schedule(
        "books",
        cron=f"0 0 * * {days_of_week}",
        calendar="plant",
        day_rule="NEXT_BUSINESS_DAY",
        missed="CATCH_UP",
        overlap="ALLOW",
    )
    world.define(schedule, jobs=[a_job("books")])
    world.enable("books")
    world.tick(now)
    return world


def text_of(page: str) -> str:
    """What a reader sees of it."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def moved_row(world: World) -> sa.Row[tuple[int, datetime, datetime]]:
    o = occurrence.c
    found = sa.select(o.id, o.scheduled_for, o.nominal_for).where(o.nominal_for.is_not(None))
    return world.rows(found.order_by(o.id.desc()).limit(1))[0]


def test_history_and_the_occurrence_say_from_where_it_was_moved(
    moving: World, ada: Visitor
) -> None:
    row = moved_row(moving)
    said = f"moved from {row.nominal_for:%Y-%m-%d}"
    assert said in text_of(ada.page("/schedules/books"))
    assert said in text_of(ada.page(f"/occurrences/{row.id}"))
    assert "moved there from" in text_of(ada.page(f"/occurrences/{row.id}/why"))


def test_what_is_to_come_says_so_and_when_it_really_fires(moving: World, ada: Visitor) -> None:
    with moving.database.read.connect() as connection:
        coming = list_next(connection, "books", moving.now, 9)
        shown = get_schedule(connection, "books")
    nominal = next(each.nominal_for for each in coming if each.nominal_for is not None)
    assert shown.next_run_at == next(each.at for each in coming if each.fires)
    said = f"moved from {nominal:%a} {nominal.day} {nominal:%b}"
    for page in ("/upcoming?list=all&span=7d", "/schedules/books", "/"):
        assert said in text_of(ada.page(page)), page
