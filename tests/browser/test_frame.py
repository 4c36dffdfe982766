"""What all pages share: the menu on a phone, and times that tell their instant."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.console import log_in

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}


def test_the_menu_of_a_phone_shows_where_one_is(open_page: Opener) -> None:
    page = log_in(open_page(viewport=PHONE))
    page.goto("/settings")
    expect(page.get_by_role("link", name="Settings")).to_be_in_viewport(ratio=1)


def test_a_time_tells_its_instant_when_pointed_at_tapped_or_by_a_key(page: Page) -> None:
    page.goto("/jobs")
    time = page.locator("tbody time").first
    exact = str(time.get_attribute("datetime")).replace("T", " ").replace("Z", " UTC")
    time.hover()
    expect(time).to_have_attribute("title", exact)
    time.click()
    expect(time).to_have_text(exact)
    time.click()
    expect(time).to_contain_text("ago")
    page.keyboard.press("t")
    expect(page.locator("tbody time").last).to_contain_text("UTC")
    page.keyboard.press("t")
    expect(page.locator("tbody time").last).to_contain_text("ago")
