"""How SQLite is opened, and what becomes of its file under a process that has it open.

Every choice was measured against lost updates and "database is locked": the driver's own BEGIN is
off, and writers begin IMMEDIATE, so that a read inside a transaction can't be overtaken.
"""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from tick.errors import DatabaseError

BUSY_SECONDS = 30
WAL_BYTES = 16 * 1024**2
"""The size down to which the log beside the file is cut, once a reader made it grow."""


class DatabaseFile:
    """The file of a database: made on purpose, never by chance, and watched for being the same."""

    def __init__(self, url: sa.URL) -> None:
        if not url.database or url.database == ":memory:":
            raise DatabaseError("SQLite needs a file here: several processes share the database.")
        self.path = Path(url.database)
        self._opened: tuple[int, int] | None = None

    def create(self) -> None:
        """Make an empty file, unless there is one. Raises DatabaseError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(
                f"The folder of {self.path} can't be made: {error.strerror}; change "
                "TICK_DATABASE_URL."
            ) from None
        try:
            # SQLite itself would let everybody read it.
            self.path.touch(0o660, exist_ok=False)
        except FileExistsError:
            return
        except OSError as error:
            raise DatabaseError(
                f"{self.path} can't be made: {error.strerror}; give this user the folder, or "
                "change TICK_DATABASE_URL."
            ) from None

    def want(self) -> None:
        """Raise OperationalError unless the file is there, and the one that was opened first."""
        # What is written to a file that was deleted or replaced is lost, and nobody would notice.
        try:
            found = self.path.stat()
        except FileNotFoundError:
            if self._opened is None:
                self._fail(
                    f"there is no file {self.path}: put back the one that was there, or run "
                    "`tick db upgrade` to make a new database"
                )
            self._fail(f"{self.path} was moved or deleted under this process: put it back")
        except OSError:
            return  # SQLite says why
        identity = found.st_dev, found.st_ino
        if identity != (self._opened or identity):
            self._fail(f"{self.path} was replaced under this process: restart it")
        self._opened = identity

    def _fail(self, said: str) -> None:
        # As if the driver had said it: whoever can wait for a database waits for its file as well.
        raise sa.exc.OperationalError("", None, sqlite3.OperationalError(said))

    def engine(self, url: sa.URL, begin: str) -> sa.Engine:
        """An engine on the file, whose transactions begin IMMEDIATE or DEFERRED."""
        engine = sqlite_engine(url, begin)

        @event.listens_for(engine, "do_connect")
        def _before_connect(*_: Any) -> None:
            self.want()

        return engine


def in_memory_engine() -> sa.Engine:
    """A database that ends with its one connection."""
    return sqlite_engine(sa.make_url("sqlite://"), "IMMEDIATE", poolclass=StaticPool)


def sqlite_engine(url: sa.URL, begin: str, **options: Any) -> sa.Engine:
    """An engine with our settings."""
    engine = sa.create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}, **options
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin on its own
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    return engine
