"""A child process of a worker: loads the definitions once, then runs one job after another.

Its worker starts it as `python -m tick.executors.child`, in a process group of its own.
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
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from time import monotonic  # its own, whatever a job does to the module's
from typing import NoReturn

from tick.define.jobs import JobDefinition
from tick.define.registry import load_jobs
from tick.executors.capture import Capture
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.context import CurrentRun, RunChannel, running_process_wide
from tick.executors.execute import execute, raised
from tick.executors.forked_copies import send_through, send_through_stdout
from tick.executors.leftovers import ProcessSnapshot
from tick.executors.log_lines import HEAD, TAIL, BoundedLines, Line
from tick.executors.partial_line import SHOW_SECONDS
from tick.executors.prefetch import wait_for_token
from tick.executors.protocol import DISCONNECTED_STATUS, Message, Unpacker, pack
from tick.forks import handle_in_this_process, register_after_fork
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.states import LogLevel

Jobs = Mapping[str, JobDefinition]
BATCH_SECONDS = 0.1
SENT_AT_ONCE = 20  # lines per batch that do not wait for it, so that a crash loses none of them
UNREAD_SECONDS = 5.0  # a worker that reads the pipe no longer must not stop its children for good
_REPLACED = "its process is replaced, so that the next run does not meet it"
_PR_SET_PDEATHSIG = 1
_STDOUT, _STDERR = 1, 2


class ChildChannel(RunChannel):
    """Sends the run's output to the worker in order: at once, or in batches when there is much.

    Its buffer is bounded; the oldest lines are dropped and counted.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.current: Claim | None = None
        self.cancellations: set[Claim] = set()
        # Reentrant: a signal handler of the job may log while this thread sends.
        self._lock = threading.RLock()
        self._lines = BoundedLines(HEAD, TAIL)
        self._progress: tuple[float, str] | None = None
        self._since, self._sent = 0.0, 0
        self._waiting = threading.Event()
        self.each_second: Callable[[], None] = lambda: None  # or more often, if a run logs much
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

    def cancelled(self) -> bool:
        """Return whether the worker passed on a cancellation of the current run."""
        return self.current in self.cancellations

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
        self._output = os.dup(_STDOUT)
        self._folder: int | None = None
        with suppress(OSError):  # where this user may not open it, jobs begin wherever they are
            self._folder = os.open(".", os.O_RDONLY)
        self._channel = ChildChannel(sock)
        register_after_fork(self._after_fork)

    def serve(self, jobs: Jobs) -> None:
        """Execute orders, one after another, until the worker is gone."""
        threading.Thread(target=self._receive_orders, name="listener", daemon=True).start()
        self._channel.send({"ready": True})
        with closing(Capture(_now)) as capture:
            self._channel.each_second = capture.show_partial_lines
            self._serve(jobs, capture, ProcessSnapshot())

    def _serve(self, jobs: Jobs, capture: Capture, snapshot: ProcessSnapshot) -> None:
        while claim := wait_for_token(self._tokens):
            # The worker took the orders before it back: who reads a token decides about its run.
            while (run := self._orders.get()).claim != claim:
                pass
            began = monotonic()
            end = self._run(run, jobs, capture)
            took = monotonic() - began
            left = snapshot.restore()
            if left:
                warning = f"left {left} behind: {_REPLACED}"
                self._channel.line(Line(_now(), LogLevel.WARNING, warning))
            _wait_until_output_is_read(self._output)
            said = {name: value for name, value in vars(end).items() if value is not None}
            message = {"end": said, "began": began, "took": took}
            if left is None:
                self._channel.send(message)
            else:
                self._channel.send(message | {"must_be_replaced": True})
                while True:  # until the worker kills this process, and all that it started
                    signal.pause()

    def _run(self, run: ClaimedRun, jobs: Jobs, capture: Capture) -> AttemptEnd:
        self._channel.current = run.claim
        definition = jobs.get(run.job_name)
        if definition is None:
            # After a pause: meanwhile a worker that knows it may claim it.
            unknown = "the job is unknown here"
            return AttemptEnd(AttemptOutcome.RELEASED, reason=unknown, in_seconds=10.0)
        current = CurrentRun(run, self._channel)
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
        unpacker = Unpacker()
        with suppress(OSError):
            while received := self._socket.recv(65536):
                for message in unpacker.feed(received):
                    if "run" in message:
                        self._orders.put(ClaimedRun.from_json(message["run"]))
                    else:
                        run_id, token = message["cancel"]
                        self._channel.cancellations.add((run_id, token))
        # The worker is gone: kill everything that the job started, and this process.
        os.killpg(0, signal.SIGKILL)


def _exit_disconnected(error: OSError) -> NoReturn:
    """End this process: it can't report any longer what its job does."""
    text = f"This process can't reach its worker any longer ({error})."
    hint = "Did the job close descriptors that it had not opened?"
    with suppress(OSError):
        os.write(_STDERR, f"{text} {hint}\n".encode())
    # Not `sys.exit`: the job could catch that, and go on unheard.
    os._exit(DISCONNECTED_STATUS)


def _now() -> datetime:
    return datetime.now(UTC)


def _wait_until_output_is_read(output: int) -> None:
    """Wait until the worker has read the pipe."""
    # What it reads after the run's end counts as the next run's output.
    unread = array("i", [0])
    until = monotonic() + UNREAD_SECONDS
    with suppress(OSError):  # the job may have closed it
        while not fcntl.ioctl(output, termios.FIONREAD, unread) and unread[0]:
            if monotonic() > until:
                break
            time.sleep(0.001)


def _exit_with_worker(worker_pid: int) -> None:
    """Ask the kernel to end this process with its worker; elsewhere the closing socket does."""
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
