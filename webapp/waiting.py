"""Bounds how many requests wait for a run's log, since each holds a thread of the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from flask import Flask, current_app

POLL_SECONDS = 1.0
_PLACES = "log_streams"


def init_app(app: Flask, most: int) -> None:
    """Let at most `most` requests of this process wait at one time."""
    app.extensions[_PLACES] = BoundedSemaphore(most) if most else None


def take_place() -> BoundedSemaphore | None:
    """Return the semaphore to release in the end; None if too many wait already."""
    places: BoundedSemaphore | None = current_app.extensions[_PLACES]
    return places if places is not None and places.acquire(blocking=False) else None


@contextmanager
def holding_a_thread() -> Iterator[bool]:
    """Yield whether this request may wait, and give its place back at the end."""
    place = take_place()
    try:
        yield place is not None
    finally:
        if place is not None:
            place.release()
