"""Wakes an idle worker as soon as runs may have become ready.

Nothing depends on it: polling finds what it misses while the database is away.
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

WATCH_SECONDS = 0.005  # how often SQLite, which notifies nobody, is asked for its version
REST_SECONDS = 0.02  # between a call and the next look, so that many changes cause few calls
SHUTDOWN_SECONDS = 2.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0


class WakeupListener:
    """Calls `callback` from a thread when runs may be ready, and whenever it begins to listen."""

    def __init__(self, database: Database, callback: Callable[[], None]) -> None:
        self._engine, self._callback = database.read, callback
        self._pause = 0.0
        self._stop = threading.Event()
        self._wake_writer, self._wake_reader = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and its connection."""
        self._stop.set()
        self._wake_writer.close()
        self._thread.join(SHUTDOWN_SECONDS)

    def _serve(self) -> None:
        with self._wake_reader:
            while not self._stop.wait(self._pause):
                try:
                    if not self._listen():
                        log.info("a pooler stands before the database: new runs are polled for")
                        return
                except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
                    longer = max(_FIRST_PAUSE_SECONDS, 2 * self._pause)
                    self._pause = min(_LONGEST_PAUSE_SECONDS, longer)
                    words = "hears of no new runs for %.1f s, and polls: %s"
                    log.warning(words, self._pause, short_error(error))

    def _listen(self) -> bool:
        """Listen on a connection of its own until asked to stop; return False behind a pooler."""
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        # It lives as long as the worker: it must not take a place of the pool's.
        pooled.detach()
        try:
            if self._engine.dialect.name != "postgresql":
                self._watch_version(connection)
            elif is_pooled(connection):
                # Each transaction may get another connection: notifications would reach nobody.
                self._begin()
                return False
            else:
                self._wait_for_notifications(connection)
        finally:
            pooled.close()
        return True

    def _begin(self) -> None:
        self._pause = 0.0
        # Runs that became ready before this moment cause no notification.
        self._callback()

    def _wait_for_notifications(self, connection: Any) -> None:
        # Notifications arrive between transactions only, so none may be left open.
        connection.autocommit = True
        connection.execute(f"LISTEN {CHANNEL}")
        self._begin()
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while not self._stop.wait(REST_SECONDS):
                selector.select()
                if list(connection.notifies(timeout=0)):
                    self._callback()

    def _watch_version(self, connection: Any) -> None:
        # SQLite raises this number whenever another connection has committed a change.
        question = "PRAGMA data_version"
        seen = connection.execute(question).fetchone()
        self._begin()
        while not self._stop.wait(WATCH_SECONDS):
            version = connection.execute(question).fetchone()
            if version != seen:
                seen = version
                self._callback()
                self._stop.wait(REST_SECONDS)
