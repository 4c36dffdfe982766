"""Taking capacity out and putting it back: draining a worker, pausing a queue."""

import re
from datetime import datetime

import sqlalchemy as sa

from tick.engine.ledger import audit
from tick.engine.ledger.audit import Author
from tick.engine.runs import heartbeat, queues
from tick.errors import NotFound, Refused
from tick.ops.queries.revisions import expect_revision, revision_of
from tick.states import WorkerStatus, WorkerType
from tick.store.advisory_locks import AdvisoryLock, acquire
from tick.store.database import Database
from tick.store.tables import worker_instance

_w = worker_instance.c
_QUEUE = re.compile(r"[A-Za-z0-9._-]{1,50}\Z")


def drain_worker(database: Database, worker_id: str, *, now: datetime, author: Author) -> bool:
    """Let a worker finish what it has, take nothing new, and end; False when it does so already.

    It notices at its next heartbeat. Raises NotFound, and Refused for one that has ended and for
    a process that runs no jobs.
    """
    with database.write.begin() as connection:
        row = connection.execute(sa.select(worker_instance).where(_w.id == worker_id)).first()
        if row is None:
            raise NotFound(f"There is no worker {worker_id!r}; `tick workers` lists them.")
        if row.worker_type != WorkerType.JOB_WORKER:
            raise Refused(f"{worker_id} is a {row.worker_type}: it runs no jobs to be drained of.")
        if heartbeat.drain_worker(connection, worker_id):
            audit.record(
                connection,
                at=now,
                author=author,
                action="worker.drain",
                subject=worker_id,
                before={"status": row.status},
            )
            return True
        if row.status == WorkerStatus.DRAINING:
            return False
        raise Refused(f"Worker {worker_id} is {row.status} already.")


def pause_queue(
    database: Database,
    name: str,
    *,
    now: datetime,
    author: Author,
    reason: str,
    expected: str | None = None,
) -> bool:
    """Let no run of the queue be claimed; what runs goes on. False when it was paused.

    `expected` is the revision that was read, here and below. Raises Refused, Stale.
    """
    if not _QUEUE.match(name):
        raise Refused(f"{name!r} is no name of a queue: letters, digits, dots and dashes.")
    if not reason.strip():
        raise Refused("A pause needs a reason: say why, for whoever finds the queue quiet.")
    with database.write.begin() as connection:
        acquire(connection, AdvisoryLock.QUEUES)
        _check_queue(connection, name, expected)
        paused = queues.pause_queue(connection, name, now=now, author=author, reason=reason.strip())
        if paused:
            _record(connection, "queue.pause", name, now, author, reason.strip())
    return paused


def resume_queue(
    database: Database, name: str, *, now: datetime, author: Author, expected: str | None = None
) -> bool:
    """Let the runs of the queue be claimed again; False when it was not paused. Raises Stale."""
    with database.write.begin() as connection:
        acquire(connection, AdvisoryLock.QUEUES)
        _check_queue(connection, name, expected)
        resumed = queues.resume_queue(connection, name)
        if resumed:
            _record(connection, "queue.resume", name, now, author, None)
    return resumed


def _check_queue(connection: sa.Connection, name: str, expected: str | None) -> None:
    if expected is None:
        return
    pause = queues.pause_of(connection, name)
    is_now = f"paused by {pause.by}: {pause.reason}" if pause else "not paused."
    since, by, reason = (pause.since, pause.by, pause.reason) if pause else (None, None, None)
    said = f"Queue {name} was changed since you read it: it is {is_now}"
    expect_revision(expected, revision_of(since, by, reason), said)


def _record(
    connection: sa.Connection,
    action: str,
    queue: str,
    now: datetime,
    author: Author,
    reason: str | None,
) -> None:
    audit.record(connection, at=now, author=author, action=action, subject=queue, reason=reason)
