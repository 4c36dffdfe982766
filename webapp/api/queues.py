"""Queues: what waits in them, and pausing one."""

from datetime import datetime

from pydantic import Field

from tick.ops import operating
from tick.ops.queries import queues
from webapp.api import caller
from webapp.api.models import Answer, Body, Listing, Nothing, Text
from webapp.api.operations import Resource
from webapp.api.workers import Changed
from webapp.services import now, reading, runtime

resource = Resource("queues", "What carries runs to workers.")


class Queue(Answer):
    """A queue that has something to do, a limit, or a pause."""

    name: str
    queued: int
    running: int
    limit: int | None = Field(description="the most runs at one time")
    paused_since: datetime | None
    paused_by: str | None
    paused_reason: str | None


class QueueList(Listing[Queue]):
    """All such queues, by name."""


class PauseQueue(Body):
    """Why a queue is paused."""

    reason: Text


@resource.get("/queues")
def list_queues() -> QueueList:
    """List the queues."""
    with reading() as connection:
        found = queues.list_queues(connection, runtime().settings.queue_limits)
    return QueueList.model_validate({"items": found})


@resource.post("/queues/<queue>/pause")
def pause_queue(queue: str, body: PauseQueue) -> Changed:
    """Let no run of a queue be claimed; what runs goes on."""
    changed = operating.pause_queue(
        runtime().database, queue, now=now(), author=caller.author(), reason=body.reason
    )
    return Changed(changed=changed)


@resource.post("/queues/<queue>/resume")
def resume_queue(queue: str, body: Nothing) -> Changed:
    """Let the runs of a queue be claimed again."""
    changed = operating.resume_queue(runtime().database, queue, now=now(), author=caller.author())
    return Changed(changed=changed)
