"""What a fixture filled a database with, kept and put into the empty databases of later tests."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.support.copies import emptying, first_state
from tests.support.factories import World
from tick.store.database import Database


@dataclass
class _Snapshot:
    """The rows of one database, and what the world knew beside them."""

    parts: dict[str, object]
    sqlite: sqlite3.Connection | None = None
    statements: sql.Composed | None = None


_taken: dict[tuple[str, str], _Snapshot] = {}
_KNOWN = ("now", "settings", "jobs", "schedules", "calendars")


def fill_once(world: World, name: str, fill: Callable[[World], None]) -> None:
    """Have `fill` fill the world's database, or put into it what that came to before."""
    key = name, world.database.url.get_backend_name()
    if key not in _taken:
        fill(world)
        _taken[key] = _take(world)
        return
    snapshot = _taken[key]
    vars(world).update(snapshot.parts)
    if snapshot.sqlite is not None:
        with closing(sqlite3.connect(_path(world.database))) as connection:
            snapshot.sqlite.backup(connection)
    elif snapshot.statements is not None:
        with _connect(world.database) as connection:
            connection.execute(emptying(connection))
            connection.execute(snapshot.statements)


def _take(world: World) -> _Snapshot:
    parts = {name: getattr(world, name) for name in _KNOWN}
    if world.database.url.get_backend_name() == "sqlite":
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(_path(world.database))) as connection:
            connection.backup(kept)
        return _Snapshot(parts, sqlite=kept)
    with _connect(world.database) as connection:
        return _Snapshot(parts, statements=sql.SQL("; ").join(first_state(connection)))


def forget() -> None:
    """Let go of all that was kept."""
    for snapshot in _taken.values():
        if snapshot.sqlite is not None:
            snapshot.sqlite.close()
    _taken.clear()


def _path(database: Database) -> str:
    return str(database.url.database)


def _connect(database: Database) -> "psycopg.Connection[tuple[object, ...]]":
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url)
