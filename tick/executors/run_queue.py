"""Holds the runs that were handed to a pool and have not begun. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from tick.executors.claimed_run import ClaimedRun


@dataclass(frozen=True)
class Order:
    """A run to be executed, and since when it waits for that, in `time.monotonic` seconds."""

    run: ClaimedRun
    timeout_seconds: float
    since: float
    packed: bytes = b""  # as it travels to a child; a thread needs none


class RunQueue:
    """Orders in the order in which they are to begin."""

    def __init__(self) -> None:
        self._orders: deque[Order] = deque()

    def __len__(self) -> int:
        return len(self._orders)

    @property
    def runs(self) -> list[ClaimedRun]:
        """Return all runs that wait."""
        return [order.run for order in self._orders]

    def add(self, order: Order) -> None:
        """Put an order at the end."""
        self._orders.append(order)

    def put_back(self, orders: Sequence[Order]) -> None:
        """Put orders that had been taken in front again."""
        self._orders.extendleft(reversed(orders))

    def take(self, most: int, room: float) -> list[Order]:
        """Take the next orders: at most `most`, of at most `room` bytes in all."""
        taken: list[Order] = []
        while self._orders and len(taken) < most:
            room -= len(self._orders[0].packed)
            if room < 0:
                break
            taken.append(self._orders.popleft())
        return taken

    def take_older(self, before: float) -> list[ClaimedRun]:
        """Take the runs that have waited since before an instant."""
        taken = [order.run for order in self._orders if order.since <= before]
        self._orders = deque(order for order in self._orders if order.since > before)
        return taken

    def drop(self, run: ClaimedRun) -> bool:
        """Take the run out; return whether it was there."""
        found = next((order for order in self._orders if order.run == run), None)
        if found is not None:
            self._orders.remove(found)
        return found is not None

    def clear(self) -> None:
        """Forget all."""
        self._orders.clear()
