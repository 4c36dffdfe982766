"""Queues: what waits in them, and pausing one."""

from tick.ops.actions import workers_and_queues
from tick.ops.queries import queues
from tick.ops.schemas.work import Changed
from webapp.api import caller
from webapp.api.models import Body, Nothing, Page, Reason
from webapp.api.operations import Resource
from webapp.services import now, reading, runtime

resource = Resource("queues", "What carries runs to workers.")


class QueueList(Page[queues.Queue]):
    """All such queues, by name."""


class PauseQueue(Body):
    """Why a queue is paused."""

    reason: Reason


@resource.get("/queues")
def list_queues() -> QueueList:
    """List the queues."""
    with reading() as connection:
        found = queues.list_queues(connection, runtime().settings.queue_limits)
    return QueueList(items=found)


@resource.post("/queues/<queue>/pause")
def pause_queue(queue: str, body: PauseQueue, match: str | None) -> Changed:
    """Let no run of a queue be claimed; what runs goes on."""
    changed = workers_and_queues.pause_queue(
        runtime().database,
        queue,
        now=now(),
        author=caller.author(),
        reason=body.reason,
        expected=match,
    )
    return Changed(changed=changed)


@resource.post("/queues/<queue>/resume")
def resume_queue(queue: str, body: Nothing, match: str | None) -> Changed:
    """Let the runs of a queue be claimed again."""
    changed = workers_and_queues.resume_queue(
        runtime().database, queue, now=now(), author=caller.author(), expected=match
    )
    return Changed(changed=changed)
