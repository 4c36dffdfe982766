"""A child process of a worker: loads the definitions once, then runs one job after another.

Started by `tick.executors.process_pool` as `python -m tick.executors.child`, in a process group of
its own.
It dies with its worker: the kernel sees to that on Linux, elsewhere the closing socket.
"""

import ctypes
import faulthandler
import fcntl
import os
import queue
import signal
import socket
import sys
import termios
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic  # its own, whatever a job does to the module's
from typing import NoReturn

from tick.define.jobs import JobDefinition
from tick.define.registry import load_jobs
from tick.executors.capture import Capture, captured
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.context import CurrentRun, running_process_wide
from tick.executors.execute import execute, raised
from tick.executors.forked_copies import send_through, send_through_stdout
from tick.executors.leftovers import ProcessSnapshot, wait_to_be_replaced
from tick.executors.log_lines import HEAD, TAIL, BoundedLines, Line
from tick.executors.partial_line import SHOW_SECONDS
from tick.executors.prefetch import wait_for_token
from tick.executors.protocol import DISCONNECTED_STATUS, Message, Unpacker, pack
from tick.forks import handle_in_this_process, register_after_fork
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.states import LogLevel

Jobs = Mapping[str, JobDefinition]
BATCH_SECONDS = 0.1
SENT_AT_ONCE = 20
"""So many lines per batch are sent at once, so that a crash loses none of them."""
UNREAD_SECONDS = 5.0
"""How long a child waits at most for the worker to read what a run wrote to the pipe."""
_REPLACED = "its process is replaced, so that the next run does not meet it"
_PR_SET_PDEATHSIG = 1
_STDOUT, _STDERR = 1, 2


class OutputSender:
    """Sends lines and progress to the worker in order: at once, or in batches when there are many.

    Its buffer is bounded; the oldest lines are dropped and counted.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._lock = threading.RLock()
        self._lines = BoundedLines(HEAD, TAIL)
        self._progress: tuple[float, str] | None = None
        self._since, self._sent = 0.0, 0
        self._waiting = threading.Event()
        self.each_second: Callable[[], None] = lambda: None
        """Called about once a second, more often while a run logs much."""
        threading.Thread(target=self._send_batches, name="output-sender", daemon=True).start()

    def line(self, line: Line) -> None:
        """Add a line of the log."""
        with self._lock:
            self._lines.push(line)
            self._send_soon()

    def progress(self, fraction: float, text: str) -> None:
        """Replace the progress by a newer one."""
        with self._lock:
            self._progress = fraction, text
            self._send_soon()

    def send(self, message: Message) -> None:
        """Send everything that is buffered, then the message."""
        with self._lock:
            self._send_waiting()
            self._send(message)

    def _send_soon(self) -> None:
        now = monotonic()
        if now - self._since >= BATCH_SECONDS:
            self._since, self._sent = now, 0
        self._sent += 1
        if self._sent <= SENT_AT_ONCE:
            self._send_waiting()
        else:
            self._waiting.set()

    def _send_waiting(self) -> None:
        if self._lines:
            lines, dropped = self._lines.drain()
            self._send({"lines": [line.to_json() for line in lines], "lost": dropped})
        if self._progress is not None:
            self._send({"progress": self._progress})
            self._progress = None
        self._waiting.clear()

    def _send(self, message: Message) -> None:
        try:
            self._socket.sendall(pack(message))
        except OSError as error:
            _exit_disconnected(error)

    def _send_batches(self) -> None:
        while True:
            if self._waiting.wait(SHOW_SECONDS):
                time.sleep(BATCH_SECONDS)
                with self._lock:
                    self._send_waiting()
            self.each_second()


class Child:
    """Executes orders one after another; threads read the socket and send output."""

    def __init__(self, sock: socket.socket, tokens: socket.socket) -> None:
        self._socket, self._tokens = sock, tokens
        self._orders: queue.SimpleQueue[ClaimedRun] = queue.SimpleQueue()
        self._cancelled: set[Claim] = set()
        self._current: Claim | None = None
        self._folder, self._output = _open_here(), os.dup(_STDOUT)
        self.sender = OutputSender(sock)
        register_after_fork(self._after_fork)

    def line(self, line: Line) -> None:
        """Pass a line of the run's log on."""
        self.sender.line(line)

    def progress(self, fraction: float, text: str) -> None:
        """Pass the run's progress on."""
        self.sender.progress(fraction, text)

    def cancelled(self) -> bool:
        """Whether the worker passed on a cancellation of the current run."""
        return self._current in self._cancelled

    def serve(self, jobs: Jobs) -> None:
        """Execute orders, one after another, until the worker is gone."""
        threading.Thread(target=self._receive_orders, name="listener", daemon=True).start()
        self.sender.send({"ready": True})
        with captured(_now) as capture:
            self.sender.each_second = capture.show_partial_lines
            self._serve(jobs, capture, ProcessSnapshot())

    def _serve(self, jobs: Jobs, capture: Capture, snapshot: ProcessSnapshot) -> None:
        while claim := wait_for_token(self._tokens):
            run = self._take_order(claim)
            began = monotonic()
            end = self._run(run, jobs, capture)
            took = monotonic() - began
            left = snapshot.restore()
            if left:
                self.line(Line(_now(), LogLevel.WARNING, f"left {left} behind: {_REPLACED}"))
            _wait_until_output_is_read(self._output)
            said = {name: value for name, value in vars(end).items() if value is not None}
            message = {"end": said, "began": began, "took": took}
            if left is None:
                self.sender.send(message)
            else:
                self.sender.send(message | {"must_be_replaced": True})
                wait_to_be_replaced()

    def _take_order(self, claim: Claim) -> ClaimedRun:
        """Return the ordered run of a claim; the worker took the orders before it back."""
        while (run := self._orders.get()).claim != claim:
            pass
        return run

    def _run(self, run: ClaimedRun, jobs: Jobs, capture: Capture) -> AttemptEnd:
        self._current = run.claim
        definition = jobs.get(run.job_name)
        if definition is None:
            return AttemptEnd(
                AttemptOutcome.RELEASED, reason="the job is unknown here", in_seconds=10.0
            )
        current = CurrentRun(run, self)
        with running_process_wide(current):
            capture.reinstall()
            self._reset_process()
            end = execute(definition, current)
            capture.end_all_lines()
        return end

    def _reset_process(self) -> None:
        """Undo changes of folder and output descriptors that would affect the next job."""
        if self._folder is not None:
            os.fchdir(self._folder)
        for number in (_STDOUT, _STDERR):
            os.dup2(self._output, number)

    def _after_fork(self) -> None:
        self._socket.close()
        self._tokens.close()
        send_through(self._output)

    def _receive_orders(self) -> None:
        with suppress(OSError):
            for message in _messages(self._socket):
                if "run" in message:
                    self._orders.put(ClaimedRun.from_json(message["run"]))
                else:
                    run_id, token = message["cancel"]
                    self._cancelled.add((run_id, token))
        # The worker is gone: kill everything that the job started.
        os.killpg(0, signal.SIGKILL)


