"""The chart of an occurrence under the pointer and the keyboard."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, Opener
from tests.browser.console import log_in
from tick.store.tables import job_run

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def runs(console: Console) -> dict[str, int]:
    """The runs of the first night's sync, by job."""
    nightly = sa.select(job_run).where(job_run.c.schedule_id == "daily-full-sync")
    rows = console.world.rows(nightly.order_by(job_run.c.id).limit(24))
    return {row.job_name: row.id for row in rows}


@pytest.fixture
def chart(console: Console, runs: dict[str, int]) -> str:
    """Where that night's chart is."""
    query = sa.select(job_run).where(job_run.c.id == runs["trending"])
    return f"/occurrences/{console.world.rows(query)[0].occurrence_id}"


def _seen(page: Page) -> int:
    """How many pieces of lines are drawn; they have no area, so Playwright sees none of them."""
    script = "all => all.filter(line => line.getClientRects().length).length"
    seen: int = page.locator(".links line").evaluate_all(script)
    return seen


def test_a_row_shows_what_it_waited_for_and_who_waited_for_it(
    page: Page, chart: str, runs: dict[str, int]
) -> None:
    page.goto(chart)
    critical = _seen(page)
    assert critical == page.locator(".links .critical").count() > 0
    page.locator(f"#run-{runs['ranked-feeds']}").hover()
    for upstream in ("trending", "affinity", "content-features"):
        line = f'[data-from="{runs[upstream]}"][data-to="{runs["ranked-feeds"]}"]'
        expect(page.locator(f"{line}.near")).not_to_have_count(0)
    downstream = f'[data-to="{runs["integrity-checks"]}"].near'
    expect(page.locator(downstream)).not_to_have_count(0)
    page.get_by_role("heading", level=1).hover()
    expect(page.locator(".links .near")).to_have_count(0)
    page.locator(f"#run-{runs['match-scores']} .bar").focus()
    expect(page.locator(".links .near")).not_to_have_count(0)


def test_all_links_are_a_click_away_and_end_at_their_bars(
    page: Page, chart: str, runs: dict[str, int]
) -> None:
    page.goto(chart)
    page.get_by_role("link", name="Show all links").click()
    assert _seen(page) == page.locator(".links line").count()
    line = page.locator(f'[data-from="{runs["match-scores"]}"]').first.bounding_box()
    bar = page.locator(f"#run-{runs['match-scores']} .gantt rect").nth(2).bounding_box()
    assert line and bar
    assert abs(line["x"] - (bar["x"] + bar["width"])) < 2
    assert abs(line["y"] - (bar["y"] + bar["height"] / 2)) < 3
    page.get_by_role("link", name="Only the critical links").click()
    expect(page.get_by_role("link", name="Show all links")).to_be_visible()


def test_a_bar_opens_the_log_below_the_chart(page: Page, chart: str) -> None:
    page.goto(chart)
    page.get_by_role("link", name="Log of match-scores").click()
    expect(page.get_by_role("heading", name="Log of match-scores")).to_be_in_viewport()
    expect(page.get_by_role("log")).to_contain_text("match-scores")
    page.get_by_role("link", name="Close the log").click()
    expect(page.get_by_role("log")).to_have_count(0)


def test_a_phone_names_what_each_run_came_after_instead_of_drawing_lines(
    open_page: Opener, chart: str, runs: dict[str, int]
) -> None:
    page = log_in(open_page(viewport=PHONE))
    page.goto(f"{chart}?links=all")
    expect(page.locator(".bar").first).to_be_visible()
    assert _seen(page) == 0
    feeds = page.locator(f"#run-{runs['ranked-feeds']}")
    for upstream in ("trending", "affinity", "content-features"):
        expect(feeds.get_by_role("link", name=upstream, exact=True)).to_be_visible()
    feeds.get_by_role("link", name="trending", exact=True).click()
    expect(page.locator(f"#run-{runs['trending']}")).to_be_in_viewport()
