"""A schedule is made by hand in a browser: by mouse, by keyboard on a phone, without a script."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Console, Opener
from tests.browser.console import log_in
from tests.browser.test_every_page import PHONE, _violations
from tests.support.factories import TESTER
from tick import clock
from tick.engine.ledger.audit import Act
from tick.ops.actions import custom_schedules
from tick.ops.queries.written import read_written

pytestmark = pytest.mark.browser


def _written(console: Console, schedule_id: str) -> Any:
    with console.world.database.read.connect() as connection:
        found = read_written(connection, schedule_id)
    return found and dict(found.options)


def _has_no_violations(page: Page) -> None:
    assert _violations(page) == []


def test_daily_full_sync_is_made_edited_by_two_turned_into_code_deleted_and_restored(
    page: Page, console: Console, complaints: Complaints
) -> None:
    complaints.expected = ("409",)  # a browser notes the answer of the second editor
    page.get_by_role("link", name="New schedule").click()
    page.get_by_role("link", name=re.compile("^Daily Full Sync")).click()
    preview, cron = page.locator("#preview"), page.get_by_label("Cron expression")
    expect(preview).to_contain_text("At 02:00")
    expect(preview.locator("ol li")).to_have_count(10)
    page.get_by_label("Hour", exact=True).fill("4")
    expect(preview).to_contain_text("At 04:00")
    expect(cron).to_have_value("0 4 * * *")
    page.get_by_role("button", name="Every 15 minutes").click()
    expect(preview).to_contain_text("Every 15 minutes")
    expect(page.get_by_label("Minute", exact=True)).to_have_value("*/15")
    cron.fill("61 4 * * *")
    expect(page.locator("#problem-cron")).to_contain_text("write a number from 0 to 59")
    expect(page.locator("u.wrong")).to_have_text("61")
    expect(cron).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Minute", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Hour", exact=True)).not_to_have_attribute("aria-invalid", "true")
    _has_no_violations(page)
    cron.fill("30 4 * * *")
    page.get_by_role("combobox", name="Time zone").fill("Europe/Berlin")
    expect(preview).to_contain_text(re.compile("04:30 CES?T"))
    expect(page.locator("#problem-cron")).to_be_empty()
    page.get_by_label("A group").check()
    page.get_by_label("Group", exact=True).select_option("feed")
    expect(page.locator("#picked")).to_contain_text("4 jobs, in this order")
    page.get_by_role("button", name="Create schedule").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Daily Full Sync")
    made = page.url.rpartition("/")[2]
    assert _written(console, made)["cron"] == "30 4 * * *"

    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Description").fill("The feeds, early")
    act = Act(clock.now(), TESTER)
    world = console.world
    later = {"cron": "30 5 * * *"}
    custom_schedules.edit_schedule(world.database, act, made, world.registry, later)
    page.get_by_role("button", name="Save", exact=True).click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("tester changed this schedule")
    expect(told).to_contain_text("30 5 * * *")
    expect(page.get_by_label("Description")).to_have_value("The feeds, early")
    _has_no_violations(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("is saved")
    kept = _written(console, made)
    assert (kept["cron"], kept["description"]) == ("30 5 * * *", "The feeds, early")

    page.get_by_role("link", name="Show as code").click()
    expect(page.locator("pre").first).to_contain_text('cron="30 5 * * *",')
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name=re.compile("Copied|Selected"))).to_be_visible()
    _has_no_violations(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert console.world.schedule(made).state == "REMOVED"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").first).to_contain_text("is back as it was, switched off")
    assert console.world.schedule(made).state == "ACTIVE"


def test_it_is_made_by_keyboard_alone_on_a_phone(console: Console, open_page: Opener) -> None:
    page = log_in(open_page(viewport=PHONE))
    page.get_by_role("link", name="New schedule").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("By keyboard")
    page.get_by_label("By the clock").focus()
    page.keyboard.press("ArrowRight")  # the next of the three ways
    expect(page.get_by_label("Cron expression")).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.type("6")
    page.keyboard.press("Tab")
    page.keyboard.type("hours")
    expect(page.locator("#preview")).to_contain_text("Every 6 hours")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("By keyboard")
    assert _written(console, "by-keyboard") == {"name": "By keyboard", "every": 21600}


def test_it_is_made_without_a_script(
    console: Console, open_page: Opener, complaints: Complaints
) -> None:
    complaints.expected = ("422",)
    page = open_page(java_script_enabled=False)
    log_in(page)
    page.goto("/new-schedule")
    page.get_by_role("button", name="Sundays at 03:00").click()
    expect(page.locator("#preview")).to_contain_text("on Sunday")
    page.get_by_label("One job").check()
    page.get_by_role("button", name="Create schedule").click()
    expect(page.get_by_role("alert")).to_contain_text("2 mistakes below are marked")
    page.get_by_label("Name", exact=True).fill("Plain")
    page.get_by_label("Job", exact=True).select_option("trending")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#picked")).to_contain_text("1 job, in this order")
    page.get_by_text("Parameters:").click()
    page.get_by_role("spinbutton", name="days").fill("3")
    page.get_by_role("button", name="Create schedule").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Plain")
    assert _written(console, "plain") == {
        "name": "Plain",
        "cron": "0 3 * * SUN",
        "job": "trending",
        "params": {"days": 3},
    }
