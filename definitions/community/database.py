"""The community's SQLite file: where it is, and how jobs read and write it.

Jobs run at the same time in processes of their own. So a job computes first and writes last, all
that it has to write in one short transaction (`replace`); WAL lets everybody read meanwhile.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUSY_SECONDS = 30
"""How long a writer waits for another one before it gives up."""

Row = Sequence[Any]


def database_path() -> Path:
    """The community's file: `COMMUNITY_DATABASE`, or var/community.db."""
    return Path(os.environ.get("COMMUNITY_DATABASE", "var/community.db"))


def media_folder() -> Path:
    """The folder of pictures, beside the database."""
    return database_path().with_name("media")


@contextmanager
def connect() -> Iterator[sqlite3.Connection]:
    """A connection without implicit transactions, closed at the end.

    Raises FileNotFoundError when no community was made yet.
    """
    path = database_path()
    if not path.exists():
        raise FileNotFoundError(
            f"There is no community at {path}: make it with `python -m definitions.community`, "
            "or set COMMUNITY_DATABASE to where it is."
        )
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        db.execute("PRAGMA foreign_keys = ON")
        yield db
    finally:
        db.close()


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """A connection in one write transaction: committed at the end, undone by an error."""
    with connect() as db:
        # A transaction that begins as a reader may fail, not wait, when it turns to writing.
        db.execute("BEGIN IMMEDIATE")
        with db:
            yield db


def read(sql: str, *parameters: object) -> list[Any]:
    """All rows that `sql` selects, as tuples."""
    with connect() as db:
        return db.execute(sql, parameters).fetchall()


def replace(**tables: Iterable[Row]) -> dict[str, int]:
    """Give each of `tables` new contents, all in one transaction; returns the rows in each.

    `replace(trending_post=[(1, 42, 0.9)])` answers `{"trending_post": 1}`.
    """
    contents = {table: list(rows) for table, rows in tables.items()}
    with transaction() as db:
        for table, rows in contents.items():
            # The name is one that a job wrote, no input.
            db.execute(f"DELETE FROM {table}")  # noqa: S608 # nosec B608
            insert(db, table, rows)
    return {table: len(rows) for table, rows in contents.items()}


def insert(db: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    """Add `rows`, each a value for every column of `table`."""
    if rows:
        places = ", ".join("?" * len(rows[0]))
        db.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 # nosec B608
