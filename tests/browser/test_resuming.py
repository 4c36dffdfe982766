"""A schedule is resumed in a browser, with what passed run in each of its ways."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Console
from tests.support.factories import TESTER
from tick import clock
from tick.engine.ledger.audit import Act
from tick.ops.actions import switches

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("choice", ["latest", "chosen"])
def test_what_passed_in_a_pause_is_run_as_its_reader_chooses(
    page: Page, console: Console, choice: str
) -> None:
    world, schedule_id = console.world, "search-index"  # every four hours
    act = Act(clock.now() - timedelta(hours=9), TESTER, reason="the partner is down")
    switches.enable_schedule(world.database, act, schedule_id)
    switches.pause_schedule(world.database, act, schedule_id)
    page.goto(f"/schedules/{schedule_id}")
    page.get_by_role("button", name="Resume").click()
    dialog = page.get_by_role("dialog")
    if choice == "latest":
        dialog.get_by_label("Run the latest instant").check()
    else:
        dialog.get_by_label("Run those that I choose").check()
        dialog.get_by_role("checkbox").nth(1).check()
    dialog.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert world.schedule(schedule_id).state == "ACTIVE"
    assert (world.schedule(schedule_id).asked_for is not None) == (choice == "latest")
    started = [at for outcome, at, _ in world.ledger(schedule_id) if outcome == "QUEUED"]
    assert len(started) == (choice == "chosen")
