"""Takes capacity out and puts it back: drains a worker, pauses and resumes a queue."""

import re

import sqlalchemy as sa

from tick.engine.runs import heartbeat, queues
from tick.errors import NotFound, Refused
from tick.ops.act import Change, action
from tick.ops.queries.revisions import revision_of
from tick.states import WorkerStatus, WorkerType
from tick.store.advisory_locks import AdvisoryLock
from tick.store.tables import worker_instance

_w = worker_instance.c
_QUEUE = re.compile(r"[A-Za-z0-9._-]{1,50}\Z")


@action("worker.drain")
def drain_worker(change: Change, worker_id: str) -> bool:
    """Let a worker finish what it has, take nothing new, and end; False when it does so already.

    It notices at its next heartbeat. Raises NotFound, and Refused for one that has ended and for
    a process that runs no jobs.
    """
    row = change.connection.execute(sa.select(worker_instance).where(_w.id == worker_id)).first()
    if row is None:
        raise NotFound(f"There is no worker {worker_id!r}; `tick workers` lists them.")
    if row.worker_type != WorkerType.JOB_WORKER:
        raise Refused(f"{worker_id} is a {row.worker_type}: it runs no jobs to be drained of.")
    if heartbeat.drain_worker(change.connection, worker_id):
        change.record(before={"status": row.status})
        return True
    if row.status == WorkerStatus.DRAINING:
        return False
    raise Refused(f"Worker {worker_id} is {row.status} already.")


def _check_queue(change: Change) -> None:
    pause = queues.pause_of(change.connection, change.subject)
    is_now = f"paused by {pause.by}: {pause.reason}" if pause else "not paused."
    since, by, reason = (pause.since, pause.by, pause.reason) if pause else (None, None, None)
    said = f"Queue {change.subject} was changed since you read it: it is {is_now}"
    change.expect(revision_of(since, by, reason), said)


# The lock, since a queue that is not paused has no row to be locked.
@action("queue.pause", lock=AdvisoryLock.QUEUES, check=_check_queue)
def pause_queue(change: Change, name: str) -> bool:
    """Let no run of the queue be claimed; what runs goes on. False when it was paused.

    Raises Refused, Stale.
    """
    if not _QUEUE.match(name):
        raise Refused(f"{name!r} is no name of a queue: letters, digits, dots and dashes.")
    reason = change.act.required_reason(
        "A pause needs a reason: say why, for whoever finds the queue quiet."
    )
    paused = queues.pause_queue(change.connection, name, reason, change.act)
    if paused:
        change.record(reason=reason)
    return paused


@action("queue.resume", lock=AdvisoryLock.QUEUES, check=_check_queue)
def resume_queue(change: Change, name: str) -> bool:
    """Let the runs of the queue be claimed again; False when it was not paused. Raises Stale."""
    resumed = queues.resume_queue(change.connection, name)
    if resumed:
        change.record()
    return resumed
