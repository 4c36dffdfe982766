"""What a run left behind in its process, where the next run would meet it.

What can be put back is put back. For the rest, threads and processes above all, only another
process will do. To look takes some 40 microseconds, about a tenth of all work for the shortest run.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from tick.executors.process_state import STATE, zero_timers
from tick.text import counted

LINGER_SECONDS = 0.05
"""How long a thread that is about to end may take for it."""
_NAMED = 5
_HELPERS = (
    ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
    ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
)
"""The processes that Python keeps for itself, and where it notes their numbers."""


class ProcessSnapshot:
    """Compares this process with what it was when this was made. For its main thread."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._children = _children()
        self._state = [part.read() for part in STATE]

    def restore(self) -> str | None:
        """Put back what has changed. What can't be, in words for people; None if there is nothing.

        The words may be none, where it is nothing that a job knows of.
        """
        zero_timers()
        stuck = list(self._put_back())
        threads, processes = self._new_threads(), self._new_processes()
        if not stuck and not threads and processes is None:
            return None
        left = (
            *_named("thread", "threads", threads),
            *_named("process", "processes", processes or ()),
            *stuck,
        )
        return " and ".join(left)

    def _put_back(self) -> Iterator[str]:
        """The names of what did not let itself be put back."""
        for part, was in zip(STATE, self._state, strict=True):
            if part.read() != was:
                with suppress(Exception):  # such as a limit that only root may raise again
                    part.write(was)
                if part.read() != was:
                    yield f"changed {part.name}"

    def _new_threads(self) -> list[str]:
        new = [thread for thread in threading.enumerate() if thread not in self._threads]
        until = time.monotonic() + LINGER_SECONDS
        for thread in new:
            with suppress(RuntimeError):  # it can't be waited for
                thread.join(max(0.0, until - time.monotonic()))
        return [thread.name for thread in new if thread.is_alive()]

    def _new_processes(self) -> list[str] | None:
        """Those that people should know of; None if there are none at all."""
        if not self._children and not _has_children():
            return None
        new = _children() - self._children
        if self._children and not new:
            return None
        return [str(pid) for pid in sorted(new - _helpers())]


def _named(noun: str, plural: str, names: Collection[str]) -> Iterator[str]:
    if names:
        more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
        listed = ", ".join([*list(names)[:_NAMED], *more])
        yield f"{counted(len(names), noun, plural)} ({listed})"


def _has_children() -> bool:
    """Whether a child process lives; those that have ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children() -> set[int]:
    """The child processes, where the system tells them; Linux does."""
    found: set[int] = set()
    with suppress(OSError):
        for task in Path("/proc/self/task").iterdir():
            with suppress(OSError):
                found |= set(map(int, (task / "children").read_text().split()))
    return found


def _helpers() -> set[int]:
    known = [(sys.modules.get(module), name, pid) for module, name, pid in _HELPERS]
    return {getattr(getattr(module, name, None), pid, None) or 0 for module, name, pid in known}


def wait_to_be_replaced() -> None:
    """Do nothing further: the worker kills this process, and all that it started."""
    while True:
        signal.pause()
