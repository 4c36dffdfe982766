"""A child process as its worker holds it: the socket, the output pipe, and the process group.

Orders travel ahead of their time, so that a child goes from one short run to the next without
asking. Each needs a ticket from a second socket, of which the worker keeps both ends: a ticket is
read once, by the child that begins the run or by the worker that takes the order back.
"""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from math import inf

from tick.executors.child_messages import Output, OutputReader
from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.protocol import DISCONNECTED_STATUS, ORDER_TOKEN, Message, Unpacker, pack
from tick.executors.run_queue import Order
from tick.forks import register_after_fork
from tick.policy.retry import AttemptEnd

SEND_SECONDS = 5
QUICK_SECONDS = 0.02
"""A child whose last run took no longer is ordered further ones ahead."""
_READ_BYTES = 64 * 1024
_DRAIN_READS = 32


class ChildProcess:
    """One warm process, at most one run at a time. Its instants are `time.monotonic` seconds."""

    def __init__(self, definitions: str) -> None:
        self.orders: deque[Order] = deque()
        """The run that it executes, then those that it will begin by itself."""
        self.ready = False
        self.started_at = time.monotonic()
        self.runs_done = 0
        self.began_at = -inf
        self.last_took = inf
        """How many seconds its last run took."""
        self.deadline = inf
        self.kill_at = inf
        self.planned_end: AttemptEnd | None = None
        """How its run ends, decided before the process is gone."""
        self.disconnect_reason: str | None = None
        """Why the worker gives it up although its run has not ended."""
        self._killed_because: str | None = None
        self._unpacker = Unpacker()
        self._reader = OutputReader()
        self.socket, theirs = socket.socketpair()
        # The kernel's limit: Python's own would have `recv` wait as well, whatever its flags.
        limit = struct.pack("ll", SEND_SECONDS, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._token_sockets = socket.socketpair()
        try:
            self._process = _spawn(definitions, theirs, self._token_sockets[1])
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
        """The run that it executes."""
        return self.orders[0].run if self.orders else None

    @property
    def idle(self) -> bool:
        """Whether it would take a run."""
        return self.ready and not self.orders and self.kill_at == inf

    @property
    def slow_at(self) -> float:
        """When others should have the runs that it was ordered ahead."""
        return self.began_at + QUICK_SECONDS if len(self.orders) > 1 else inf

    @property
    def is_quick(self) -> bool:
        """Whether it is at work, and neither its last run nor this one took long."""
        longest = max(self.last_took, time.monotonic() - self.began_at)
        return bool(self.orders) and self.kill_at == inf and longest <= QUICK_SECONDS

    def order(self, orders: Sequence[Order]) -> None:
        """Order runs, one after another. Raises OSError when the process is gone."""
        was_idle = not self.orders
        self.orders.extend(orders)
        if was_idle:
            self._begin(self.orders[0])
        # Tickets first: should the rest fail, the orders can be taken back.
        self._token_sockets[0].sendall(b"".join(ORDER_TOKEN.pack(*o.run.claim) for o in orders))
        self.socket.sendall(b"".join(order.packed for order in orders))

    def end_current(self, took: float) -> None:
        """It ended its run after so many seconds, and went on to the next one."""
        self.orders.popleft()
        self.runs_done += 1
        self.last_took = took
        self.deadline, self.planned_end = inf, None
        if self.orders:
            self._begin(self.orders[0])

    def take_back(self) -> list[Order]:
        """The orders that it has not begun; it never will.

        Those that it had ended by then may not have been heard of yet.
        """
        try:
            size = ORDER_TOKEN.size * len(self.orders)
            tokens = self._token_sockets[1].recv(size, socket.MSG_DONTWAIT) if size else b""
        except BlockingIOError:
            return []
        taken = [self.orders.pop() for _ in range(len(tokens) // ORDER_TOKEN.size)]
        if not self.orders:
            self.deadline = inf
        return taken[::-1]

    def _begin(self, order: Order) -> None:
        self.began_at = time.monotonic()
        self.deadline = self.began_at + order.timeout_seconds

    def ask_to_stop(self) -> None:
        """Pass a cancellation of its run on."""
        if self.run is not None:
            with suppress(OSError):
                self.socket.sendall(pack({"cancel": self.run.claim}))

    def receive(self) -> list[Message] | None:
        """The messages that have come; None when the process closed its end.

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
        """The run of a claim if it has not ended; of none, the run that it executes."""
        if claim is None:
            return self.run
        return next((order.run for order in self.orders if order.run.claim == claim), None)

    def read_output(self) -> Output:
        """What the process, or one that it started, wrote to its standard output."""
        chunk = self.output.read(_READ_BYTES)
        return self._reader.feed(chunk, time.monotonic()) if chunk else Output()

    def due_output(self, now: float) -> Output:
        """A line that was begun there a second ago, and has not ended."""
        return self._reader.due(now)

    def rest_of_output(self, *, unread: bool = False) -> Output:
        """The line that was begun; before it, if asked for, what is still in the pipe."""
        output = Output()
        for _ in range(_DRAIN_READS if unread else 0):
            output += self.read_output()
        return output + self._reader.end()

    def kill(self, because: str | None) -> None:
        """Kill the process and all that it started; why, if nothing else says so."""
        if because is not None and not self.has_exited():
            self._killed_because = self._killed_because or because
        self.signal_group(signal.SIGKILL)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def has_exited(self) -> bool:
        """Whether the process is over."""
        return self._process.poll() is not None

    def clean_up(self) -> str:
        """Kill what is left of the group, give everything back; how the process died."""
        self.signal_group(signal.SIGKILL)
        status = self._process.wait()
        self._close_channels()
        return self._killed_because or _cause(status)

    def _close_channels(self) -> None:
        self._close_sockets()
        self.output.close()

    def _close_sockets(self) -> None:
        for sock in (self.socket, *self._token_sockets):
            sock.close()


def _spawn(
    definitions: str, theirs: socket.socket, tokens: socket.socket
) -> "subprocess.Popen[bytes]":
    descriptors = [theirs.fileno(), tokens.fileno()]
    arguments = [definitions, *map(str, descriptors), str(os.getpid())]
    return subprocess.Popen(
        [sys.executable, "-m", "tick.executors.child", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        pass_fds=descriptors,
        start_new_session=True,
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
