"""Workers: the processes that tick and work, and draining one."""

from pydantic import Field

from tick.ops.actions import workers_and_queues
from tick.ops.queries import workers
from tick.ops.queries.workers import WorkerPage
from tick.ops.schemas.work import Changed
from tick.states import WorkerStatus
from webapp.api import caller
from webapp.api.models import Name, Nothing, Query, with_address
from webapp.api.operations import Resource
from webapp.services import now, reading, runtime

resource = Resource("workers", "The processes that tick and work.")


class WorkerQuery(Query):
    """Which processes."""

    status: WorkerStatus | None = None
    after: Name | None = Field(None, description="only those with a higher id: use `next`")


@resource.get("/workers")
def list_workers(query: WorkerQuery) -> WorkerPage:
    """List the processes that live, and those that lived until they are pruned."""
    with reading() as connection:
        page = workers.list_workers(connection, status=query.status, after=query.after)
    return with_address(page, "after")


@resource.post("/workers/<worker_id>/drain")
def drain_worker(worker_id: str, body: Nothing) -> Changed:
    """Let a worker finish what it has, take nothing new, and end."""
    changed = workers_and_queues.drain_worker(
        runtime().database, worker_id, now=now(), author=caller.author()
    )
    return Changed(changed=changed)
