"""The pages of backfills: begun by days, watched, paused, resumed and cancelled."""

from datetime import timedelta

import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.visitor import Visitor
from tick.store.tables import backfill

DAYS = timedelta(days=1)


def _begin(world: World, ada: Visitor, **filled: str) -> str:
    today = world.now.date()
    span = {"from": str(today - 9 * DAYS), "to": str(today - DAYS)}
    page = ada.page("/schedules/daily/backfill")
    ada.press(page, "/schedules/daily/backfill", **span, **filled)
    return ada.page("/backfills")


def _states(world: World) -> list[str]:
    return [row.state for row in world.rows(sa.select(backfill.c.state))]


def test_before_the_first_the_page_says_how_to_begin_one(ada: Visitor) -> None:
    assert "No backfill yet" in ada.page("/backfills")


def test_one_is_begun_by_days_and_listed_with_its_progress(world: World, ada: Visitor) -> None:
    page = _begin(world, ada, max_parallel="2", allow="on", reason="a new report")
    assert "0 of 9" in page and "9 left" in page
    assert "2 at a time" in page and "beside its own firings" in page
    assert "a new report" in page
    world.tick()
    assert "9 queued, 0 left" in ada.page("/backfills")
    assert "0 of 9" in ada.page("/backfills?schedule=daily")


def test_it_is_paused_resumed_and_cancelled_there(world: World, ada: Visitor) -> None:
    page = _begin(world, ada)
    ada.press(page, "/backfills/1/pause")
    assert _states(world) == ["PAUSED"]
    ada.press(ada.page("/backfills"), "/backfills/1/resume")
    assert _states(world) == ["RUNNING"]
    asked = ada.page("/backfills/1/cancel")
    assert "9 instants would never run" in asked
    ada.press(asked, "/backfills/1/cancel")
    assert _states(world) == ["CANCELLED"]
    assert "/backfills/1/pause" not in ada.page("/backfills")


def test_what_is_wrong_with_the_form_is_told_and_begins_nothing(world: World, ada: Visitor) -> None:
    for wrong, said in (
        ({"from": "yesterday"}, "Say from which day to which"),
        ({"to": "2001-01-01"}, "lies before the first"),
        ({"max_parallel": "0"}, "1 to 100"),
    ):
        page = ada.page("/schedules/daily/backfill")
        right = {"from": "2026-02-01", "to": "2026-02-08"}
        ada.press(page, "/schedules/daily/backfill", **right | wrong)
        assert said in ada.page("/backfills")
    assert _states(world) == []


def test_who_only_looks_sees_them_without_buttons(world: World, ada: Visitor, vic: Visitor) -> None:
    _begin(world, ada)
    page = vic.page("/backfills")
    assert "0 of 9" in page and "/backfills/1/pause" not in page
