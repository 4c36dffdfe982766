"""When a process that serves does what: lengths by the monotonic clock, which no one sets back."""

import time
from collections.abc import Callable

Clock = Callable[[], float]


class Every:
    """Something to be done each so many seconds; `done` starts the next span."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._next = clock()

    @property
    def due(self) -> bool:
        """Whether it is time; at first it is."""
        return self._clock() >= self._next

    def done(self, *, after: float | None = None) -> None:
        """It was done, or is put off by `after` seconds."""
        self._next = self._clock() + (self._seconds if after is None else after)

    def hurry(self) -> None:
        """Make it due."""
        self._next = self._clock()


class Appetite:
    """How many runs to hold beyond the free slots, so that short ones need not wait for a claim.

    As many as ended in the last SPAN_SECONDS: long runs are claimed one by one, and only those
    that take milliseconds travel in hundreds.
    """

    SPAN_SECONDS = 0.25
    MOST = 1000

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._since, self._ended, self._runs = clock(), 0, 0

    def note(self, ended: int) -> None:
        """So many runs have just ended."""
        self._ended += ended
        # It grows at once, so that a worker is in full swing after a few claims.
        self._runs = max(self._runs, min(self.MOST, self._ended))
        elapsed = self._clock() - self._since
        if elapsed >= self.SPAN_SECONDS:
            self._runs = min(self.MOST, int(self._ended * self.SPAN_SECONDS / elapsed))
            self._since, self._ended = self._clock(), 0

    def beyond(self, slots: int) -> int:
        """How many more than `slots` to hold; none while runs take longer than the span."""
        return self._runs if self._runs > slots else 0
