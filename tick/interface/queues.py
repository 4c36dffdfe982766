"""Queues: what waits in them, and pausing one."""

from tick.interface.inputs import Body, Nothing, Reason
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import workers_and_queues
from tick.ops.queries import queues
from tick.ops.schemas import Changed, Page

resource = Resource("queues", "What carries runs to workers.")


class QueueList(Page[queues.Queue]):
    """All such queues, by name."""


class PauseQueue(Body):
    """Why a queue is paused."""

    reason: Reason


@resource.get("/queues")
def list_queues(context: Context) -> QueueList:
    """List the queues."""
    return QueueList(items=context.read(queues.list_queues, context.runtime.settings.queue_limits))


@resource.post("/queues/<queue>/pause", Permission.QUEUE_EDIT)
def pause_queue(context: Context, queue: str, body: PauseQueue, revision: str | None) -> Changed:
    """Let no run of a queue be claimed; what runs goes on."""
    act = context.act(reason=body.reason, revision=revision)
    return Changed(changed=workers_and_queues.pause_queue(context.database, act, queue))


@resource.post("/queues/<queue>/resume", Permission.QUEUE_EDIT)
def resume_queue(context: Context, queue: str, body: Nothing, revision: str | None) -> Changed:
    """Let the runs of a queue be claimed again."""
    act = context.act(revision=revision)
    return Changed(changed=workers_and_queues.resume_queue(context.database, act, queue))
