"""How runs that wait reach children: one each where a child is idle, portions where it is quick."""

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from math import ceil, inf

from tick.executors.child_process import ChildProcess
from tick.executors.run_queue import Order, RunQueue

AHEAD_RUNS = 200
AHEAD_BYTES = 64 * 1024
"""So much fits into a child's socket even while it does not listen."""


class Dispatcher:
    """Orders runs of a backlog.

    A child executes `recycle_after` of them, or more while it is not `recycle_seconds` old.
    """

    def __init__(self, waiting: RunQueue, recycle_after: int, recycle_seconds: float) -> None:
        self._waiting = waiting
        self._recycle_after, self._recycle_seconds = recycle_after, recycle_seconds

    def dispatch(self, children: Collection[ChildProcess]) -> None:
        """Begin runs, as far as there are idle children."""
        for child in children:
            if child.idle and self._waiting:
                _order(child, self._waiting.take(1, inf))

    def dispatch_ahead(self, children: Collection[ChildProcess]) -> None:
        """Order further runs from the quick ones among the children; each gets its share."""
        quick = [child for child in children if child.is_quick]
        for number, child in enumerate(quick):
            # Not one by one: a few large portions cost less than many small ones.
            if 2 * len(child.orders) < AHEAD_RUNS:
                share = ceil(len(self._waiting) / (len(quick) - number))
                most = min(share, AHEAD_RUNS - len(child.orders), self.runs_left(child))
                room = AHEAD_BYTES - sum(len(order.packed) for order in child.orders)
                _order(child, self._waiting.take(most, room))

    def runs_left(self, child: ChildProcess) -> int:
        """How many runs further than those it was ordered the child is to execute."""
        is_young = time.monotonic() - child.started_at < self._recycle_seconds
        left = self._recycle_after - child.runs_done - len(child.orders)
        return AHEAD_RUNS if is_young else left


def _order(child: ChildProcess, orders: Sequence[Order]) -> None:
    if orders:
        # A child that is gone by now is noticed at the next poll.
        with suppress(OSError):
            child.order(orders)
