"""The fixtures that hand out real servers; tests/conftest.py names this module as a plugin."""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import launch_options, node
from tests.support.postgres import PostgresServer, postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the session; each test module makes its own database in it."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def playwright_node() -> None:
    """Give Playwright a node that runs on slim systems, which lack a library of its own one."""
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(node())


@pytest.fixture(scope="session")
def playwright(playwright_node: None, playwright: Any) -> Any:
    """Playwright, started after its node has been chosen."""
    return playwright


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the browser that this machine has, or the one that the tests brought."""
    return {**browser_type_launch_args, **launch_options()}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """The same language and zone everywhere: a C locale gives a language tag that Intl refuses."""
    return {**browser_context_args, "locale": "en-GB", "timezone_id": "UTC"}


MEMORY = Path("/dev/shm")  # noqa: S108  (below it, each user has a folder that no other may open)
MEMORY_BYTES = 2 << 30


def pytest_configure() -> None:
    """Keep the tests' files in memory, if there is room: at each commit SQLite waits for a disk."""
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ and _has_room(MEMORY):
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


def _has_room(folder: Path) -> bool:
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    may_execute = not found.f_flag & getattr(os, "ST_NOEXEC", 0)
    return may_execute and found.f_bavail * found.f_frsize > MEMORY_BYTES


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collect without looking for garbage: modules and tests stay, in a heap that only grows."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# Fixtures whose tests take seconds, since they start processes.
SLOW_FIXTURES = {"browser", "empty_site", "make_worker", "own_server", "serve"}
SLOW_TEST = 30  # takes as long as so many others


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first: each is one process's work, to the last test."""
    lengths: Counter[Path] = Counter()
    for item in items:
        lengths[item.path] += SLOW_TEST if _takes_seconds(item) else 1
    items.sort(key=lambda item: (-lengths[item.path], item.path))


def _takes_seconds(item: pytest.Item) -> bool:
    if item.get_closest_marker("servers") or item.get_closest_marker("hypothesis"):
        return True
    return not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the run did without: tests skip with "without PROGRAM: how to get it"."""
    without: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[-1] if isinstance(report.longrepr, tuple) else "")
        if reason.startswith("Skipped: without "):
            without[reason.removeprefix("Skipped: without ")] += 1
    for what, count in sorted(without.items()):
        terminalreporter.write_line(f"NOT RUN: {count} tests, without {what}", yellow=True)
