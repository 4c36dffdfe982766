"""Stops a process that serves: at a signal, or because somebody asks."""

import signal
from collections.abc import Callable
from typing import Any

from tick.forks import handle_in_this_process


def handle_stop_signals(handler: Callable[..., Any]) -> None:
    """Handle SIGTERM and Ctrl-C in this process. Only in the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        handle_in_this_process(number, handler)


class Stop:
    """A request to stop; a second one means at once. Serves as a signal handler."""

    def __init__(self) -> None:
        self.requests = 0

    def __call__(self, *_signal: object) -> None:
        """Make the request."""
        self.requests += 1

    def on_signals(self) -> None:
        """Let SIGTERM and Ctrl-C make the request. Only in the main thread."""
        handle_stop_signals(self)
