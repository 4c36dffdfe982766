"""Requests that wait for a run's log: each holds a thread of the server, so only some may."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from flask import Flask, current_app

POLL_SECONDS = 1.0
_PLACES = "log_streams"


def init_app(app: Flask, most: int) -> None:
    """Let at most so many requests of this process wait at one time."""
    app.extensions[_PLACES] = BoundedSemaphore(most) if most else None


def take_place() -> BoundedSemaphore | None:
    """The semaphore that has to be released in the end; None if too many wait already."""
    places: BoundedSemaphore | None = current_app.extensions[_PLACES]
    return places if places is not None and places.acquire(blocking=False) else None


@contextmanager
def holding_a_thread() -> Iterator[bool]:
    """Whether this request may wait; its place is given back at the end."""
    place = take_place()
    try:
        yield place is not None
    finally:
        if place is not None:
            place.release()
