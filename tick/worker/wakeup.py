"""Hears that runs may have become ready, so that an idle worker starts them at once.

Nothing depends on it. What it does not hear while the database is away is found by polling, and so
is all behind a pooler: it may give each transaction another connection, and what one of them hears
is nobody's.
"""

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from tick.engine.runs.wake_workers import CHANNEL
from tick.store.database import Database, short_error
from tick.store.postgresql import is_pooled

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.005
"""How often SQLite is asked whether somebody has committed a change."""
REST_SECONDS = 0.02
"""After telling, before the next look: of many changes in a row, few are told."""
GOODBYE_SECONDS = 2.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0


class Listener:
    """A thread that calls `tell` when there may be something, and when it begins to listen."""

    def __init__(self, database: Database, tell: Callable[[], None]) -> None:
        self._engine, self._tell = database.read, tell
        self._pause = 0.0
        self._stop = threading.Event()
        self._waker, self._alarm = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, which closes its connection."""
        self._stop.set()
        self._waker.close()
        self._thread.join(GOODBYE_SECONDS)

    def _serve(self) -> None:
        with self._alarm:
            while not self._stop.wait(self._pause):
                try:
                    if not self._listen():
                        log.info("a pooler stands before the database: new runs are polled for")
                        return
                except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                    self._pause = min(
                        _LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, 2 * self._pause)
                    )
                    log.warning(
                        "hears of no new runs for %.1f s, and polls: %s",
                        self._pause,
                        short_error(error),
                    )

    def _listen(self) -> bool:
        """Listen, on a connection of its own, until asked to stop; whether that makes sense."""
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        try:
            if self._engine.dialect.name != "postgresql":
                self._watch_version(connection)
            elif is_pooled(connection):
                self._begin()
                return False
            else:
                self._hear_notifications(connection)
        finally:
            pooled.close()
        return True

    def _begin(self) -> None:
        self._pause = 0.0
        # What became ready before is heard of in no other way.
        self._tell()

    def _hear_notifications(self, connection: Any) -> None:
        connection.autocommit = True
        connection.execute(f"LISTEN {CHANNEL}")
        self._begin()
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._alarm, selectors.EVENT_READ)
            while not self._stop.wait(REST_SECONDS):
                selector.select()
                if list(connection.notifies(timeout=0)):
                    self._tell()

    def _watch_version(self, connection: Any) -> None:
        """SQLite counts up this number when another connection has committed a change."""
        seen = _data_version(connection)
        self._begin()
        while not self._stop.wait(WATCH_SECONDS):
            version = _data_version(connection)
            if version != seen:
                seen = version
                self._tell()
                self._stop.wait(REST_SECONDS)


def _data_version(connection: Any) -> int:
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
