"""Worker processes of their own, and what tests ask about them."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import sqlalchemy as sa

from tick.store.tables import worker_instance

if TYPE_CHECKING:
    from tests.worker.conftest import WorkWorld

WITHIN_SECONDS = 60.0
"""Starting a worker and its children takes most of it on a machine that is busy."""


class Process:
    """A worker process, and how it is treated."""

    def __init__(
        self, url: str, drain_seconds: float, dead_after_seconds: float, poll_seconds: float
    ) -> None:
        command = [sys.executable, "-m", "tests.worker.serving", url]
        numbers = (drain_seconds, dead_after_seconds, poll_seconds)
        self._process = subprocess.Popen([*command, *map(str, numbers)])

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ends(self) -> int:
        """Wait for its end; the exit status."""
        return self._process.wait(WITHIN_SECONDS)

    def end(self) -> None:
        """Kill it if it lives."""
        self._process.kill()
        self._process.wait()


def eventually(question: Callable[[], Any], seconds: float = WITHIN_SECONDS) -> Any:
    """The first true answer to the question, asked again and again."""
    until = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)
    return answer


def has_ended(work: "WorkWorld", run_id: int) -> Callable[[], bool]:
    """Whether the run has ended."""
    return lambda: work.run(run_id).status not in ("QUEUED", "RUNNING")


def pids_in(note: Path) -> Callable[[], list[int]]:
    """The process ids that a job wrote down."""
    return lambda: [int(pid) for pid in note.read_text().split()] if note.exists() else []


def is_gone(pid: int) -> bool:
    """Whether the process is over."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def workers(work: "WorkWorld") -> list[str]:
    """The status of each worker there was, in order."""
    w = worker_instance.c
    return [row.status for row in work.rows(sa.select(w.status).order_by(w.started_at))]
