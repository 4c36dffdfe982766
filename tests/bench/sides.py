"""What the worker's benchmark compares: job systems that execute no-ops, each driven alike."""

import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
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

    `worker` counts the worker with its child processes; `database` the backends of its PostgreSQL
    database, None where it has another store.
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


def race(side: Side, command: list[str], jobs: int) -> Pace:
    """What one worker process takes for the jobs.

    It counts from the first look that finds an ended job, so that starting is left out, to the
    first that finds them all.
    """
    side.enqueue(jobs)
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=sys.stderr)
    try:
        first = _wait_for(1, side, process.pid)
        last = _wait_for(jobs, side, process.pid)
    finally:
        process.terminate()
        process.wait(30)
    done = max(1, last.ended - first.ended)
    database = None
    if first.database is not None and last.database is not None:
        database = (last.database - first.database) / done
    return Pace((last.at - first.at) / done, (last.worker - first.worker) / done, database)


def _wait_for(jobs: int, side: Side, pid: int) -> _Look:
    until = time.monotonic() + WITHIN_SECONDS
    while (ended := side.ended()) < jobs:
        if time.monotonic() > until:
            raise TimeoutError(f"{side.name}: {ended} of {jobs} jobs after {WITHIN_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
    at, process = time.perf_counter(), psutil.Process(pid)
    worker = _processor_seconds([process, *process.children(recursive=True)])
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
