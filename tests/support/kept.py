"""Connections to PostgreSQL that one test after another uses.

A connection begins a process of the server, which reads the catalogues before its first answer:
that takes it longer than the work of most tests.
"""

import os
import select
import threading
from collections import defaultdict
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
from psycopg.adapt import AdaptersMap
from psycopg.pq import TransactionStatus

MOST = 6  # of one database


class KeptConnection(psycopg.Connection[Any]):
    """A connection that is put aside when it is closed, with all that it was told undone."""

    keeper: "Keeper | None" = None
    told: str = ""

    def close(self) -> None:
        """Put it aside, or close it if it can't be used again."""
        if self.keeper is None or not self.keeper.keep(self):
            super().close()


class Keeper:
    """Keeps connections to those databases of one server whose names begin with a prefix."""

    def __init__(self, server: sa.URL, prefix: str) -> None:
        self._place, self._prefix = (server.host, server.port), prefix
        self._process, self._lock = os.getpid(), threading.Lock()
        self._kept: dict[str, list[KeptConnection]] = defaultdict(list)
        self._uses: dict[str, int] = defaultdict(int)
        self._known: WeakKeyDictionary[sa.Dialect, dict[str, int]] = WeakKeyDictionary()

    def __enter__(self) -> "Keeper":
        sa.event.listen(sa.Engine, "do_connect", self._do_connect)
        return self

    def __exit__(self, *_: object) -> None:
        sa.event.remove(sa.Engine, "do_connect", self._do_connect)
        for name in list(self._kept):
            self.forget(name)

    def connect(self, name: str, parameters: dict[str, Any]) -> KeptConnection:
        """Return a connection to a database: one that was kept, or else a new one."""
        context = parameters.get("context")
        told = repr(sorted((key, value) for key, value in parameters.items() if key != "context"))
        while found := self._find(name, told):
            if not found.closed and not select.select([found], [], [], 0)[0]:
                found._adapters = AdaptersMap(context.adapters) if context else None
                found.autocommit = parameters.get("autocommit", False)
                found.keeper = self
                return found
            psycopg.Connection.close(found)  # somebody has ended the server's side
        made = KeptConnection.connect(**parameters)
        made.keeper, made.told = self, told
        return made

    def keep(self, connection: KeptConnection) -> bool:
        """Put a connection aside; False if it has to be closed."""
        if connection.closed or os.getpid() != self._process:
            return False
        if connection.info.transaction_status != TransactionStatus.IDLE:
            return False
        try:
            connection.autocommit = True
            connection.execute("DISCARD ALL")
        except psycopg.Error:
            return False
        connection._notice_handlers.clear()
        connection._notify_handlers.clear()
        with self._lock:
            kept = self._kept[connection.info.dbname]
            if len(kept) >= MOST:
                return False
            connection.keeper = None
            kept.append(connection)
        return True

    def processes(self, name: str) -> list[int]:
        """The server's processes behind the connections to a database that nobody uses."""
        with self._lock:
            return [connection.info.backend_pid for connection in self._kept[name]]

    def next_use(self, name: str) -> None:
        """Refuse from now on engines that have been in the database before."""
        self._uses[name] += 1

    def forget(self, name: str) -> None:
        """Close the connections to a database that nobody uses."""
        with self._lock:
            gone = self._kept.pop(name, [])
        for connection in gone:
            psycopg.Connection.close(connection)

    def _find(self, name: str, told: str) -> KeptConnection | None:
        with self._lock:
            kept = self._kept[name]
            for at, connection in enumerate(kept):
                if connection.told == told:
                    return kept.pop(at)
        return None

    def _do_connect(
        self, dialect: sa.Dialect, _record: Any, _plain: Any, parameters: dict[str, Any]
    ) -> KeptConnection | None:
        if dialect.name != "postgresql":
            return None
        name, place = parameters.get("dbname", ""), (parameters["host"], parameters.get("port"))
        if place != self._place or not name.startswith(self._prefix):
            return None
        use = self._known.setdefault(dialect, {}).setdefault(name, self._uses[name])
        if use != self._uses[name]:
            raise psycopg.OperationalError(f"{name} was another test's when this engine used it")
        return self.connect(name, parameters)
