"""How soon a job starts: the job that says so, and the bare loop that stands beside the worker.

`python -m tests.bench.starts URL` is that loop: a claim by hand, on being told or on seeing a
commit. Whoever starts sends the seconds since it was asked for to a datagram socket.
"""

import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from tick import job
from tick.store.database import Database

WATCH_SECONDS = 0.005
CHANNEL = "bare_start"
TABLE = """
CREATE TABLE bare_start
(id integer PRIMARY KEY, status text NOT NULL, asked double precision, address text)
"""
_CLAIM = """
UPDATE bare_start SET status = 'RUNNING'
WHERE id IN (SELECT id FROM bare_start WHERE status = 'QUEUED' ORDER BY id LIMIT 50 {skip})
RETURNING asked, address
"""


@job(group="bench")
def in_a_process(asked: float, address: str) -> None:
    """Say how long ago it was asked for."""
    _say(asked, address)


@job(group="bench", isolation="thread")
def in_a_thread(asked: float, address: str) -> None:
    """Say how long ago it was asked for."""
    _say(asked, address)


def _say(asked: float, address: str) -> None:
    seconds = time.monotonic() - asked
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(str(seconds).encode(), address)


def serve(url: str) -> None:
    """Claim whatever is queued, for ever."""
    database = Database(url)
    is_postgresql = database.write.dialect.name == "postgresql"
    claim = sa.text(_CLAIM.format(skip="FOR UPDATE SKIP LOCKED" if is_postgresql else ""))
    for _ in _told(database) if is_postgresql else _seen(database):
        with database.write.begin() as connection:
            rows = connection.execute(claim).all()
        for row in rows:
            _say(row.asked, row.address)


def _told(database: Database) -> Iterator[object]:
    connection = _own_connection(database)
    connection.autocommit = True
    connection.execute(f"LISTEN {CHANNEL}")
    yield None
    while True:
        yield from connection.notifies(stop_after=1)


def _seen(database: Database) -> Iterator[object]:
    connection = _own_connection(database)
    version = None
    while True:
        before, version = version, connection.execute("PRAGMA data_version").fetchone()
        if version == before:
            time.sleep(WATCH_SECONDS)
        else:
            yield version


def _own_connection(database: Database) -> Any:
    pooled = database.read.raw_connection()
    connection = pooled.driver_connection
    pooled.detach()
    return connection


if __name__ == "__main__":
    serve(sys.argv[1])
