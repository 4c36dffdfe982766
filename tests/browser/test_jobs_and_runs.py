"""Jobs, occurrences and single runs in a real browser."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Console, Opener
from tests.browser.console import log_in
from tests.webapp.made_up_work import log_line
from tick import clock
from tick.engine.ledger.audit import Act, Author
from tick.engine.runs.settle import settle_occurrences
from tick.ops.actions import run_now
from tick.store.tables import job_run, occurrence

pytestmark = pytest.mark.browser
AT_THE_END = """() => {
  const log = document.getElementById("log");
  return log.scrollTop > 0 && log.scrollHeight - log.scrollTop - log.clientHeight < 40;
}"""


def _runs_of(console: Console, job: str) -> list[sa.Row[Any]]:
    return console.world.rows(sa.select(job_run).where(job_run.c.job_name == job))


def _start(console: Console, schedule_id: str) -> int:
    """A firing of a schedule that nobody has begun to work on; its occurrence."""
    return run_now.run_schedule(
        console.world.database, Act(clock.now(), Author("ada")), schedule_id, override_overlap=True
    )


def _runs(console: Console, occurrence_id: int) -> list[sa.Row[Any]]:
    query = sa.select(job_run).where(job_run.c.occurrence_id == occurrence_id)
    return console.world.rows(query.order_by(job_run.c.id))


def _set(console: Console, run_id: int, **values: object) -> None:
    with console.world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == run_id).values(**values))


def _node(page: Page, job: str) -> Locator:
    return page.get_by_role("link", name=re.compile(rf"^{job}, "))


def test_mistakes_stand_at_their_field_and_a_double_click_starts_once(
    page: Page, console: Console
) -> None:
    before = len(_runs_of(console, "trending"))
    page.goto("/jobs/trending")
    page.get_by_role("button", name="Run now").click()
    dialog = page.get_by_role("dialog")
    days = dialog.get_by_label("days")
    expect(days).to_have_value("7")
    days.fill("")
    days.press_sequentially("1.5")
    dialog.get_by_role("button", name="Run now").click()
    expect(dialog).to_contain_text("Input should be a valid integer")
    expect(days).to_have_attribute("aria-invalid", "true")
    assert len(_runs_of(console, "trending")) == before
    days.fill("3")
    dialog.get_by_role("button", name="Run now").dblclick()
    expect(page.get_by_role("status")).to_contain_text("Job trending: started.")
    expect(dialog).to_be_hidden()
    runs = _runs_of(console, "trending")
    assert len(runs) == before + 1
    assert runs[-1].params == {"days": 3}


def test_a_group_is_run_by_keyboard_alone(page: Page, console: Console) -> None:
    before = len(_runs_of(console, "thumbnails"))
    page.goto("/jobs")
    page.get_by_role("button", name=re.compile("Run group.*media")).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Run group media?")
    dialog.get_by_role("button", name="Run now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Group media: started.")
    assert len(_runs_of(console, "thumbnails")) == before + 1


def test_the_graph_is_walked_by_keyboard(page: Page) -> None:
    page.goto("/jobs?view=graph")
    expect(page.locator(".graph-node")).to_have_count(24)
    _node(page, "content-features").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(_node(page, "content-features")).to_be_focused()
    _node(page, "thumbnails").focus()
    page.keyboard.press("ArrowRight")
    walked = {"perceptual-hashes", "palettes"}
    assert page.evaluate("document.activeElement.dataset.id") in walked
    expect(page.locator(".graph-node[tabindex='0']")).to_have_count(1)
    _node(page, "optimize-database").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("optimize-database")


def test_the_graph_fits_or_shows_its_actual_size(open_page: Opener) -> None:
    page = log_in(open_page(viewport={"width": 360, "height": 740}))
    page.goto("/jobs?view=graph")
    picture = page.locator(".graph-picture")
    page.get_by_role("button", name="Fit to width").click()
    box = picture.bounding_box()
    assert box
    assert box["width"] < 360
    page.get_by_role("button", name="Actual size").click()
    expect(page.get_by_role("button", name="Fit to width")).to_be_visible()
    page.get_by_text("The same as a list").click()
    expect(page.get_by_role("list").get_by_role("link", name="match-scores").last).to_be_visible()


@pytest.mark.parametrize("view", ["", "?view=graph"])
def test_a_sync_is_watched_live_to_its_end(page: Page, console: Console, view: str) -> None:
    occurrence_id = _start(console, "daily-full-sync")
    page.goto(f"/occurrences/{occurrence_id}{view}")
    page.evaluate("window.untouched = true")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Queued")
    runs = _runs(console, occurrence_id)
    _set(console, runs[0].id, status="RUNNING", started_at=clock.now(), attempt=1)
    expect(page.get_by_text("0 of 24").last).to_be_visible()
    for run in runs:
        _set(console, run.id, status="SUCCESS", started_at=clock.now(), finished_at=clock.now())
    with console.world.database.write.begin() as connection:
        settle_occurrences(connection, [occurrence_id], clock.now())
    expect(heading).to_contain_text("Success")
    expect(page.get_by_text("24 of 24").last).to_be_visible()
    if view:
        expect(page.locator(".graph-node.tone-good")).to_have_count(24)
        expect(_node(page, "integrity-checks")).to_have_accessible_name("integrity-checks, Success")
    assert page.evaluate("window.untouched")


def test_an_occurrence_is_cancelled_after_a_question(page: Page, console: Console) -> None:
    occurrence_id = _start(console, "hourly-matching")
    page.goto(f"/occurrences/{occurrence_id}")
    page.get_by_role("button", name=re.compile("Cancel.*the whole occurrence")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("4 queued runs will not start")
    dialog.get_by_role("link", name="Keep it").click()
    assert {run.status for run in _runs(console, occurrence_id)} == {"QUEUED"}
    page.get_by_role("button", name=re.compile("Cancel.*the whole occurrence")).click()
    dialog.get_by_role("button", name="Cancel all of it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cancelled")
    query = sa.select(occurrence.c.outcome).where(occurrence.c.id == occurrence_id)
    assert console.world.rows(query)[0].outcome == "CANCELLED"


def _running(console: Console) -> int:
    run = _runs(console, _start(console, "search-index"))[0]
    _set(console, run.id, status="RUNNING", started_at=clock.now(), attempt=1)
    return int(run.id)


def test_a_log_comes_as_a_stream_that_ends_with_the_run(page: Page, console: Console) -> None:
    run_id = _running(console)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/runs/{run_id}")
    with page.expect_response(re.compile("/stream")) as answer:
        pass
    assert answer.value.headers["content-type"].startswith("text/event-stream")
    log_line(console.world, run_id, clock.now(), "info", "\x1b[32mall is well\x1b[0m <b>")
    expect(page.get_by_role("log")).to_contain_text("all is well <b>")
    expect(page.locator(".ansi32")).to_have_text("all is well")
    assert not [url for url in asked if "/tail" in url]
    _set(console, run_id, status="SUCCESS", finished_at=clock.now())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Success")
    expect(page.get_by_text("Waiting for more")).to_have_count(0)
    streams = len([url for url in asked if "/stream" in url])
    page.wait_for_timeout(1500)
    assert len([url for url in asked if "/stream" in url]) == streams


def test_a_log_in_a_tab_that_was_hidden_goes_on_where_it_was(page: Page, console: Console) -> None:
    run_id = _running(console)
    page.goto(f"/runs/{run_id}")
    log_line(console.world, run_id, clock.now(), "info", "before it was hidden")
    expect(page.get_by_text("before it was hidden")).to_be_visible()
    for hidden in ("true", "false"):
        page.evaluate(
            f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
    log_line(console.world, run_id, clock.now(), "info", "after it was hidden")
    expect(page.get_by_text("after it was hidden")).to_be_visible()
    expect(page.get_by_text("before it was hidden")).to_have_count(1)


def test_a_page_that_is_swapped_keeps_each_line_once(page: Page, console: Console) -> None:
    run_id = _running(console)
    page.goto(f"/runs/{run_id}")
    log_line(console.world, run_id, clock.now(), "info", "said before")
    expect(page.get_by_text("said before")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Stopping")).to_be_disabled()
    for number in range(3):
        log_line(console.world, run_id, clock.now(), "info", f"said after, {number}")
        expect(page.get_by_text(f"said after, {number}")).to_have_count(1)
    page.wait_for_timeout(2500)
    expect(page.locator(".log-line")).to_have_count(4)


def test_logs_beyond_the_places_for_streams_are_polled(open_page: Opener, console: Console) -> None:
    run_id = _running(console)
    pages = [log_in(open_page()) for _ in range(3)]
    asked: list[str] = []
    for page in pages:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/runs/{run_id}")
    log_line(console.world, run_id, clock.now(), "info", "everybody reads this")
    for page in pages:
        expect(page.get_by_role("log")).to_contain_text("everybody reads this")
        expect(page.get_by_text("everybody reads this")).to_have_count(1)
    assert any("/tail" in url for url in asked)


def test_who_scrolls_up_in_a_log_is_left_there(page: Page, console: Console) -> None:
    run_id = _running(console)
    for number in range(120):
        log_line(console.world, run_id, clock.now(), "info", f"line {number}")
    page.goto(f"/runs/{run_id}")
    follow = page.get_by_label("Follow")
    expect(follow).to_be_checked()
    page.wait_for_function(AT_THE_END)
    page.locator("#log").evaluate("log => { log.scrollTop = 0; }")
    expect(follow).not_to_be_checked()
    log_line(console.world, run_id, clock.now(), "info", "the newest")
    expect(page.get_by_role("log")).to_contain_text("the newest")
    assert page.locator("#log").evaluate("log => log.scrollTop") == 0
    follow.check()
    page.wait_for_function(AT_THE_END)


def test_a_command_is_copied_also_where_there_is_no_clipboard(page: Page, console: Console) -> None:
    run_id = _running(console)
    page.goto(f"/runs/{run_id}")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_text("Copy as command").click()
    page.get_by_role("button", name=re.compile("Copy.*Run the job again")).click()
    expect(page.get_by_role("button", name=re.compile("Copied.*Run the job again"))).to_be_visible()
    assert page.evaluate("getSelection().toString()") == "tick run --job search-index"
    copied = page.get_by_role("button", name=re.compile("Copied.*Run the job again"))
    copied.click()
    expect(copied).to_be_hidden()
    page.evaluate("document.execCommand = () => false")
    page.get_by_role("button", name=re.compile("Copy.*Run the job again")).click()
    expect(page.get_by_role("button", name=re.compile("Selected.*Run the job"))).to_be_visible()


def test_jobs_and_runs_without_javascript(open_page: Opener, console: Console) -> None:
    page = log_in(open_page(java_script_enabled=False))
    page.goto("/jobs?view=graph")
    page.get_by_role("link", name="trending", exact=True).click()
    page.get_by_role("button", name="Run now").click()
    page.get_by_label("days").fill("9")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("status")).to_contain_text("Job trending: started.")
    assert _runs_of(console, "trending")[-1].params == {"days": 9}
    page.get_by_role("link", name="Watch").click()
    page.get_by_role("button", name=re.compile("Cancel.*the whole occurrence")).click()
    page.get_by_role("button", name="Cancel all of it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cancelled")
    run_id = _running(console)
    log_line(console.world, run_id, clock.now(), "info", "needle in it")
    page.goto(f"/runs/{run_id}")
    assert "load the page again to see it" in page.get_by_role("log").inner_text()
    page.goto(f"/runs/{run_id}?q=needle")
    expect(page.get_by_role("log")).to_contain_text("needle in it")
