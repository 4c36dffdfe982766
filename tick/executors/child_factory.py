"""Starts child processes; after some that ended before they were ready, less and less often."""

import logging
import time

from tick.executors.child_process import ChildProcess

log = logging.getLogger(__name__)
MOST_PAUSE_SECONDS = 30.0


class ChildFactory:
    """Starts processes that load `definitions`. Its instants are `time.monotonic` seconds."""

    def __init__(self, definitions: str) -> None:
        self._definitions = definitions
        self._failures = 0
        self.not_before = 0.0
        """When the next one may be started."""

    def spawn(self) -> ChildProcess | None:
        """A new child; None if it is too early, or the system gives none."""
        if time.monotonic() < self.not_before:
            return None
        try:
            return ChildProcess(self._definitions)
        except OSError as error:
            log.error("cannot start a child process: %s", error)
            self.failed()
            return None

    def succeeded(self) -> None:
        """A child is ready."""
        self._failures = 0

    def failed(self) -> None:
        """A child ended before it was ready."""
        self._failures += 1
        pause = min(MOST_PAUSE_SECONDS, 2.0 ** (self._failures - 1))
        self.not_before = time.monotonic() + pause
