"""Pinning a schedule to an earlier version, on its page: as plain forms, without JavaScript."""

from dataclasses import replace
from html import unescape

import pytest

from tests.support.factories import World
from tests.webapp.visitor import Visitor, location


@pytest.fixture
def moved(world: World) -> World:
    """The daily schedule was moved from 02:00 to 03:00."""
    daily, *others = world.schedules
    world.define(replace(daily, cron="0 3 * * *"), *others)
    return world


def text_of(page: str) -> str:
    return " ".join(unescape(page).split())


def test_the_page_offers_every_version_but_the_one_in_force(moved: World, ada: Visitor) -> None:
    page = ada.page("/schedules/daily")
    assert 'action="/schedules/daily/versions/1/pin"' in page
    assert "/schedules/daily/versions/2/pin" not in page


def test_asking_shows_what_it_goes_by_then_and_wants_a_reason(moved: World, ada: Visitor) -> None:
    page = ada.page("/schedules/daily/versions/1/pin")
    assert "Pin Daily Full Sync to version 1?" in page
    assert "At 02:00" in page and page.count("02:00 UTC") == 3
    ada.press(page, "/schedules/daily/versions/1/pin", reason="")
    assert "A pin needs a reason" in ada.page("/schedules/daily")


def test_a_pin_is_told_on_the_page_and_in_the_list_until_it_is_taken_back(
    moved: World, ada: Visitor
) -> None:
    asked = ada.page("/schedules/daily/versions/1/pin")
    done = ada.press(asked, "/schedules/daily/versions/1/pin", reason="three is too late")
    assert location(done) == "/schedules/daily"
    page = ada.page("/schedules/daily")
    assert "It goes by version 1, to which ada pinned it" in text_of(page)
    assert "three is too late" in page and "pinned to 1" in page
    # What stands behind the pin is gone back to by its own button.
    assert "/schedules/daily/versions/2/pin" not in page
    assert "Pinned to version 1" in ada.page("/schedules")
    ada.press(page, "/schedules/daily/unpin")
    assert "goes by its definition again" in ada.page("/schedules/daily")
    assert "Pinned to version" not in ada.page("/schedules")


def test_who_only_reads_sees_the_pin_and_no_button(
    moved: World, ada: Visitor, vic: Visitor
) -> None:
    ada.post("/schedules/daily/versions/1/pin", reason="three is too late")
    page = vic.page("/schedules/daily")
    assert "It goes by version 1" in text_of(page)
    assert "/pin" not in page and "/unpin" not in page
    assert vic.post("/schedules/daily/unpin").status_code == 403


def test_a_version_that_is_not_there_is_not_found(moved: World, ada: Visitor) -> None:
    assert ada.get("/schedules/daily/versions/9/pin").status_code == 404
