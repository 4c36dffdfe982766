"""Finds what a run left behind in its process, where the next run would meet it.

What can be put back is put back. For the rest, threads and processes above all, only another
process will do.
"""

import locale
import os
import resource
import signal
import sys
import threading
import time

# The public ones make enumerations of what they answer, which costs ten times as much and more.
from _signal import getsignal, pthread_sigmask  # type: ignore[import-not-found]
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tick.text import counted

LINGER_SECONDS = 0.05  # a thread may be about to end: only one that lives on costs the process
_NAMED = 5  # a run can leave thousands of threads, and all this is one line of its log
_HELPERS = (  # processes that Python keeps for itself, and where it notes their numbers
    ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
    ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
)
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
# The system lets nobody handle these two.
_SIGNALS = [int(n) for n in signal.valid_signals() if n not in (signal.SIGKILL, signal.SIGSTOP)]
_LIMITS = [getattr(resource, f"RLIMIT_{name}") for name in ("AS", "CPU", "FSIZE", "NOFILE")]


class ProcessSnapshot:
    """Compares this process with what it was when this was made. For its main thread.

    A comparison takes some 40 microseconds, about a tenth of all work for the shortest run.
    """

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._children = _children()
        self._state = [read() for _, read, _ in _STATE]

    def restore(self) -> str | None:
        """Put back what has changed; return the rest in words, or None if there is none.

        The words may be empty: a process that no job knows of, such as one of Python's helpers.
        """
        _zero_timers()
        stuck = list(self._put_back())
        threads, processes = self._new_threads(), self._new_processes()
        if not stuck and not threads and processes is None:
            return None
        named_threads = _named("thread", "threads", threads)
        named_processes = _named("process", "processes", processes or ())
        return " and ".join([*named_threads, *named_processes, *stuck])

    def _put_back(self) -> Iterator[str]:
        """Put each part of the state back, and yield the names of those that stay changed."""
        for (name, read, write), was in zip(_STATE, self._state, strict=True):
            if read() != was:
                with suppress(Exception):  # such as a limit that only root may raise again
                    write(was)
                if read() != was:
                    yield f"changed {name}"

    def _new_threads(self) -> list[str]:
        new = [thread for thread in threading.enumerate() if thread not in self._threads]
        until = time.monotonic() + LINGER_SECONDS
        for thread in new:
            with suppress(RuntimeError):  # it can't be waited for
                thread.join(max(0.0, until - time.monotonic()))
        return [thread.name for thread in new if thread.is_alive()]

    def _new_processes(self) -> list[str] | None:
        """Return those that people should know of; None if there are none at all."""
        # One call to the system tells that there are none; only then is its file system read.
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
    """Return whether a child process lives; those that have ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children() -> set[int]:
    """Return the child processes, where the system tells them; Linux does."""
    found: set[int] = set()
    with suppress(OSError):
        for task in Path("/proc/self/task").iterdir():
            with suppress(OSError):  # the thread may have ended since it was listed
                found |= set(map(int, (task / "children").read_text().split()))
    return found


def _helpers() -> set[int]:
    known = [(sys.modules.get(module), name, pid) for module, name, pid in _HELPERS]
    return {getattr(getattr(module, name, None), pid, None) or 0 for module, name, pid in known}


def _zero_timers() -> None:
    """Stop what would send this process a signal some time later: alarms and interval timers."""
    for timer in _TIMERS:
        if signal.getitimer(timer)[0]:
            signal.setitimer(timer, 0)


def _handlers() -> list[Any]:
    return list(map(getsignal, _SIGNALS))


def _handle(handlers: list[Any]) -> None:
    for number, handler, now in zip(_SIGNALS, handlers, _handlers(), strict=True):
        if now is not handler:
            signal.signal(number, handler)


def _limits() -> list[tuple[int, int]]:
    return list(map(resource.getrlimit, _LIMITS))


def _limit(limits: list[tuple[int, int]]) -> None:
    for number, limit in zip(_LIMITS, limits, strict=True):
        resource.setrlimit(number, limit)


def _environment() -> dict[bytes, bytes]:
    # The dictionary below it: the mapping itself decodes every name and value.
    return dict(os.environ._data)  # type: ignore[attr-defined]


def _set_environment(variables: dict[bytes, bytes]) -> None:
    os.environb.clear()
    os.environb.update(variables)
    # Local times follow TZ only when the C library is told to read it again.
    time.tzset()


def _umask() -> int:
    # The system tells the mask only to those who set one; this one gives nothing away meanwhile.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


# A part of the state: what people call it, how it is read, and how it is put back.
_STATE: tuple[tuple[str, Callable[[], Any], Callable[[Any], object]], ...] = (
    ("environment", _environment, _set_environment),
    ("signal handlers", _handlers, _handle),
    (
        "signal mask",
        lambda: pthread_sigmask(int(signal.SIG_BLOCK), ()),
        lambda mask: signal.pthread_sigmask(signal.SIG_SETMASK, mask),
    ),
    ("limits", _limits, _limit),
    (
        "locale",
        lambda: locale.setlocale(locale.LC_ALL),
        lambda name: locale.setlocale(locale.LC_ALL, name),
    ),
    ("umask", _umask, os.umask),
    ("recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
)
