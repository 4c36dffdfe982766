"""How the database is opened: one engine that writes, and one that reads.

On SQLite readers have an engine of their own, so that a console page never takes the write lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from tick.errors import DatabaseError
from tick.forks import register_after_fork
from tick.store.postgresql import LOCK_SECONDS, postgresql_engine
from tick.store.sqlite import BUSY_SECONDS, DatabaseFile, in_memory_engine

# What another try may mend: the connection, a lock, a deadlock; never the statement itself.
# InternalError: what PostgreSQL says of a transaction that it timed out, and after a failover.
# TimeoutError: every connection of the pool is in use.
TRANSIENT = (OperationalError, InterfaceError, InternalError, sa.exc.TimeoutError)


def short_error(error: Exception) -> str:
    """An error in one line: its kind and what the database or the code said, without any SQL."""
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}"[:500]


class Database:
    """The two engines of one database. `write` begins for writing; `read` never locks."""

    file: DatabaseFile | None = None
    """The file in which SQLite keeps it."""

    def __init__(self, url: str) -> None:
        try:
            # Some platforms still hand out the scheme that SQLAlchemy dropped.
            self.url = sa.make_url(url.replace("postgres://", "postgresql://", 1))
        except sa.exc.ArgumentError:
            raise DatabaseError(
                "TICK_DATABASE_URL is not a database URL; write sqlite:///var/tick.db or "
                "postgresql+psycopg://user:password@host/name."
            ) from None
        if self.url.get_backend_name() == "sqlite":
            self.file = DatabaseFile(self.url)
            self.write = self.file.engine(self.url, "IMMEDIATE")
            self.read = self.file.engine(self.url, "DEFERRED")
        elif self.url.get_backend_name() == "postgresql":
            self.write = self.read = postgresql_engine(self.url)
        else:
            raise DatabaseError(
                f"{self.url.get_backend_name()} is not supported; use SQLite or PostgreSQL."
            )
        register_after_fork(self._begin_as_copy)

    @classmethod
    def in_memory(cls) -> "Database":
        """A database that only the calling thread sees, and that ends with `close`."""
        made = cls.__new__(cls)
        made.url = sa.make_url("sqlite://")
        made.write = made.read = in_memory_engine()
        return made

    def create(self) -> None:
        """Make the file of a new SQLite database, unless it is there. Raises DatabaseError."""
        if self.file is not None:
            self.file.create()

    def want_file(self) -> None:
        """Raise OperationalError when the file is no longer the one that this process opened."""
        if self.file is not None:
            self.file.want()

    def close(self) -> None:
        """Close every pooled connection."""
        self.write.dispose()
        self.read.dispose()

    def _begin_as_copy(self) -> None:
        # Kept, for a connection that is thrown away says goodbye for the process that opened it.
        self._inherited = self.write.pool, self.read.pool
        self.write.dispose(close=False)
        self.read.dispose(close=False)


@contextmanager
def begin_within(engine: sa.Engine, seconds: float) -> Iterator[sa.Connection]:
    """A transaction that writes, and waits at most so long for each lock that others have."""
    is_postgresql = engine.dialect.name == "postgresql"
    # It never waits longer than any other transaction would.
    usual = LOCK_SECONDS if is_postgresql else BUSY_SECONDS
    if seconds >= usual:
        with engine.begin() as connection:
            yield connection
        return
    milliseconds = max(int(seconds * 1000), 1)
    with engine.connect() as connection:
        if is_postgresql:
            with connection.begin():
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
                yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            with connection.begin():
                yield connection
        finally:
            if not connection.invalidated:
                driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
