"""The definitions of the worker's tests: jobs that behave, and jobs that don't."""

import asyncio
import ctypes
import logging
import logging.config
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

from tests.worker import forking, leaving
from tick import Cancel, Retry, Snooze, current_run, job

log = logging.getLogger(__name__)


@job(group="good")
def add(left: int = 1, right: int = 2) -> dict[str, int]:
    """Add two numbers."""
    return {"sum": left + right}


@job(group="good")
async def add_later(left: int = 1, right: int = 2) -> int:
    """Add two numbers in a coroutine."""
    await asyncio.sleep(0)
    return left + right


@job(group="good")
def talk() -> None:
    """Say something in every way there is."""
    run = current_run()
    sys.stdout.reconfigure(encoding="utf-8", line_buffering=True)
    log.info("logged")
    print("printed")
    warnings.warn("warned", stacklevel=1)
    print("to stderr", file=sys.stderr)
    run.milestone("half way")
    run.progress(0.5, "half way")
    subprocess.run([sys.executable, "-c", "print('from below')"], check=True)
    run.log.error("the end")


@job(group="good")
def takes_the_log() -> None:
    """Set logging and printing up for itself, and leave it so."""
    logging.basicConfig(force=True, level=logging.ERROR)
    logging.config.dictConfig({"version": 1})
    logging.disable()
    sys.stdout = sys.__stdout__
    warnings.showwarning = print


@job(group="good")
def leaves_a_mess() -> str:
    """Say in which folder it is, leave for another, and close what it writes to."""
    here = Path.cwd()
    os.chdir(here.parent)
    print("from below", file=os.fdopen(1, "w"))
    os.close(2)
    return str(here)


@job(group="good")
def forks(how: str = "exits") -> str:
    """Fork a process, which comes back to where the job was called unless it ends itself."""
    if below := os.fork():
        return str(os.waitstatus_to_exitcode(os.waitpid(below, 0)[1]))
    if how == "exits":
        sys.exit(3)
    if how == "raises":
        raise ValueError("in the copy")
    return "in the copy"


@job(group="good")
def writes_below(text: str = "") -> None:
    """Write to the process's own standard output, below Python's."""
    os.write(1, f"{text}\n".encode())


@job(group="good")
def who_am_i() -> dict[str, object]:
    """What the job can know about its run."""
    run = current_run()
    return {
        "run_id": run.run_id,
        "attempt": run.attempt,
        "scheduled_for": run.scheduled_for and run.scheduled_for.isoformat(),
        "pid": os.getpid(),
    }


@job(group="good", isolation="thread")
def where_in_a_thread() -> dict[str, int]:
    """Say where it runs."""
    print("printed in a thread")
    return {"pid": os.getpid()}


@job(group="steers")
def steers(how: str = "retry") -> object:
    """Return what steers the run."""
    return {"retry": Retry(60), "snooze": Snooze(60), "cancel": Cancel("no need")}[how]


@job(group="bad")
def raises() -> None:
    """Raise."""
    raise ValueError("no scores")


@job(group="bad", retries=2, backoff=10)
def raises_thrice() -> None:
    """Raise, and be tried again."""
    raise ValueError("no scores")


@job(group="bad")
def leaves() -> None:
    """Leave the process with words on its lips."""
    print("last words")
    os._exit(3)


def _draws() -> None:
    for percent in range(101):
        print(f"\r{percent}% done", end="", file=sys.stderr)
    print(file=sys.stderr)
    print("one\r\ntwo\r")


@job(group="good")
def draws() -> None:
    """Draw a progress bar."""
    _draws()


@job(group="good", isolation="thread")
def draws_in_a_thread() -> None:
    """The same in a thread of the worker."""
    _draws()


