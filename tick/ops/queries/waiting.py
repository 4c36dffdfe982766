"""What a queued run lacks, as far as nobody can take it: said at once, not after an hour."""

from collections.abc import Iterable

import sqlalchemy as sa

from tick.states import LIVING_WORKERS, WorkerType
from tick.store.tables import worker_instance

_w = worker_instance.c
UNKNOWN = "no living worker knows this job"


def lacks_by_job(connection: sa.Connection, job_names: Iterable[str]) -> dict[str, str]:
    """By job, why no worker can take its queued runs; one statement if there are any jobs.

    Where none lives nothing is said of a run: who ticks may work as well, now and then.
    """
    wanted = set(job_names)
    if not wanted:
        return {}
    living = connection.execute(_ABILITIES).scalars().all()
    if not living or any("jobs" not in abilities for abilities in living):
        return {}
    known = {name for abilities in living for name in abilities["jobs"]}
    return dict.fromkeys(wanted - known, UNKNOWN)


_ABILITIES = sa.select(_w.abilities).where(
    _w.status.in_(LIVING_WORKERS), _w.worker_type == WorkerType.JOB_WORKER
)
