"""`python -m tests.browser.screenshots`: the pictures of the README, taken from a made-up day."""

import logging
import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.console import log_in, served
from tests.support.browser import launch_options, node
from tests.support.factories import World
from tests.webapp.scenes import build_scene
from tick import clock
from tick.ops.queries import runs as queries
from tick.ops.queries.runs import RunFilter
from tick.states import RunStatus
from tick.store import schema
from tick.store.database import Database

FOLDER = Path(__file__).parents[2] / "webapp" / "screenshots"
SIZE = {"width": 1360, "height": 1000}


def main() -> None:
    """Take the pictures."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(node())
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/tick.db")
        schema.upgrade(database)
        world = build_scene(database, clock.now())
        with served(world) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(**launch_options())
            page = browser.new_page(base_url=url, viewport=SIZE, locale="en-GB", timezone_id="UTC")
            _take(log_in(page), world)
            browser.close()
        database.close()


def _take(page: Page, world: World) -> None:
    for name, path in _paths(world).items():
        page.goto(path)
        page.screenshot(path=FOLDER / f"{name}.png")
        print(f"{FOLDER.name}/{name}.png")


def _paths(world: World) -> dict[str, str]:
    """What to show: the schedules, a sync at work, a failed run with its log."""
    with world.database.read.connect() as connection:
        running = queries.list_runs(connection, RunFilter(status=RunStatus.RUNNING)).items[0]
        failed = queries.list_runs(connection, RunFilter(status=RunStatus.FAILED)).items[0]
    return {
        "schedules": "/schedules",
        "sync": f"/occurrences/{running.occurrence_id}",
        "run": f"/runs/{failed.id}",
    }


if __name__ == "__main__":
    main()
