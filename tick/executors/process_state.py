"""The parts of a process's state that a job may change and that can be put back."""

import locale
import os
import resource
import signal
import sys
import time

# The public ones make enumerations of what they answer, which costs ten times as much and more.
from _signal import getsignal, pthread_sigmask  # type: ignore[import-not-found]
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_SIGNALS = [int(n) for n in signal.valid_signals() if n not in (signal.SIGKILL, signal.SIGSTOP)]
_NAMES = ("AS", "CPU", "FSIZE", "NOFILE")
_LIMITS = [getattr(resource, f"RLIMIT_{name}") for name in _NAMES]


@dataclass(frozen=True)
class Part:
    """A part of the state: what it is called, how it is read, and how it is put back."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]


def zero_timers() -> None:
    """Stop what would send this process a signal some time later: alarms and interval timers."""
    for timer in _TIMERS:
        if signal.getitimer(timer)[0]:
            signal.setitimer(timer, 0)


def _handlers() -> list[Any]:
    return list(map(getsignal, _SIGNALS))


def _handle(handlers: list[Any]) -> None:
    for number, handler, now in zip(_SIGNALS, handlers, _handlers(), strict=True):
        if now is not handler:
            signal.signal(number, handler)


def _limits() -> list[tuple[int, int]]:
    return list(map(resource.getrlimit, _LIMITS))


def _limit(limits: list[tuple[int, int]]) -> None:
    for number, limit in zip(_LIMITS, limits, strict=True):
        resource.setrlimit(number, limit)


def _environment() -> dict[bytes, bytes]:
    # The dictionary below it: the mapping itself decodes every name and value.
    return dict(os.environ._data)  # type: ignore[attr-defined]


def _set_environment(variables: dict[bytes, bytes]) -> None:
    os.environb.clear()
    os.environb.update(variables)
    time.tzset()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _locale() -> str:
    return locale.setlocale(locale.LC_ALL)


def _set_locale(name: str) -> None:
    locale.setlocale(locale.LC_ALL, name)


def _mask() -> set[Any]:
    return pthread_sigmask(int(signal.SIG_BLOCK), ())  # type: ignore[no-any-return]


def _set_mask(mask: set[Any]) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


STATE = (
    Part("environment", _environment, _set_environment),
    Part("signal handlers", _handlers, _handle),
    Part("signal mask", _mask, _set_mask),
    Part("limits", _limits, _limit),
    Part("locale", _locale, _set_locale),
    Part("umask", _umask, os.umask),
    Part("recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
)
