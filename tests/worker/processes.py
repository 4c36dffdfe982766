"""Worker processes of their own, and what tests ask about them."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import sqlalchemy as sa

from tests.support.forked import Template
from tick.store.database import Database
from tick.store.tables import worker_instance

if TYPE_CHECKING:
    from tests.worker.conftest import WorkWorld

SERVING = "tests.worker.serving"
WITHIN_SECONDS = 60.0
"""Starting a worker and its children takes most of it on a machine that is busy."""


class Process:
    """A worker process, and how it is treated; forked from a template if there is one."""

    def __init__(self, template: Template | None, url: str, *numbers: float) -> None:
        arguments = [url, *map(str, numbers)]
        self._process: subprocess.Popen[bytes] = (
            template.fork(arguments, [1, 2])
            if template and template.fits()
            else subprocess.Popen([sys.executable, "-m", SERVING, *arguments])
        )

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


def freeze(process: Process, database: Database) -> None:
    """Freeze a process while it does not write: on SQLite nobody else could write then."""

    def frozen() -> bool:
        process.signal(signal.SIGSTOP)
        eventually(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        if _is_writable(database):
            return True
        process.signal(signal.SIGCONT)
        return False

    eventually(frozen)


def _is_writable(database: Database) -> bool:
    if database.url.database is None or database.url.get_backend_name() != "sqlite":
        return True
    with closing(sqlite3.connect(database.url.database, timeout=0.1)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.rollback()
    return True


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
