"""The console below a path of its host, in a real browser: it never asks for anything beside it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Opener
from tests.browser.console import served
from tests.webapp.scenes import PASSWORD, SETTINGS, build_scene
from tests.webapp.stripping import PREFIX, StrippingProxy
from tick import clock
from tick.runtime import Runtime
from tick.store.database import Database
from webapp import create_app

pytestmark = pytest.mark.browser


@pytest.fixture
def address(tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """Where the console is, with the path."""
    path = tmp_path / "tick.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    world = build_scene(database, clock.now(), hours=1)
    behind = create_app(Runtime(SETTINGS.model_copy(update={"proxy_hops": 1}), database))
    with served(world, lambda _: StrippingProxy(behind)) as url:
        yield f"{url}{PREFIX}"
    database.close()


def test_every_page_that_a_link_leads_to_lies_below_the_path(
    open_page: Opener, address: str, complaints: Complaints
) -> None:
    page = open_page()
    page.on("request", lambda sent: complaints._note(not sent.url.startswith(address), sent.url))
    complaints.expected = (f"{address}/",)
    page.goto(f"{address}/runs?status=FAILED")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}/runs?status=FAILED")
    seen, ahead = set(), [f"{address}/"]
    while ahead:
        place = ahead.pop()
        if (kind := _kind(place)) in seen:
            continue
        seen.add(kind)
        answer = page.goto(place)
        assert answer is not None and answer.status == 200, place
        ahead += _links(page)
    assert len(seen) > 12, seen
    page.goto(f"{address}/runs")
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(f"{address}/schedules")


def _links(page: Page) -> list[str]:
    """Where the links of the page lead to, but for files."""
    found = page.eval_on_selector_all("a[href]", _TARGETS)
    return [place.partition("#")[0] for place in found if not _is_file(place)]


# A link in a drawing has an object as its href.
_TARGETS = "links => links.map((link) => new URL(link.getAttribute('href'), document.baseURI).href)"


def _is_file(place: str) -> bool:
    return place.partition("?")[0].endswith((".csv", ".json", ".txt", ".ics"))


def _kind(place: str) -> str:
    """The page, whichever row it is of."""
    parts = place.partition("?")[0].rstrip("/").split("/")[4:]
    return "/".join(parts[:1] + ["*"] * (len(parts) > 1) + parts[2:])
