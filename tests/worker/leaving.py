"""Jobs that leave something behind in their process."""

import asyncio
import locale
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_EVER = "import time; time.sleep(600)"
_held: list[object] = []


def leave(what: str) -> int:
    """Leave one thing behind; the number of this process."""
    _LEAVE[what]()
    return os.getpid()


def _state() -> dict[str, object]:
    return {
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "handlers": [str(signal.getsignal(n)) for n in (signal.SIGALRM, signal.SIGUSR1)],
        "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS)],
        "locale": locale.setlocale(locale.LC_ALL),
        "mask": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
        "recursion": sys.getrecursionlimit(),
        "timers": [signal.getitimer(n)[0] for n in (signal.ITIMER_REAL, signal.ITIMER_PROF)],
        "umask": os.umask(os.umask(0o077)),
        "zone": time.tzname,
    }


def look() -> dict[str, object]:
    """How this process is, and its number."""
    return {"pid": os.getpid()} | _state()


def _thread() -> None:
    threading.Thread(target=time.sleep, args=(600,), name="left-alone", daemon=True).start()


def _timer() -> None:
    threading.Timer(0.5, os._exit, [9]).start()


def _executor() -> None:
    executor = ThreadPoolExecutor(1)
    executor.submit(time.sleep, 600)
    _held.append(executor)


def _loop() -> None:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()


def _process() -> None:
    _held.append(subprocess.Popen([sys.executable, "-c", _EVER]))


def _copy() -> None:
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)


def _ended_process() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    _held.append(process)


def _ending_thread() -> None:
    threading.Thread(target=time.sleep, args=(0.001,)).start()


def _zone() -> None:
    os.environ["TZ"] = "Pacific/Apia"
    time.tzset()


_LEAVE: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "thread": _thread,
    "timer": _timer,
    "executor": _executor,
    "loop": _loop,
    "process": _process,
    "copy": _copy,
    "ended process": _ended_process,
    "ending thread": _ending_thread,
    "alarm": lambda: signal.alarm(1),
    "interval": lambda: signal.setitimer(signal.ITIMER_PROF, 0.5, 0.5),
    "handler": lambda: signal.signal(signal.SIGALRM, lambda *_: os._exit(7)),
    "terminating": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "mask": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]),
    "variable": lambda: os.environ.update(LEFT="yes", PATH=""),
    "no variables": os.environ.clear,
    "zone": _zone,
    "folder": lambda: os.chdir("/"),
    "umask": lambda: os.umask(0o777),
    "locale": lambda: locale.setlocale(locale.LC_ALL, "C"),
    "descriptor limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (12, _hardest())),
    "recursion": lambda: sys.setrecursionlimit(150),
    "level": lambda: logging.getLogger().setLevel(logging.CRITICAL),
    "output": lambda: setattr(sys, "stdout", None),
}


def _hardest() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


REPLACED = ("thread", "timer", "executor", "loop", "process", "copy")
PUT_BACK = tuple(sorted(_LEAVE.keys() - set(REPLACED)))
