"""What the worker's benchmark compares: job systems that execute no-ops, each driven alike."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import psutil
import psycopg

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


@dataclass(frozen=True)
class Pace:
    """What one job cost, in seconds: on the clock, and of the processor's time.

    `worker` counts the workers with their child processes; `database` the backends of its
    PostgreSQL database, None where it has another store.
    """

    clock: float
    worker: float
    database: float | None


@dataclass(frozen=True)
class _Look:
    """What was seen at one moment."""

    at: float
    ended: int
    worker: float
    database: float | None


def race(side: Side, command: list[str], jobs: int, workers: int = 1) -> Pace:
    """What one worker process takes for the jobs, or so many at once.

    It counts from the first look that finds an ended job, so that starting is left out, to the
    first that finds them all.
    """
    side.enqueue(jobs)
    with ExitStack() as stack:
        launched = [stack.enter_context(_launched(command)) for _ in range(workers)]
        first = _wait_for(1, side, launched)
        last = _wait_for(jobs, side, launched)
    done = max(1, last.ended - first.ended)
    database = None
    if first.database is not None and last.database is not None:
        database = (last.database - first.database) / done
    return Pace((last.at - first.at) / done, (last.worker - first.worker) / done, database)


@contextmanager
def _launched(command: list[str]) -> Iterator[psutil.Process]:
    process = psutil.Popen([sys.executable, "-m", *command], stdout=sys.stderr)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(jobs: int, side: Side, launched: Iterable[psutil.Process]) -> _Look:
    until = time.monotonic() + WITHIN_SECONDS
    while (ended := side.ended()) < jobs:
        if time.monotonic() > until:
            raise TimeoutError(f"{side.name}: {ended} of {jobs} jobs after {WITHIN_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
    at = time.perf_counter()
    worker = sum(
        _processor_seconds([process, *process.children(recursive=True)]) for process in launched
    )
    return _Look(at, ended, worker, _backend_seconds(side.address))


def _backend_seconds(address: str) -> float | None:
    """The processor's time of all other backends of a PostgreSQL database on this machine."""
    if not address.startswith("postgresql"):
        return None
    with psycopg.connect(address.replace("+psycopg", "", 1)) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
    processes = []
    for (pid,) in found:
        with suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
    return _processor_seconds(processes)


def _processor_seconds(processes: Iterable[psutil.Process]) -> float:
    seconds = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds
