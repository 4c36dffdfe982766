"""Work for a limited time, for hosts without a worker process: the caller of a tick works too."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tick.runtime import Runtime
from tick.states import RunStatus
from tick.stop import Stop
from tick.worker.worker import Worker

SHUTDOWN_SECONDS = 1.0  # reserved for killing what still runs and putting it back
_DRAIN_SHARE = 0.25


@dataclass(frozen=True)
class WorkSummary:
    """The outcome of one call. `statuses` counts runs; QUEUED are those that were put back."""

    statuses: Mapping[RunStatus, int]
    more: bool  # something may have been ready when the time was over
    took_seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        statuses = {str(status): count for status, count in self.statuses.items()}
        return {"statuses": statuses, "more": self.more, "took_seconds": self.took_seconds}


def work_for(runtime: Runtime, seconds: float, stop: Stop | None = None) -> WorkSummary:
    """Claim and run what is ready, in child processes, within `seconds`; return a summary.

    Nothing is claimed in the last quarter (at most `drain_seconds` of the settings): it is left to
    the runs that have begun. A run that has not ended by then goes back without burning its
    attempt. `stop` ends it sooner.
    """
    started = time.monotonic()
    # A job in a thread cannot be killed: it would go on in the caller's process.
    worker = Worker(runtime, with_threads=False)
    worker.drain_seconds = min(worker.drain_seconds, seconds * _DRAIN_SHARE)
    claiming = max(0.0, seconds - worker.drain_seconds - SHUTDOWN_SECONDS)
    is_done = worker.serve(stop or Stop(), claiming)
    return WorkSummary(worker.statuses, not is_done, time.monotonic() - started)
