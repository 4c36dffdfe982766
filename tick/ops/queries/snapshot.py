"""Reads many rows as they stood at one moment, while ticks go on."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from tick.store.database import Database


@contextmanager
def snapshot(database: Database) -> Iterator[sa.Connection]:
    """Open a connection that sees one moment."""
    with database.read.begin() as connection:
        # A transaction of SQLite sees one moment anyway; PostgreSQL's default is one a statement.
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield connection
