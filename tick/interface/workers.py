"""Workers: the processes that tick and work, and draining one."""

from pydantic import Field

from tick.interface.inputs import Name, Nothing, Query, continued_at
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import workers_and_queues
from tick.ops.queries import workers
from tick.ops.queries.workers import WorkerPage
from tick.ops.schemas import Changed
from tick.states import WorkerStatus

resource = Resource("workers", "The processes that tick and work.")


class WorkerQuery(Query):
    """Which processes."""

    status: WorkerStatus | None = None
    after: Name | None = Field(None, description="only those with a higher id: use `next`")


@resource.get("/workers")
def list_workers(context: Context, query: WorkerQuery) -> WorkerPage:
    """List the processes that live, and those that lived until they are pruned."""
    page = context.read(workers.list_workers, status=query.status, after=query.after)
    return continued_at(page, "after")


@resource.post("/workers/<worker_id>/drain", Permission.WORKER_DRAIN)
def drain_worker(context: Context, worker_id: str, body: Nothing) -> Changed:
    """Let a worker finish what it has, take nothing new, and end."""
    drained = workers_and_queues.drain_worker(context.database, context.act(), worker_id)
    return Changed(changed=drained)
