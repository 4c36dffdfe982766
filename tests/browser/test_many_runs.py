"""Finding runs, sharing what was found, doing the same to many, and the calendars by keyboard."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console, Opener
from tests.browser.console import log_in
from tick import clock
from tick.store.tables import audit_entry, job_run, job_schedule

pytestmark = pytest.mark.browser


def _failed(console: Console) -> list[int]:
    query = sa.select(job_run.c.id).where(job_run.c.status == "FAILED").order_by(job_run.c.id)
    return [row.id for row in console.world.rows(query)]


def test_what_was_found_is_shared_by_its_address(open_page: Opener, page: Page) -> None:
    page.goto("/runs")
    line = "status:failed job:compatibility since:30d tempo"
    page.get_by_label("Search the runs").fill(line)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs\?q="))
    names = page.locator("tbody .name").all_inner_texts()
    assert set(names) == {"compatibility"}
    colleague = log_in(open_page(), "vic")
    colleague.goto(page.url)
    expect(colleague.locator("tbody .name")).to_have_text(names)
    page.reload()
    expect(page.locator("tbody .name")).to_have_text(names)
    expect(page.get_by_label("Search the runs")).to_have_value(line)


def test_the_runs_that_were_ticked_are_retried_after_a_preview(
    page: Page, console: Console
) -> None:
    first, *_ = _failed(console)
    page.goto("/runs?q=status:failed")
    page.get_by_role("checkbox", name=f"Choose run {first},").check()
    page.get_by_role("button", name="Retry …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Retry 1 run?")
    assert first in _failed(console)
    dialog.get_by_label("Reason, if you like").fill("the partner is back")
    dialog.get_by_label("Even while another").check()
    dialog.get_by_role("button", name="Retry 1").click()
    # What was skipped because of it goes along.
    expect(page.get_by_role("status")).to_contain_text("2 runs: in the queue again.")
    expect(page).to_have_url(re.compile(r"q=status:failed"))
    expect(page.get_by_role("checkbox", name=f"Choose run {first},")).to_have_count(0)
    entries = console.world.rows(sa.select(audit_entry).where(audit_entry.c.action == "runs.retry"))
    assert [entry.reason for entry in entries] == ["the partner is back"]


def test_all_that_match_are_retried_without_javascript(open_page: Opener, console: Console) -> None:
    page = log_in(open_page(java_script_enabled=False))
    page.goto("/runs?q=status:skipped")
    count = page.get_by_role("checkbox").count()
    page.get_by_label("Which runs").select_option("All that match")
    page.get_by_role("button", name="Cancel …").click()
    expect(page.get_by_role("heading", name="Nothing to cancel")).to_be_visible()
    page.go_back()
    page.get_by_label("Which runs").select_option("All that match")
    page.get_by_role("button", name="Retry …").click()
    expect(page.get_by_role("heading", name=f"Retry {count} run")).to_be_visible()


def test_all_schedules_of_a_page_are_switched_by_keyboard_and_undone(
    page: Page, console: Console
) -> None:
    page.goto("/schedules?choose=on")
    boxes, every = page.locator(".pick"), page.get_by_label("All on this page")
    enabled = {row.id: row.enabled for row in console.world.rows(sa.select(job_schedule))}
    every.focus()
    page.keyboard.press("Space")
    expect(page.locator(".pick:checked")).to_have_count(boxes.count())
    boxes.first.uncheck()
    expect(every).not_to_be_checked()
    assert every.evaluate("box => box.indeterminate")
    boxes.first.check()
    expect(every).to_be_checked()
    page.get_by_role("button", name="Enable …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Enable")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("[role=switch][aria-checked=false]")).to_have_count(0)
    expect(every).not_to_be_checked()
    page.get_by_role("button", name="Undo").click()
    off = sum(not is_on for is_on in enabled.values())
    expect(page.locator("[role=switch][aria-checked=false]")).to_have_count(off)
    now = {row.id: row.enabled for row in console.world.rows(sa.select(job_schedule))}
    assert now == enabled


def test_a_list_rests_while_somebody_chooses(page: Page) -> None:
    page.goto("/runs")
    page.get_by_role("checkbox").first.check()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6500)
    assert asked == []
    expect(page.get_by_text("Rests while you choose")).to_be_visible()


def test_a_list_goes_on_when_the_deed_is_done(page: Page, console: Console) -> None:
    page.goto("/schedules?choose=on")
    page.get_by_role("checkbox", name="Hourly Matching").check()
    page.get_by_role("button", name="Disable …").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable 1").click()
    expect(page.get_by_role("status")).to_contain_text("1 schedule: off.")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)
    with page.expect_request("**/schedules?choose=on"):
        pass
    console.world.now = clock.now()
    console.world.enable("hourly-matching")


def test_another_deed_leaves_what_is_ticked(page: Page) -> None:
    page.goto("/schedules?choose=on")
    page.get_by_role("checkbox", name="Hourly Matching").check()
    switch = page.get_by_role("switch", name="Daily Full Sync")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(page.get_by_role("checkbox", name="Hourly Matching")).to_be_checked()
    page.get_by_role("button", name="Undo").click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(page.get_by_role("checkbox", name="Hourly Matching")).to_be_checked()


def test_the_month_is_walked_by_the_arrows(page: Page) -> None:
    page.goto("/upcoming?span=month")
    page.get_by_role("link", name=re.compile("^[A-Z][a-z]+$")).last.click()  # the next month
    first = page.locator(
        ".month tbody a[href$='-01']"
    ).first  # the last days of this one stand before it
    expect(first).to_contain_text("1")
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text("8")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"from=\d{4}-\d\d-08"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Upcoming")


def test_a_square_of_the_calendar_opens_what_happened_that_day(page: Page) -> None:
    page.goto("/schedules/daily-full-sync")
    square = page.get_by_role("link", name=re.compile(r"1 failed")).first
    square.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"day=\d{4}-\d\d-\d\d#history"))
    expect(page.locator("#history tbody tr", has_text="Failed")).to_have_count(1)
    expect(page.locator("#history tbody tr", has_text="Success")).to_have_count(0)


def test_an_address_for_a_calendar_program_is_shown_once(page: Page) -> None:
    page.goto("/upcoming")
    page.get_by_role("button", name="Calendar feed").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make an address").click()
    address = page.get_by_label("The address of your calendar").input_value()
    assert page.request.get(address).text().startswith("BEGIN:VCALENDAR")
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Calendar feed").click()
    expect(dialog).to_contain_text("There is one, last read")
