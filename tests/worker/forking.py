"""Jobs whose work is done by copies of their process: forks, pools, new interpreters."""

import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextvars import copy_context
from multiprocessing.context import BaseContext

from tick import current_run

log = logging.getLogger("copy")
WAYS = ("pool", "executor", "process", "fork", "fork-in-thread", "nested")


def say_much(number: int, lines: int, size: int) -> None:
    """Log, and print, so many lines of a size."""
    for line in range(lines):
        text = f"{number}:{line}:".ljust(size, "x")
        if line % 2:
            print(text)
        else:
            log.info(text)
    if lines > 1:
        log.error("%d is through", number)


def work(way: str, method: str, copies: int, lines: int, size: int) -> None:
    """Have so many copies say so much, started in one of WAYS."""
    context = multiprocessing.get_context(method)
    told = [(number, lines, size) for number in range(copies)]
    _START[way](context, told)


def _pool(context: BaseContext, told: list[tuple[int, int, int]]) -> None:
    with context.Pool(2) as pool:
        pool.starmap(say_much, told)


def _executor(context: BaseContext, told: list[tuple[int, int, int]]) -> None:
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        list(executor.map(say_much, *zip(*told, strict=True)))


def _process(context: BaseContext, told: list[tuple[int, int, int]]) -> None:
    processes = [context.Process(target=say_much, args=args) for args in told]  # type: ignore[attr-defined]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _fork(_context: BaseContext, told: list[tuple[int, int, int]]) -> None:
    for args in told:
        in_a_copy(lambda args=args: say_much(*args))


def _fork_in_thread(context: BaseContext, told: list[tuple[int, int, int]]) -> None:
    forking = threading.Thread(target=copy_context().run, args=(_fork, context, told))
    forking.start()
    forking.join()


def _nested(context: BaseContext, told: list[tuple[int, int, int]]) -> None:
    in_a_copy(lambda: _process(context, told))


_START: dict[str, Callable[[BaseContext, list[tuple[int, int, int]]], None]] = {
    "pool": _pool,
    "executor": _executor,
    "process": _process,
    "fork": _fork,
    "fork-in-thread": _fork_in_thread,
    "nested": _nested,
}


def in_a_copy(function: Callable[[], object]) -> int:
    """Call the function in a fork, and wait for its end; its exit status."""
    if below := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(below, 0)[1])
    try:
        function()
    except BaseException:
        os._exit(1)
    os._exit(0)


def half_a_line() -> None:
    """Print from a copy what nothing ends, while the job's own line has begun."""
    print("begun above, ", end="")
    context = multiprocessing.get_context("fork")
    process = context.Process(target=print, args=("begun below",), kwargs={"end": ""})
    process.start()
    process.join()
    print("ended above")


def steers() -> None:
    """Say from a copy how far the run is."""
    in_a_copy(lambda: current_run().progress(0.5, "half way, said by a copy"))
    in_a_copy(lambda: current_run().milestone("stands out"))


def is_terminated() -> int:
    """Terminate a copy that waits, as a pool does with its own; the signal it died of."""
    if (below := os.fork()) == 0:
        time.sleep(600)
        os._exit(0)
    time.sleep(0.2)
    os.kill(below, signal.SIGTERM)
    return -os.waitstatus_to_exitcode(os.waitpid(below, 0)[1])


def closes_all() -> None:
    """Close, in a copy, what daemons close; open a file in their place, and log."""

    def become_a_daemon() -> None:
        os.closerange(3, 256)
        _held = [os.open(os.devnull, os.O_RDWR) for _ in range(20)]
        log.info("nobody can hear this")

    in_a_copy(become_a_daemon)
    log.info("heard")


def garbles() -> None:
    """Write into every socket that the process has: what a broken library may do."""
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                os.write(fd, b"\xff" * 64)
        except OSError:
            continue
    time.sleep(600)


def hangs_up() -> None:
    """End every connection that the process speaks by, and go on."""
    for fd in range(3, 64):
        try:
            with socket.socket(fileno=os.dup(fd)) as found:
                found.shutdown(socket.SHUT_WR)
        except OSError:
            continue
    time.sleep(600)


def loses_its_voice() -> None:
    """Close what the process did not open, and log."""
    os.closerange(3, 64)
    log.info("who hears this?")


def descriptors() -> list[int]:
    """The open sockets of a program that the job starts, and hands everything that it may."""
    code = (
        "import os\n"
        "for fd in os.listdir('/proc/self/fd'):\n"
        "    try: target = os.readlink('/proc/self/fd/' + fd)\n"
        "    except OSError: continue\n"
        "    if target.startswith('socket:'): print(fd)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], close_fds=False, capture_output=True, check=True
    )
    return [int(fd) for fd in found.stdout.split()]
