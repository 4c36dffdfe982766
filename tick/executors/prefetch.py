"""Spares jobs of milliseconds a round trip each. Skip this file if yours take longer.

Three parts save a round trip each; without them every result would be the same:

1. `PrefetchController`: how many runs a worker claims beyond its free slots.
2. `order_ahead`: children whose runs are quick are ordered further ones, and go from one to the
   next without asking.
3. `OrderedRuns`: each order has a token, by which either the child begins the run or the worker
   takes the order back.
"""

import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import ceil, inf
from typing import cast

from tick.executors.claimed_run import Claim
from tick.executors.run_queue import Order, RunQueue

QUICK_SECONDS = 0.02  # a child whose last run took no longer is ordered further ones ahead
AHEAD_RUNS = 200
AHEAD_BYTES = 64 * 1024  # a socket takes so much even while the child does not read it
_TOKEN = struct.Struct(">qq")  # the right to begin one claimed run: its id and fencing token


class PrefetchController:
    """Learns how many runs to hold beyond the free slots, so that short ones wait for no claim.

    As many as `slots` can execute in SPAN_SECONDS, if they take as long as the last ones: long runs
    are claimed one by one, runs of milliseconds in hundreds.
    """

    SPAN_SECONDS, MOST, GROWTH = 0.25, 1000, 10

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots, self._clock = slots, clock
        self._since, self._ended, self._took, self._target = clock(), 0, 0.0, 0

    def note(self, took: Sequence[float]) -> None:
        """Note that runs have just ended, and how many seconds each took."""
        self._ended += len(took)
        self._took += sum(took)
        if took:
            # Grow step by step: the next runs may be longer than the last.
            most = min(self.MOST, self.GROWTH * max(self._target, self._slots))
            room = self._slots * self.SPAN_SECONDS * self._ended
            self._target = int(min(most, room / max(self._took, 1e-9)))
        if self._clock() - self._since >= self.SPAN_SECONDS:
            if not self._ended:
                self._target = 0
            self._since, self._ended, self._took = self._clock(), 0, 0.0

    @property
    def target(self) -> int:
        """Return how many runs to hold beyond the free slots; none if they outlast a span."""
        return self._target if self._target > self._slots else 0

    def missing(self, waiting: int) -> int:
        """Return how many runs to claim ahead while `waiting` of those that it holds wait."""
        # Refill only when half of them are gone: many small claims cost more than a few large ones.
        return self.target - waiting if 2 * waiting <= self.target else 0


class OrderedRuns:
    """The orders of one child: the run that it executes, then those that it begins by itself.

    Orders travel by `sock`. Its instants are `time.monotonic` seconds.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._orders: deque[Order] = deque()
        # The worker keeps both ends. A token is read once, so exactly one side decides about each
        # run, however slowly either of them hears.
        self._our_tokens, self.child_tokens = socket.socketpair()
        self.began_at = -inf
        self._last_took = inf

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders)

    @property
    def current(self) -> Order | None:
        """Return the order of the run that the child executes."""
        return self._orders[0] if self._orders else None

    @property
    def slow_at(self) -> float:
        """Return the instant from which runs that it has not begun are better off elsewhere."""
        return self.began_at + QUICK_SECONDS if len(self._orders) > 1 else inf

    @property
    def are_quick(self) -> bool:
        """Return whether the child is at work, and neither its last run nor this one took long."""
        longest = max(self._last_took, time.monotonic() - self.began_at)
        return bool(self._orders) and longest <= QUICK_SECONDS

    @property
    def room(self) -> int:
        """Return how many bytes of further orders fit into the socket."""
        return AHEAD_BYTES - sum(len(order.packed) for order in self._orders)

    def send(self, orders: Sequence[Order]) -> None:
        """Order runs, one after another. Raises OSError when the process is gone."""
        if not self._orders:
            self.began_at = time.monotonic()
        self._orders.extend(orders)
        # Tokens first: should the rest fail, the orders can be taken back.
        self._our_tokens.sendall(b"".join(_TOKEN.pack(*order.run.claim) for order in orders))
        self._socket.sendall(b"".join(order.packed for order in orders))

    def end_current(self, took: float) -> None:
        """Drop the order whose run has ended after so many seconds; the next one has begun."""
        self._orders.popleft()
        self._last_took = took
        if self._orders:
            self.began_at = time.monotonic()

    def take_back(self) -> list[Order]:
        """Return the orders that the child has not begun, and now never will."""
        # The others may have ended already: their ends have not been read yet.
        most = len(self._orders)
        try:
            size = _TOKEN.size * most
            tokens = self.child_tokens.recv(size, socket.MSG_DONTWAIT) if most else b""
        except BlockingIOError:
            return []
        # The child begins them in order, so the tokens that are left are those of the last orders.
        taken = [self._orders.pop() for _ in range(len(tokens) // _TOKEN.size)]
        return taken[::-1]

    def clear(self) -> None:
        """Drop all orders of a child that is about to be killed."""
        self._orders.clear()

    def close(self) -> None:
        """Close the sockets of the tokens."""
        self._our_tokens.close()
        self.child_tokens.close()


def order_ahead(waiting: RunQueue, quick: Sequence[tuple[OrderedRuns, int]]) -> None:
    """Order runs from quick children, in equal shares; each with how many more it may execute."""
    for number, (ordered, most) in enumerate(quick):
        # Refill only when half of them are gone: few large portions cost less than many small ones.
        if 2 * len(ordered) < AHEAD_RUNS:
            share = ceil(len(waiting) / (len(quick) - number))
            most = min(share, AHEAD_RUNS - len(ordered), most)
            if orders := waiting.take(most, ordered.room):
                with suppress(OSError):  # a child that is gone is noticed when its socket is read
                    ordered.send(orders)


def wait_for_token(tokens: socket.socket) -> Claim | None:
    """Return the claim that the child may begin next; None when the worker is gone."""
    token = tokens.recv(_TOKEN.size)
    return cast(Claim, _TOKEN.unpack(token)) if token else None
