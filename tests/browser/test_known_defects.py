"""Defects that other consoles shipped and had to mend, as far as only a browser shows them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tick import clock
from tick.store.tables import job_run

pytestmark = pytest.mark.browser


def test_06_icons_are_drawn_under_the_strict_policy(page: Page) -> None:
    page.goto("/schedules")
    box = page.locator("tbody .icon").first.evaluate("icon => icon.getBBox().width")
    assert box > 0


def test_08_no_column_moves_when_a_row_changes_its_state(page: Page, console: Console) -> None:
    (run,) = console.world.rows(
        sa.select(job_run).where(job_run.c.status == "RUNNING").order_by(job_run.c.id).limit(1)
    )
    page.goto("/runs")
    places = (
        "[...document.querySelectorAll('thead th')].map(cell => cell.getBoundingClientRect().x)"
    )
    before = page.evaluate(places)
    row = page.locator(f"#run-{run.id}")
    expect(row).to_contain_text("Running")
    changed = {
        "status": "FAILED",
        "finished_at": clock.now() + timedelta(hours=30),
        "error_type": "AnErrorWithAVeryLongNameThatNobodyCouldHaveExpected",
        "error_message": "and a message that goes on and on " * 5,
    }
    with console.world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == run.id).values(**changed))
    expect(row).to_contain_text("Failed")
    assert page.evaluate(places) == before


def test_09_a_page_that_is_told_to_rest_asks_for_nothing(page: Page) -> None:
    page.goto("/runs")
    expect(page.get_by_text("Read", exact=False).last).to_be_visible()
    page.get_by_role("button", name="not by itself").click()
    expect(page.get_by_role("button", name="not by itself")).to_have_attribute(
        "aria-pressed", "true"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(6500)
    assert asked == []
    page.get_by_role("button", name="as it happens").click()
    with page.expect_request("**/runs"):
        pass
