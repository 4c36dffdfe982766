"""Reading many rows as they stood at one moment, while ticks go on."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from tick.store.database import Database


@contextmanager
def snapshot(database: Database) -> Iterator[sa.Connection]:
    """A connection that sees one moment. SQLite's readers do so by themselves."""
    with database.read.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection
