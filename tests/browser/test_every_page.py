"""Every page, in both themes and on a phone: usable by everyone, and without a complaint."""

from contextlib import suppress

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Console, Opener
from tests.browser.console import log_in
from tests.support.factories import TESTER, World
from tick.engine.ledger.audit import Act
from tick.errors import Refused
from tick.ops.actions import calendars
from tick.store.tables import job_run, job_schedule, occurrence, tick_log

pytestmark = pytest.mark.browser
DESKTOP = {"width": 1360, "height": 860}
PHONE = {"width": 360, "height": 740}
_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def _addresses(console: Console) -> list[str]:
    runs = {
        status: console.world.rows(sa.select(job_run).where(job_run.c.status == status))[0]
        for status in ("FAILED", "SKIPPED", "RUNNING", "SUCCESS")
    }
    return [
        "/",
        "/schedules",
        "/new-schedule",
        "/new-schedule?template=feed-refresh",
        "/calendars",
        "/new-calendar",
        "/calendars/plant?year=2026",
        "/calendars/plant/edit",
        "/calendars/plant/delete",
        "/schedules/daily-full-sync",
        "/schedules/feed-refresh",
        "/schedules/weekly-cleanup",
        "/schedules/search-index/enable",
        "/schedules/feed-refresh/pause",
        "/schedules/daily-full-sync/run",
        "/schedules/feed-refresh/resume",
        "/schedules/feed-refresh/disable",
        *(f"/runs/{run.id}" for run in runs.values()),
        f"/occurrences/{runs['FAILED'].occurrence_id}",
        f"/occurrences/{runs['FAILED'].occurrence_id}/retry",
        f"/occurrences/{runs['FAILED'].occurrence_id}/why",
        f"/occurrences/{runs['RUNNING'].occurrence_id}",
        "/runs",
        "/runs?status=FAILED",
        "/runs?job=nothing",
        "/runs?q=colour:red",
        "/runs/bulk?do=retry&which=all",
        "/runs/bulk?do=cancel",
        f"/runs/{runs['FAILED'].id}?wrap=off&q=tempo",
        f"/occurrences/{runs['RUNNING'].occurrence_id}?view=graph",
        f"/occurrences/{runs['RUNNING'].occurrence_id}?links=all&run={runs['RUNNING'].id}",
        f"/occurrences/{runs['RUNNING'].occurrence_id}/cancel",
        "/jobs",
        "/jobs?view=graph",
        "/jobs/match-suggestions",
        "/jobs/match-suggestions/run",
        "/groups/matching/run",
        "/run-all",
        "/scheduler/dry-run",
        "/keys",
        "/alerts",
        "/alerts?rule=silent",
        "/alerts/1",
        "/alerts/mute",
        "/audit",
        "/audit?actor=nobody",
        "/users",
        "/account",
        "/upcoming",
        "/upcoming?span=7d",
        "/upcoming?span=month",
        "/upcoming/feed",
        "/settings",
        "/api/admin/",
        "/users/password?name=vic",
        "/workers",
        "/stats",
        "/stats?window=7d&schedule=feed-refresh",
        "/stats?window=90d&job=compatibility",
        "/stats?job=nothing",
        "/workers/c0ffee/drain",
        "/queues/default/pause",
        "/nowhere",
    ]


def _make_calendar(world: World) -> None:
    options = {
        "dates": {"2026-02-14": "Founders' Day", "2026-12-31": "Works shutdown"},
        "half_days": {"2026-12-24": "13:00"},
        "working": ["2026-01-10"],
        "until": "2026-12-30",
    }
    act = Act(world.now, TESTER)
    with suppress(Refused):  # made for the pages in another theme
        calendars.make_calendar(world.database, act, "plant", world.registry, options)


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(
    console: Console,
    open_page: Opener,
    complaints: Complaints,
    theme: str,
    viewport: dict[str, int],
) -> None:
    complaints.expected = ("404", "422")
    _make_calendar(console.world)
    page = open_page(color_scheme=theme, viewport=viewport)
    page.goto("/login")
    assert _violations(page) == []
    log_in(page)
    for address in _addresses(console):
        page.goto(address)
        assert _violations(page) == [], address
        assert not page.evaluate(_TOO_WIDE), address
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme


def test_words_without_end_fit_a_phone(console: Console, open_page: Opener) -> None:
    world, endless = console.world, "supercalifragilistic" * 20
    running = world.rows(sa.select(job_run).where(job_run.c.status == "RUNNING"))[0]
    with world.database.write.begin() as connection:
        its_run, its_occurrence = (
            job_run.c.id == running.id,
            occurrence.c.id == running.occurrence_id,
        )
        connection.execute(sa.update(job_run).where(its_run).values(progress_text=endless))
        connection.execute(sa.update(occurrence).where(its_occurrence).values(reason=endless))
        connection.execute(sa.update(job_schedule).values(last_error=endless, description=endless))
        connection.execute(sa.update(tick_log).values(fired=100, not_fired=1000, runs=10000))
    page = log_in(open_page(viewport=PHONE))
    for address in (
        "/schedules",
        "/schedules/daily-full-sync",
        "/runs",
        f"/runs/{running.id}",
        f"/occurrences/{running.occurrence_id}",
        "/workers",
    ):
        page.goto(address)
        assert not page.evaluate(_TOO_WIDE), address


def test_the_dialog_and_its_toast_are_accessible(page: Page) -> None:
    page.get_by_role("switch", name="Search Index").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert _violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Enable").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert _violations(page) == []
    page.get_by_role("button", name="Undo").click()
