"""Reads how many runs workers can have in hand at one time, by queue."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from tick.ops.queries.workers import Worker, list_living
from tick.policy.load import Pool
from tick.settings import Settings
from tick.states import WorkerStatus, WorkerType

SlotsFrom = Literal["workers", "given", "assumed"]


@dataclass(frozen=True)
class Slots:
    """The pools of slots, all queues together first; where their number is from.

    Without a living worker it is `assumed`: one as the settings make it. `unserved` are queues
    that no living worker serves.
    """

    pools: tuple[Pool, ...]
    source: SlotsFrom
    unserved: tuple[str, ...] = ()


def read_slots(
    connection: sa.Connection,
    settings: Settings,
    queues: Collection[str],
    now: datetime,
    given: int | None = None,
) -> Slots:
    """Return the slots for the queues; `given` stands for those of all workers. One statement."""
    if given is not None:
        return Slots(_pools(given, dict.fromkeys(queues, given), settings), "given")
    living = [
        worker
        for worker in list_living(connection, now, settings.dead_after_seconds)
        if worker.worker_type == WorkerType.JOB_WORKER and worker.status == WorkerStatus.RUNNING
    ]
    if not living:
        alone = settings.worker_processes
        return Slots(_pools(alone, dict.fromkeys(queues, alone), settings), "assumed")
    each = {worker.id: _slots_of(worker, settings) for worker in living}
    of_queue = {
        queue: sum(each[worker.id] for worker in living if queue in (worker.queues or (queue,)))
        for queue in queues
    }
    unserved = tuple(sorted(queue for queue, slots in of_queue.items() if not slots))
    served = {queue: slots for queue, slots in of_queue.items() if slots}
    return Slots(_pools(sum(each.values()), served, settings), "workers", unserved)


def _slots_of(worker: Worker, settings: Settings) -> int:
    """Return what a worker has said of itself; one of an older release says nothing."""
    said = worker.abilities.get("slots") if isinstance(worker.abilities, dict) else None
    return int(said or settings.worker_processes)


def _pools(total: int, of_queue: Mapping[str, int], settings: Settings) -> tuple[Pool, ...]:
    limits = settings.queue_limits
    narrow = {queue: min(slots, limits.get(queue, slots)) for queue, slots in of_queue.items()}
    # A queue with all slots of all workers asks nothing that the whole does not ask.
    own = [Pool(queue, slots) for queue, slots in sorted(narrow.items()) if slots < total]
    return (Pool(None, total), *own)
