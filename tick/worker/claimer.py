"""Claims runs for a worker: one for each free slot, and some ahead where jobs are short."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from tick.engine.runs.claim import claim_runs
from tick.engine.runs.limits import acquire_capacity, find_limits
from tick.executors.claimed_run import ClaimedRun
from tick.settings import Settings
from tick.worker.executor_group import ClaimRequest, Jobs
from tick.worker.result_writer import ClaimResult


class Claimer:
    """Claims runs of its worker's jobs, of some `queues` or all, within the concurrency limits."""

    def __init__(
        self,
        jobs: Jobs,
        settings: Settings,
        queues: Collection[str] | None,
        now: Callable[[], datetime],
    ) -> None:
        self._limits = find_limits(jobs.values(), settings)
        self._queues, self._now = queues, now

    @property
    def waits(self) -> bool:
        """Return whether a claim may have to wait for the claims of other workers."""
        return bool(self._limits)

    def claim(
        self,
        connection: sa.Connection,
        worker_id: str,
        requests: Sequence[ClaimRequest],
        now: datetime,
    ) -> ClaimResult:
        """Claim ready runs, at most as many as each request allows."""
        capacity = acquire_capacity(connection, self._limits)
        if capacity is not None:
            # If the claim waited for a limit, the run that made room ended after `now`.
            now = max(now, self._now())
        runs: list[ClaimedRun] = []
        started: set[int] = set()
        for request in requests:
            found = claim_runs(
                connection,
                worker_id=worker_id,
                now=now,
                limit=request.most,
                jobs=request.jobs,
                queues=self._queues,
                capacity=capacity,
                ahead=request.ahead,
            )
            runs += found
            # Runs that wait for a slot have not started: their starts are written when they do.
            if not request.ahead:
                started.update(run.occurrence_id for run in found)
        return ClaimResult(runs, started)
