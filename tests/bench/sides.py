"""What the worker's benchmark compares: job systems that execute no-ops, each driven alike."""

import subprocess
import sys
import time
from typing import Protocol

POLL_SECONDS = 0.05
WITHIN_SECONDS = 120.0


class Side(Protocol):
    """A job system with its own store."""

    name: str
    address: str
    """What its worker process is told: where the jobs are."""

    def enqueue(self, jobs: int) -> None:
        """Put so many no-ops in the place of what there was."""

    def ended(self) -> int:
        """How many have a final status that is stored."""

    def close(self) -> None:
        """Give back what it opened."""


def race(side: Side, command: list[str], jobs: int) -> float:
    """Seconds that one worker process takes for the jobs.

    They count from the first look that finds an ended job, so that starting is left out; the jobs
    that had ended by then are made up for.
    """
    side.enqueue(jobs)
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=sys.stderr)
    try:
        return _follow(side, jobs)
    finally:
        process.terminate()
        process.wait(30)


def _follow(side: Side, jobs: int) -> float:
    until = time.monotonic() + WITHIN_SECONDS
    first: tuple[float, int] | None = None
    while (ended := side.ended()) < jobs or first is None:
        if first is None and ended:
            first = time.perf_counter(), ended
        if time.monotonic() > until:
            raise TimeoutError(f"{side.name}: {ended} of {jobs} jobs after {WITHIN_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
    since, before = first
    return (time.perf_counter() - since) * jobs / max(1, jobs - before)
