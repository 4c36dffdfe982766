"""Callbacks for forked copies of this process, which must close inherited connections."""

import os
import signal
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

_CALLBACKS: list[WeakMethod[Callable[[], None]]] = []
_OWN_HANDLERS: list[Callable[..., Any]] = []


def register_after_fork(method: Callable[[], None]) -> None:
    """Have a copy of this process call the bound method as soon as it begins.

    It must neither wait nor take a lock: the thread that held it is not there.
    """
    # A copy inherits every open socket, pipe and database connection, but none of the threads that
    # serve them; two processes that use one harm each other. Weakly, since owners come and go.
    _CALLBACKS[:] = [known for known in _CALLBACKS if known() is not None]
    _CALLBACKS.append(WeakMethod(method))


def handle_in_this_process(number: signal.Signals, handler: Callable[..., Any]) -> None:
    """Handle a signal with `handler` in this process; in a copy it does what it does by default."""
    _OWN_HANDLERS.append(handler)
    signal.signal(number, handler)


def _begin_as_copy() -> None:
    # A handler sets flags that nobody reads in a copy: it could not be ended.
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) in _OWN_HANDLERS:
            signal.signal(number, signal.SIG_DFL)
    _OWN_HANDLERS.clear()
    for known in _CALLBACKS:
        if (method := known()) is not None:
            method()


os.register_at_fork(after_in_child=_begin_as_copy)
