"""Callbacks for forked copies of this process, which must give up what they inherit.

A copy inherits every open socket, pipe and database connection, but none of the threads that serve
them. Two processes that use one of them harm each other, so code that opens one registers here how
a copy closes it.
"""

import os
import signal
from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

_CALLBACKS: list[WeakMethod[Callable[[], None]]] = []
_OWN_HANDLERS: list[Callable[..., Any]] = []


def register_after_fork(method: Callable[[], None]) -> None:
    """Have a copy of this process call the bound method as soon as it begins.

    The method's object may go away before. It must neither wait nor take a lock: the thread that
    held it is not there.
    """
    _CALLBACKS[:] = [known for known in _CALLBACKS if known() is not None]
    _CALLBACKS.append(WeakMethod(method))


def handle_in_this_process(number: signal.Signals, handler: Callable[..., Any]) -> None:
    """Handle a signal with `handler` in this process; in a copy it does what it does by default."""
    _OWN_HANDLERS.append(handler)
    signal.signal(number, handler)


def _begin_as_copy() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) in _OWN_HANDLERS:
            signal.signal(number, signal.SIG_DFL)
    _OWN_HANDLERS.clear()
    for known in _CALLBACKS:
        if (method := known()) is not None:
            method()


os.register_at_fork(after_in_child=_begin_as_copy)