def _exit_disconnected(error: OSError) -> NoReturn:
    """End this process: it can't report any longer what its job does."""
    with suppress(OSError):
        text = f"This process can't reach its worker any longer ({error})."
        os.write(
            _STDERR, f"{text} Did the job close descriptors that it had not opened?\n".encode()
        )
    os._exit(DISCONNECTED_STATUS)


def _now() -> datetime:
    return datetime.now(UTC)


def _open_here() -> int | None:
    """Return the folder that every run begins in; None where this user may not open it."""
    try:
        return os.open(".", os.O_RDONLY)
    except OSError:
        return None


def _messages(sock: socket.socket) -> Iterator[Message]:
    unpacker = Unpacker()
    while received := sock.recv(65536):
        yield from unpacker.feed(received)


def _wait_until_output_is_read(output: int) -> None:
    """Wait until the worker has read the pipe: later output is attributed to the next run."""
    unread = array("i", [0])
    until = monotonic() + UNREAD_SECONDS
    with suppress(OSError):  # the job may have closed it
        while not fcntl.ioctl(output, termios.FIONREAD, unread) and unread[0]:
            if monotonic() > until:
                break
            time.sleep(0.001)


def _exit_with_worker(worker_pid: int) -> None:
    """Ask the kernel to end this process with its worker; Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != worker_pid:  # the worker was gone before the call
        sys.exit(1)


def _terminate(_number: int, _frame: object) -> None:
    # As an exception, so that the job's own `finally` blocks have their second.
    raise SystemExit("terminated")


def main(definitions: str, descriptor: int, tokens: int, worker_pid: int) -> None:
    """Load the definitions and serve the worker at the other end of the two sockets."""
    _exit_with_worker(worker_pid)
    faulthandler.enable()
    handle_in_this_process(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for inherited in (descriptor, tokens):
        os.set_inheritable(inherited, False)
    with socket.socket(fileno=descriptor) as sock, socket.socket(fileno=tokens) as token_socket:
        try:
            jobs = load_jobs(definitions)
        except BaseException as error:
            sock.sendall(pack({"broken": raised(error).error_message}))
            raise
        Child(sock, token_socket).serve(jobs)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
elif __name__ == "__mp_main__":  # a process that a job started by `multiprocessing` without a fork
    send_through_stdout(_now)
