"""When the server is away, slow, or answers otherwise: nothing vanishes, nobody is misled."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import Complaints, Console
from tick.store.tables import job_run, job_schedule

pytestmark = pytest.mark.browser
NO_ANSWER = "The server did not answer."
Handler = Callable[[Route], None]


@pytest.fixture
def page(page: Page, complaints: Complaints) -> Page:
    """Ada's browser, which may report that something failed."""
    complaints.expected = ("Failed to load resource", "Failed to fetch")
    return page


def _no_answer(route: Route) -> None:
    route.abort()


def _bad_gateway(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")


def _portal(route: Route) -> None:
    route.fulfill(status=200, content_type="text/html", body="<html><h1>Sign in</h1></html>")


@pytest.mark.parametrize("answer", [_bad_gateway, _portal, _no_answer])
def test_what_is_shown_outlives_an_answer_from_somebody_else(page: Page, answer: Handler) -> None:
    page.route("**/schedules", answer)
    expect(page.get_by_text("The server does not answer")).to_be_visible()
    expect(page.get_by_role("switch", name="Search Index")).to_be_visible()
    page.unroute("**/schedules")
    expect(page.locator("[data-updated]")).to_contain_text("Read ")
    expect(page.get_by_role("status")).to_have_text("")


def test_a_log_that_is_polled_takes_no_page_of_somebody_else(page: Page, console: Console) -> None:
    (running,) = console.world.rows(
        sa.select(job_run).where(job_run.c.status == "RUNNING").limit(1)
    )
    page.route("**/stream?*", lambda route: route.fulfill(status=204))
    page.route("**/tail?*", _portal)
    page.goto(f"/runs/{running.id}")
    expect(page.get_by_text("The server does not answer")).to_be_visible()
    expect(page.get_by_text("Sign in")).to_have_count(0)
    expect(page.locator("#tail")).to_have_count(1)


def test_an_error_takes_no_page_away_that_refreshes_itself(page: Page) -> None:
    gone = "**/schedules/search-index"
    page.goto("/schedules/search-index")
    page.route(gone, lambda route: route.continue_(url=f"{route.request.url}-gone"))
    expect(page.get_by_text("The server has this no longer")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Search Index")
    page.unroute(gone)


@pytest.mark.parametrize("button", ["Run now", "Run …"])
@pytest.mark.parametrize("answer", [_bad_gateway, _no_answer])
def test_who_acts_or_asks_in_vain_is_told(page: Page, answer: Handler, button: str) -> None:
    page.goto("/schedules/weekly-cleanup")
    page.route("**/schedules/weekly-cleanup/run*", answer)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("status")).to_contain_text(NO_ANSWER)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Weekly Cleanup")


def test_a_dialog_that_cannot_be_says_why(page: Page) -> None:
    page.goto("/schedules/search-index")
    page.route(
        "**/schedules/search-index/run*",
        lambda route: route.continue_(url=route.request.url.replace("search-index", "gone")),
    )
    page.get_by_role("button", name="Run …").click()
    expect(page.get_by_role("dialog", name="Not Found")).to_contain_text("No schedule is called")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Search Index")


def test_news_from_before_a_deed_do_not_undo_what_it_shows(page: Page, console: Console) -> None:
    with console.world.database.write.begin() as connection:
        connection.execute(sa.update(job_schedule).values(run_count=job_schedule.c.run_count + 1))
    old_news: list[tuple[Route, APIResponse]] = []

    def hold_back(route: Route) -> None:
        if old_news or "live" not in route.request.headers.get("hx-source", ""):
            route.continue_()
        else:
            old_news.append((route, route.fetch()))

    page.route("**/schedules", hold_back)
    with page.expect_request("**/schedules"):
        pass
    switch = page.get_by_role("switch", name="Hourly Matching")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    ((route, answer),) = old_news
    route.fulfill(response=answer)
    page.wait_for_timeout(500)
    expect(switch).to_have_attribute("aria-checked", "false", timeout=1)
    page.get_by_role("button", name="Undo").click()
    expect(switch).to_have_attribute("aria-checked", "true")
