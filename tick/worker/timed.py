"""A spell of work for hosts where no worker process lives: whoever ticks there works as well."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tick.runtime import Runtime
from tick.states import RunStatus
from tick.stop import Stop
from tick.worker.worker import Worker

GOODBYE_SECONDS = 1.0
"""Kept for killing what still runs, and for giving it back."""
_DRAIN_SHARE = 0.25


@dataclass(frozen=True)
class Worked:
    """What one spell brought about. `statuses` counts runs; QUEUED are those that were put back."""

    statuses: Mapping[RunStatus, int]
    more: bool
    """Whether something may have been ready when the time was over."""
    took_seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "more": self.more,
            "took_seconds": self.took_seconds,
        }


def work_for(runtime: Runtime, seconds: float, stop: Stop | None = None) -> Worked:
    """Claim and run what is ready, in child processes, within so many seconds.

    The last quarter is left to what runs then (at most `drain_seconds` of the settings): nothing is
    claimed in it. What has not ended by the end goes back without burning its attempt. `stop` ends
    it sooner.
    """
    started = time.monotonic()
    # What cannot be killed would go on in a process that is not a worker's.
    worker = Worker(runtime, with_threads=False)
    worker.drain_seconds = min(worker.drain_seconds, seconds * _DRAIN_SHARE)
    claiming = max(0.0, seconds - worker.drain_seconds - GOODBYE_SECONDS)
    is_done = worker.serve(stop or Stop(), claiming)
    return Worked(worker.statuses, not is_done, time.monotonic() - started)