@job(group="bad")
def dies_at_work() -> None:
    """Say what it begins, and be killed."""
    print("\r10%", end="")
    print("\r20%", end="", flush=True)
    print("\rloading the model ... ", end="", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def _is_slow(note: str) -> None:
    print("loading the model ... ", end="")
    while not Path(note).exists():
        time.sleep(0.02)
    print("done")


@job(group="slow")
def is_slow(note: str = "") -> None:
    """Say what it begins, and go on when the file is there."""
    _is_slow(note)


@job(group="slow", isolation="thread")
def is_slow_in_a_thread(note: str = "") -> None:
    """The same in a thread of the worker."""
    _is_slow(note)


@job(group="slow")
def is_slow_below(note: str = "") -> None:
    """The same by a program that it starts."""
    code = (
        "import pathlib, sys, time; print('loading the model ... ', end='', flush=True)\n"
        "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\n"
        "print('done')"
    )
    subprocess.run([sys.executable, "-c", code, note], check=True)


@job(group="bad")
def segfaults() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


@job(group="bad", timeout=0.5)
def never_ends(note: str = "") -> None:
    """Ignore SIGTERM, start a process that does so too, and spin."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    below = subprocess.Popen([sys.executable, "-c", code])
    if note:
        Path(note).write_text(f"{os.getpid()} {below.pid}")
    while True:
        pass


@job(group="bad")
def starts_another(note: str = "") -> None:
    """Start a process that would go on for long."""
    below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(note).write_text(f"{os.getpid()} {below.pid}")
    below.wait()


@job(group="bad", timeout=0.3)
def cleans_up(note: str = "") -> None:
    """Sleep too long, and clean up when told to end."""
    try:
        Path(note).write_text("begun")
        time.sleep(600)
    finally:
        Path(note).write_text("cleaned up")


@job(group="bad")
def floods(lines: int = 1) -> int:
    """Log very much."""
    for number in range(lines):
        log.info("line %d", number)
    return 1


@job(group="bad")
def floods_with_errors() -> None:
    """Log very much, some of it important."""
    levels = [logging.ERROR, logging.WARNING, 35]
    for number in range(30_000):
        if number % 300:
            log.info("line %d", number)
        else:
            log.log(levels[number // 300 % 3], "%d is wrong", number)


@job(group="bad", isolation="thread")
def floods_with_errors_in_a_thread() -> None:
    """The same in a thread of the worker."""
    floods_with_errors()


@job(group="bad")
def returns_much() -> str:
    """Return 100 MB."""
    return "x" * 100_000_000


@job(group="bad")
def eats_memory() -> None:
    """Need more memory than the system gives."""
    resource.setrlimit(resource.RLIMIT_AS, (2**30, resource.RLIM_INFINITY))
    held = []
    while True:
        held.append(bytearray(64 * 1024 * 1024))


@job(group="slow")
def waits(note: str = "") -> str:
    """Wait until told to stop."""
    if note:
        Path(note).write_text(str(os.getpid()))
    while not current_run().cancelled():
        time.sleep(0.02)
    return "stopped"


@job(group="slow", idempotent=True)
def writes_down(note: str = "") -> None:
    """Take a moment, then write the run's id down."""
    time.sleep(0.05)
    with Path(note).open("a") as file:
        file.write(f"{current_run().run_id}\n")


@job(group="slow", idempotent=True, isolation="thread")
def writes_down_in_a_thread(note: str = "") -> None:
    """The same in a thread of the worker."""
    writes_down(note)


@job(group="slow")
def writes_down_once(note: str = "") -> None:
    """The same, and never twice for one run."""
    writes_down(note)


@job(group="slow", idempotent=True)
def sleeps(note: str = "") -> None:
    """Sleep, and say in a file that it started."""
    if note:
        with Path(note).open("a") as file:
            file.write(f"{os.getpid()}\n")
    time.sleep(600)


@job(group="forks")
def works_in_copies(
    way: str = "pool", method: str = "fork", copies: int = 4, lines: int = 100, size: int = 80
) -> None:
    """Have copies of the process say much."""
    forking.work(way, method, copies, lines, size)


@job(group="forks", isolation="thread")
def works_in_copies_of_a_thread(
    way: str = "pool", method: str = "fork", copies: int = 4, lines: int = 100, size: int = 80
) -> None:
    """The same in a thread of the worker."""
    forking.work(way, method, copies, lines, size)


@job(group="forks")
def does(what: str = "") -> object:
    """Do one of the things of tests/worker/forking.py."""
    return getattr(forking, what)()


@job(group="forks", isolation="thread")
def does_in_a_thread(what: str = "") -> object:
    """The same in a thread of the worker."""
    return getattr(forking, what)()


@job(group="leaves")
def leaves_behind(what: str = "nothing") -> int:
    """Leave something of tests/worker/leaving.py behind."""
    return leaving.leave(what)


@job(group="leaves")
def looks() -> dict[str, object]:
    """How its process is."""
    return leaving.look()
