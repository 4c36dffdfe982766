"""Timers of processes that serve, by the monotonic clock, which nobody sets back."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf

Clock = Callable[[], float]


class PeriodicTimer:
    """A task that is due each so many seconds; `restart` begins the next span."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._next = clock()

    @property
    def due(self) -> bool:
        """Whether it is time; at first it is."""
        return self._clock() >= self._next

    def restart(self, *, after: float | None = None) -> None:
        """Make the task due after its period, or after so many seconds."""
        self._next = self._clock() + (self._seconds if after is None else after)

    def make_due(self) -> None:
        """Make it due."""
        self._next = self._clock()


class CachedClock:
    """A shared clock that costs a round trip: asked once in `seconds`, carried on in between."""

    # Carried on after a quick trip only: by as much may the answer be wrong.
    LONGEST_TRIP_SECONDS = 0.005

    def __init__(
        self, ask: Callable[[], datetime], seconds: float, clock: Clock = time.monotonic
    ) -> None:
        self._ask, self._seconds, self._clock = ask, seconds, clock
        self._until = -inf

    def read(self) -> tuple[float, datetime]:
        """Return a reading of the monotonic clock, and the instant that it was then."""
        at = self._clock()
        if at >= self._until:
            self._asked_at, self._answer = at, self._ask()
            is_quick = self._clock() - at <= self.LONGEST_TRIP_SECONDS
            self._until = at + self._seconds if is_quick else at
        return at, self._answer + timedelta(seconds=at - self._asked_at)
