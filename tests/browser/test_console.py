"""What an admin does all day, in a real browser."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Console, Opener
from tests.browser.console import log_in
from tests.webapp.made_up_work import log_line
from tests.webapp.scenes import PASSWORD
from tick import clock
from tick.store.tables import job_run, occurrence

pytestmark = pytest.mark.browser


def _switch(page: Page, name: str) -> Locator:
    return page.get_by_role("switch", name=name)


def _occurrences(console: Console, schedule_id: str) -> int:
    query = sa.select(occurrence.c.id).where(occurrence.c.schedule_id == schedule_id)
    return len(console.world.rows(query))


def test_somebody_logs_in_by_keyboard_alone(open_page: Opener) -> None:
    page = open_page()
    page.goto("/schedules")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Schedules", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()


def test_a_schedule_is_enabled_after_a_preview_and_undone(page: Page, console: Console) -> None:
    switch = _switch(page, "Search Index")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Enable Search Index?")
    expect(dialog.get_by_role("listitem")).to_have_count(3)
    assert not console.world.schedule("search-index").enabled
    dialog.get_by_role("button", name="Enable").click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(dialog).to_be_hidden()
    assert console.world.schedule("search-index").enabled
    page.get_by_role("button", name="Undo").click()
    expect(switch).to_have_attribute("aria-checked", "false")
    assert not console.world.schedule("search-index").enabled


def test_cancelling_the_preview_changes_nothing(page: Page, console: Console) -> None:
    switch, dialog = _switch(page, "Weekly Cleanup"), page.get_by_role("dialog")
    switch.click()
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    switch.click()
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert not console.world.schedule("weekly-cleanup").enabled


def test_switching_off_by_keyboard_keeps_the_focus(page: Page, console: Console) -> None:
    switch = _switch(page, "Hourly Matching")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(switch).to_be_focused()
    console.world.now = clock.now()
    console.world.enable("hourly-matching")


def test_a_double_click_on_run_now_starts_once(page: Page, console: Console) -> None:
    before = _occurrences(console, "weekly-cleanup")
    page.get_by_role("button", name="Run now Weekly Cleanup").dblclick()
    expect(page.get_by_role("status")).to_contain_text("Weekly Cleanup was started.")
    assert _occurrences(console, "weekly-cleanup") == before + 1
    expect(page.locator("#schedule-weekly-cleanup")).to_contain_text("0 of")
    page.get_by_role("link", name="Watch it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Weekly Cleanup")


def test_a_failed_run_is_found_and_its_traceback_read(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Runs").click()
    page.get_by_text("By field").click()
    page.get_by_label("State").select_option("Failed")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"status=FAILED"))
    page.get_by_role("link", name="compatibility").first.click()
    expect(page.get_by_role("heading", name="KeyError")).to_be_visible()
    expect(page.get_by_text("Traceback (most recent call last)")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("giving up: 'tempo'")


def test_a_schedule_is_paused_with_a_reason_and_resumed(page: Page, console: Console) -> None:
    page.goto("/schedules/hourly-matching")
    page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Pause").click()
    expect(dialog.get_by_label("Reason")).to_be_focused()  # it asks for one
    page.keyboard.type("the partner is down")
    dialog.get_by_label("How long").select_option("For 4 hours")
    dialog.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("the partner is down (ada), until")).to_be_visible()
    assert console.world.schedule("hourly-matching").state == "PAUSED"
    page.get_by_role("button", name="Resume").click()
    expect(dialog).to_contain_text("the partner is down")
    dialog.get_by_label("Let it rest").check()
    dialog.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert console.world.schedule("hourly-matching").state == "ACTIVE"


def test_what_failed_is_retried_with_what_it_blocked(page: Page, console: Console) -> None:
    (run,) = console.world.rows(
        sa.select(job_run).where(job_run.c.job_name == "trending", job_run.c.status == "FAILED")
    )
    page.goto(f"/occurrences/{run.occurrence_id}")
    page.get_by_role("button", name="Retry", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    dialog.get_by_label("Even while another").check()
    dialog.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status")).to_contain_text("Put back into the queue: 2 runs.")
    expect(page.get_by_role("button", name="Cancel, trending")).to_be_visible()


def test_a_page_follows_what_happens_without_a_reload(page: Page, console: Console) -> None:
    (run,) = console.world.rows(
        sa.select(job_run).where(job_run.c.status == "RUNNING").order_by(job_run.c.id).limit(1)
    )
    page.goto(f"/runs/{run.id}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Running")
    page.evaluate("window.untouched = true")
    log_line(console.world, run.id, clock.now(), "warning", "half of it is done")
    expect(page.get_by_role("log")).to_contain_text("half of it is done")
    with console.world.database.write.begin() as connection:
        done = {"status": "SUCCESS", "finished_at": clock.now() + timedelta(seconds=1)}
        connection.execute(sa.update(job_run).where(job_run.c.id == run.id).values(**done))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Success")
    expect(page.get_by_text("Waiting for more")).to_have_count(0)
    assert page.evaluate("window.untouched")


def test_a_hidden_tab_asks_for_nothing(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    page.wait_for_timeout(6500)
    assert asked == []


def test_the_theme_follows_the_system_until_somebody_chooses(open_page: Opener) -> None:
    page = log_in(open_page(color_scheme="dark"))
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Light theme").click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.goto("/runs")
    expect(root).to_have_attribute("data-bs-theme", "light")


def test_the_basics_work_without_javascript(open_page: Opener, console: Console) -> None:
    page = log_in(open_page(java_script_enabled=False))
    _switch(page, "Search Index").click()
    expect(page.get_by_role("heading", name="Enable Search Index?")).to_be_visible()
    page.get_by_role("button", name="Enable").click()
    expect(page).to_have_url(re.compile(r"/schedules$"))
    _switch(page, "Search Index").click()
    expect(page.get_by_role("status")).to_contain_text("Search Index is off.")
    page.get_by_role("button", name="Run now Search Index").click()
    page.get_by_role("link", name="Watch it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Search Index")
    page.goto("/runs")
    page.get_by_label("Search the runs").fill("job:trending")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="trending").first.click()
    expect(page.get_by_role("log")).to_be_visible()


def test_single_keys_lead_everywhere_and_rest_while_typing(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Next row")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tbody tr").nth(1).locator("a").first).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("g?j")
    expect(page.get_by_label("Search the runs")).to_have_value("g?j")
    expect(dialog).to_be_hidden()


def test_times_are_shown_in_the_zone_of_the_browser_if_asked(open_page: Opener) -> None:
    page = log_in(open_page(timezone_id="Asia/Kolkata"))
    page.goto("/schedules/daily-full-sync")
    expect(page.get_by_role("link", name="02:00 UTC").first).to_be_visible()
    page.get_by_role("button", name="my zone").click()
    expect(page.get_by_role("link", name="07:30 IST").first).to_be_visible()
    page.goto("/jobs")
    page.keyboard.press("t")
    expect(page.locator("tbody time").last).to_contain_text("GMT+5:30")


def test_a_time_that_was_tapped_stays_exact_when_the_page_refreshes(
    page: Page, console: Console
) -> None:
    (run,) = console.world.rows(sa.select(job_run).order_by(job_run.c.id.desc()).limit(1))
    page.goto("/runs")
    row = page.locator(f"#run-{run.id}")
    row.locator("time").click()
    expect(row.locator("time")).to_contain_text(f"{run.queued_at:%Y-%m-%d %H:%M}")
    with console.world.database.write.begin() as connection:
        changed = sa.update(job_run).where(job_run.c.id == run.id)
        connection.execute(changed.values(reason="something to read"))
    expect(row).to_contain_text("something to read")
    expect(row.locator("time")).to_contain_text(f"{run.queued_at:%Y-%m-%d %H:%M}")
    row.locator("time").click()
    expect(row.locator("time")).to_contain_text("ago")
