"""Fixtures that the whole suite shares: both databases, and a runtime with a small registry."""

import itertools
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.copies import Copies
from tests.support.factories import World
from tests.support.kept import Keeper
from tests.support.postgres import PostgresServer
from tick.ops.access import passwords
from tick.store import schema
from tick.store.database import Database

pytest_plugins = ["tests.support.plugin", "tests.support.shared"]
_numbers = itertools.count(1)


_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


def _restore(handlers: list[Any]) -> bool:
    """Put signal handlers back; False if none had been replaced."""
    changed = handlers != [signal.getsignal(number) for number in _SIGNALS]
    for number, handler in zip(_SIGNALS, handlers, strict=True):
        signal.signal(number, handler)
    return changed


@pytest.fixture
def signals_restored(_signal_handlers_stay: None) -> Iterator[None]:
    """Put the signal handlers back that the test replaces."""
    before = [signal.getsignal(number) for number in _SIGNALS]
    yield
    _restore(before)


@pytest.fixture(autouse=True)
def _signal_handlers_stay() -> Iterator[None]:
    """Fail a test that leaves a signal handler behind: a later one may rely on the signal."""
    before = [signal.getsignal(number) for number in _SIGNALS]
    yield
    assert not _restore(before), "this test leaves a signal handler behind"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty migrated SQLite database, to be copied."""
    path = tmp_path_factory.mktemp("template") / "tick.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of an empty migrated PostgreSQL database, to be copied."""
    name = f"template_{next(_numbers)}"
    database = Database(postgres_server.create_database(name))
    schema.upgrade(database)
    database.close()
    return name


@pytest.fixture(scope="session")
def postgres_copies(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, postgres_template: str
) -> Iterator[Copies]:
    """Copies of that database, one for each test."""
    prefix = f"test_{getattr(request.config, 'workerinput', {}).get('workerid', 'main')}"
    with Keeper(postgres_server.url, prefix) as keeper:
        yield Copies(postgres_server, postgres_template, prefix, keeper)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty migrated database of each kind."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path / "tick.db"
        path.write_bytes(template.read_bytes())
        return f"sqlite:///{path}"
    copies: Copies = request.getfixturevalue("postgres_copies")
    name, url = copies.take()
    request.addfinalizer(lambda: copies.give_back(name))
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same database, open."""
    database = Database(database_url)
    yield database
    for thread in threading.enumerate():
        if thread.name == "alerts":
            thread.join()  # no request waited for it, and it has the database open
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    """The database with a clock and definitions that a test sets as it goes."""
    return World(database, now=datetime(2026, 3, 1, 1, 59, tzinfo=UTC))


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords are compared with, one after another."""
    hashes: list[str] = []
    matches = passwords.matches

    def noting(password_hash: str, password: str) -> bool:
        hashes.append(password_hash)
        return matches(password_hash, password)

    monkeypatch.setattr(passwords, "matches", noting)
    return hashes
