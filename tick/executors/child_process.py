"""Holds a child process for its worker: the socket, the output pipe, and the process group."""

import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from math import inf

from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import Output
from tick.executors.partial_line import LineBuffer
from tick.executors.prefetch import OrderedRuns
from tick.executors.protocol import DISCONNECTED_STATUS, FrameParser, Message, Unpacker, pack
from tick.executors.run_queue import Order
from tick.forks import register_after_fork
from tick.policy.retry import AttemptEnd

log = logging.getLogger(__name__)

MOST_PAUSE_SECONDS = 30.0
SEND_SECONDS = 5  # a child that reads nothing, stopped by its job perhaps, must not stop the worker
_READ_BYTES = 64 * 1024
_DRAIN_READS = 32  # bounded, because what a job left behind may go on writing


class ChildProcess:
    """One warm process, at most one run at a time. Its instants are `time.monotonic` seconds."""

    def __init__(self, definitions: str) -> None:
        self.ready = False
        self.started_at = time.monotonic()
        self.runs_done = 0
        self.deadline = inf
        self.kill_at = inf
        self.planned_end: AttemptEnd | None = None  # of its run, decided before the process is gone
        self.disconnect_reason: str | None = None  # why it is killed although its run goes on
        self._killed_because: str | None = None
        self._unpacker = Unpacker()
        self._frames, self._lines = FrameParser(), LineBuffer()
        self.socket, theirs = socket.socketpair()
        # The kernel's limit: Python's own would have `recv` wait as well, whatever its flags.
        limit = struct.pack("ll", SEND_SECONDS, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.orders = OrderedRuns(self.socket)
        try:
            self._process = _spawn(definitions, theirs, self.orders.child_tokens)
        except OSError:
            self._close_sockets()
            raise
        finally:
            theirs.close()
        assert self._process.stdout is not None  # noqa: S101  (asked for with PIPE)
        self.output = self._process.stdout
        os.set_blocking(self.output.fileno(), False)
        register_after_fork(self._close_channels)

    @property
    def pid(self) -> int:
        """The process's id, and its group's."""
        return self._process.pid

    @property
    def run(self) -> ClaimedRun | None:
        """Return the run that it executes."""
        current = self.orders.current
        return current.run if current else None

    @property
    def idle(self) -> bool:
        """Return whether it would take a run."""
        return self.ready and not self.orders and self.kill_at == inf

    @property
    def is_quick(self) -> bool:
        """Return whether it is to be ordered runs ahead."""
        return self.kill_at == inf and self.orders.are_quick

    def order(self, order: Order) -> None:
        """Have the child begin a run, while it executes none."""
        self.deadline = time.monotonic() + order.timeout_seconds
        # A child that is gone by now is noticed at the next poll.
        with suppress(OSError):
            self.orders.send([order])

    def end_current(self, took: float) -> None:
        """Note that its run has ended after so many seconds, and that it began the next one."""
        self.orders.end_current(took)
        self.runs_done += 1
        self.planned_end = None
        following = self.orders.current
        self.deadline = self.orders.began_at + following.timeout_seconds if following else inf

    def take_back(self) -> list[Order]:
        """Return the orders that it has not begun, and now never will."""
        taken = self.orders.take_back()
        if not self.orders:
            self.deadline = inf
        return taken

    def ask_to_stop(self) -> None:
        """Pass a cancellation of its run on."""
        if self.run is not None:
            with suppress(OSError):
                self.socket.sendall(pack({"cancel": self.run.claim}))

    def receive(self) -> list[Message] | None:
        """Return the messages that have arrived; None when the process closed its end.

        Raises BlockingIOError when there is nothing, BadMessage when it can't be understood.
        """
        try:
            received = self.socket.recv(_READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            raise
        except OSError:
            return None
        return list(self._unpacker.feed(received)) if received else None

    def run_of(self, claim: Claim | None) -> ClaimedRun | None:
        """Return the run of a claim if it has not ended; without a claim, the run it executes."""
        if claim is None:
            return self.run
        return next((order.run for order in self.orders if order.run.claim == claim), None)

    def read_output(self) -> Output:
        """Return the output that the process, or one that it started, completed."""
        if not (chunk := self.output.read(_READ_BYTES)):
            return []
        others, messages = self._frames.feed(chunk)
        return [*messages, *self._lines.feed(others, time.monotonic())]

    def due_output(self, now: float) -> Output:
        """Return a line that was begun a second ago and has not ended."""
        return self._lines.due(now)

    def rest_of_output(self, *, unread: bool = False) -> Output:
        """Return the unfinished line; if `unread`, after what is still in the pipe."""
        reads = range(_DRAIN_READS if unread else 0)
        read = [part for _ in reads for part in self.read_output()]
        return [*read, *self._lines.feed(self._frames.end(), 0.0), *self._lines.end()]

    def kill(self, because: str | None) -> None:
        """Kill the process and all that it started; `because` is the cause if no other is known."""
        if because is not None and not self.has_exited():
            self._killed_because = self._killed_because or because
        self.signal_group(signal.SIGKILL)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def has_exited(self) -> bool:
        """Return whether the process is over."""
        return self._process.poll() is not None

    def clean_up(self) -> str:
        """Kill the rest of the group, free all resources, and return how the process died."""
        self.signal_group(signal.SIGKILL)
        status = self._process.wait()
        self._close_channels()
        return self._killed_because or _cause(status)

    def _close_channels(self) -> None:
        self._close_sockets()
        self.output.close()

    def _close_sockets(self) -> None:
        self.socket.close()
        self.orders.close()


class ChildFactory:
    """Starts child processes; after failures less and less often."""

    def __init__(self, definitions: str) -> None:
        self._definitions, self._failures = definitions, 0
        self.not_before = 0.0  # the `time.monotonic` instant from which the next may be started

    def spawn(self) -> ChildProcess | None:
        """Return a new child; None if it is too early, or the system gives none."""
        if time.monotonic() < self.not_before:
            return None
        try:
            return ChildProcess(self._definitions)
        except OSError as error:
            log.error("cannot start a child process: %s", error)
            self.note_failure()
            return None

    def note_ready(self) -> None:
        """Note that a child is ready."""
        self._failures = 0

    def note_failure(self) -> None:
        """Note that a child ended before it was ready."""
        self._failures += 1
        # Definitions that can't be loaded fail each time: no use in keeping a processor busy.
        pause = min(MOST_PAUSE_SECONDS, 2.0 ** (self._failures - 1))
        self.not_before = time.monotonic() + pause


def _spawn(definitions: str, *sockets: socket.socket) -> "subprocess.Popen[bytes]":
    descriptors = [sock.fileno() for sock in sockets]
    arguments = [definitions, *map(str, descriptors), str(os.getpid())]
    return subprocess.Popen(
        [sys.executable, "-m", "tick.executors.child", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # one pipe, so that the lines of both keep their order
        bufsize=0,
        pass_fds=descriptors,
        start_new_session=True,  # a group of its own, which can be killed with all that is in it
    )


def _cause(status: int) -> str:
    if status == DISCONNECTED_STATUS:
        return "its process could no longer reach the worker, and ended; its log says why"
    if status >= 0:
        return f"its process exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "unknown"
    hint = "; the system does this when memory runs out" if -status == signal.SIGKILL else ""
    return f"its process died by signal {-status} ({name}){hint}"
