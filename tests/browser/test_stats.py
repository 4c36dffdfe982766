"""Statistics in a real browser: plots are drawn from their tables, and lead to the runs."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.browser.console import log_in
from tests.browser.test_every_page import _violations

pytestmark = pytest.mark.browser


def test_each_figure_is_drawn_and_its_table_folded(page: Page) -> None:
    page.goto("/stats")
    figures = page.locator("figure.plot")
    expect(figures).to_have_count(4)
    expect(page.locator("figure.plot .plot-picture[role=img] canvas")).to_have_count(4)
    expect(
        page.get_by_role("img", name=re.compile("Runs that ended: [0-9]+ succeeded"))
    ).to_be_visible()
    expect(figures.first.locator("table")).not_to_be_visible()
    figures.first.locator("summary").click()
    expect(figures.first.locator("table")).to_be_visible()
    assert _violations(page) == []


def test_the_pointer_is_told_what_it_is_over_and_a_click_leads_to_the_runs(page: Page) -> None:
    page.goto("/stats?window=7d")
    figure = page.locator("figure.plot").first
    over = figure.locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    last = {"x": box["width"] - 20, "y": box["height"] / 2}
    over.hover(position=last)
    expect(figure.locator(".legend")).to_contain_text(re.compile("Succeeded [0-9]+"))
    over.click(position=last)
    expect(page).to_have_url(re.compile("/runs\\?since="))


def test_plots_follow_the_theme_and_the_width(page: Page) -> None:
    page.goto("/stats")
    page.set_viewport_size({"width": 700, "height": 800})
    width = "document.querySelector('.plot canvas').getBoundingClientRect().width"
    page.wait_for_function(f"{width} < 680")
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("figure.plot canvas").first).to_be_visible()


def test_without_javascript_the_tables_are_there(open_page: Opener) -> None:
    page = log_in(open_page(java_script_enabled=False))
    page.goto("/stats")
    expect(page.locator("figure.plot table").first).to_be_visible()
