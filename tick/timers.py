"""When a process that serves does what: lengths by the monotonic clock, which no one sets back."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import inf

Clock = Callable[[], float]


class PeriodicTimer:
    """Something to be done each so many seconds; `restart` begins the next span."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._next = clock()

    @property
    def due(self) -> bool:
        """Whether it is time; at first it is."""
        return self._clock() >= self._next

    def restart(self, *, after: float | None = None) -> None:
        """It was done, or is put off by `after` seconds."""
        self._next = self._clock() + (self._seconds if after is None else after)

    def make_due(self) -> None:
        """Make it due."""
        self._next = self._clock()


class CachedClock:
    """A shared clock that costs a round trip: asked once in `seconds`, carried on in between.

    It is late for nothing, and early at most by the longest trip after which it is carried on.
    """

    LONGEST_TRIP_SECONDS = 0.005

    def __init__(
        self, ask: Callable[[], datetime], seconds: float, clock: Clock = time.monotonic
    ) -> None:
        self._ask, self._seconds, self._clock = ask, seconds, clock
        self._until = -inf

    def read(self) -> tuple[float, datetime]:
        """A reading of the monotonic clock, and the instant that it was then."""
        at = self._clock()
        if at >= self._until:
            self._asked_at, self._answer = at, self._ask()
            is_quick = self._clock() - at <= self.LONGEST_TRIP_SECONDS
            self._until = at + self._seconds if is_quick else at
        return at, self._answer + timedelta(seconds=at - self._asked_at)


class PrefetchController:
    """How many runs to hold beyond the free slots, so that short ones need not wait for a claim.

    As many as `slots` can execute in SPAN_SECONDS, as long as the last ones took: long runs are
    claimed one by one, and only those that take milliseconds travel in hundreds.
    """

    SPAN_SECONDS = 0.25
    MOST = 1000
    GROWTH = 10
    """Not all at once: the next runs may be others than the last."""

    def __init__(self, slots: int, clock: Clock = time.monotonic) -> None:
        self._slots, self._clock = slots, clock
        self._since, self._ended, self._took, self._runs = clock(), 0, 0.0, 0

    def note(self, took: Sequence[float]) -> None:
        """Runs have just ended, which took so many seconds each."""
        self._ended += len(took)
        self._took += sum(took)
        if took:
            self._runs = min(self._wanted(), self.GROWTH * max(self._runs, self._slots))
        if self._clock() - self._since >= self.SPAN_SECONDS:
            if not self._ended:
                self._runs = 0
            self._since, self._ended, self._took = self._clock(), 0, 0.0

    @property
    def beyond(self) -> int:
        """How many to hold; none while runs take longer than the span."""
        return self._runs if self._runs > self._slots else 0

    def _wanted(self) -> int:
        room = self._slots * self.SPAN_SECONDS * self._ended
        return int(min(self.MOST, room / max(self._took, 1e-9)))
