"""A console with a day behind it, served to a real browser; any complaint of the browser fails."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.console import log_in, served
from tests.support.factories import World
from tests.webapp.scenes import build_scene
from tick import clock
from tick.notify.dispatcher import NotificationDispatcher
from tick.store.database import Database


@dataclass
class Console:
    """A served console, and the world behind it."""

    url: str
    world: World


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Console]:
    """The scene of tests/webapp/scenes.py on a real port."""
    path = tmp_path_factory.mktemp("console") / "tick.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    world = build_scene(database, clock.now(), hours=2)
    NotificationDispatcher(world.runtime).run_once()  # what went wrong is noticed
    with served(world) as url:
        yield Console(url, world)
    database.close()


# A busy machine takes its time; what never comes true still fails.
expect.set_options(timeout=20_000)


@dataclass
class Complaints:
    """What a browser reported, and which other sites it was sent to."""

    found: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def watch(self, page: Page, own_url: str) -> None:
        """Listen to a page."""
        page.on("console", lambda line: self._note(line.type in ("error", "warning"), line.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("request", lambda sent: self._note(not sent.url.startswith(own_url), sent.url))

    def _note(self, bad: bool, text: str) -> None:
        if bad and not any(words in text for words in self.expected):
            self.found.append(text)


Opener = Callable[..., Page]


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Must be empty at the end of every test."""
    complaints = Complaints()
    yield complaints
    assert complaints.found == []


@pytest.fixture
def open_page(
    browser: Browser, browser_context_args: dict[str, Any], console: Console, complaints: Complaints
) -> Iterator[Opener]:
    """Opens a page of a browser of its own; options as of Playwright's new_context."""
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(
            **{**browser_context_args, "base_url": console.url, **options}
        )
        contexts.append(context)
        page = context.new_page()
        complaints.watch(page, console.url)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Opener) -> Page:
    """Ada's browser."""
    return log_in(open_page())
