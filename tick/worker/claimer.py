"""A worker's claims: a run for each free slot, and some ahead of what may be repeated."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from tick.engine.runs.claim import claim_runs
from tick.engine.runs.limits import acquire_capacity, find_limits
from tick.executors.claimed_run import ClaimedRun
from tick.settings import Settings
from tick.worker.executor_group import Jobs, Portion
from tick.worker.result_writer import Claimed


class Claimer:
    """Claims what its worker knows, within the limits. `queues` narrows to some of them."""

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
        """Whether a claim may have to wait for the claims of others."""
        return bool(self._limits)

    def claim(
        self,
        connection: sa.Connection,
        worker_id: str,
        portions: Sequence[Portion],
        now: datetime,
    ) -> Claimed:
        """Claim what is ready of the portions."""
        capacity = acquire_capacity(connection, self._limits)
        if capacity is not None:
            # What made room ended after `now`, if this claim had to wait for its turn.
            now = max(now, self._now())
        runs: list[ClaimedRun] = []
        started: set[int] = set()
        for portion in portions:
            found = claim_runs(
                connection,
                worker_id=worker_id,
                now=now,
                limit=portion.most,
                jobs=portion.jobs,
                queues=self._queues,
                capacity=capacity,
                ahead=portion.ahead,
            )
            runs += found
            if not portion.ahead:
                started.update(run.occurrence_id for run in found)
        return Claimed(runs, started)
