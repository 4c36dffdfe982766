"""The bodies of requests: read before anything else, within a time, and so many at once.

A server with threads gives one to each request, for as long as the client takes to send its body.
Here the whole of it, which is small, is read first: by the deadline, or the request ends. And only
some of the threads may read at one time, so that clients that are slow, or mean to be, never take
those that pages and the trigger need. What needs no body never waits for one.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

from werkzeug.exceptions import (
    BadRequest,
    RequestEntityTooLarge,
    RequestTimeout,
    ServiceUnavailable,
)

from webapp.config import MAX_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FAILURE = "tick.body_failure"
RETRY_AFTER_SECONDS = 1
_SLOW = "The body of the request did not come in time. Send the request again."
_CROWDED = "Too many requests are being sent at this moment. Try again in a second."
_CUT = "The body of the request ended too soon. Send the request again."
_BODILESS = ("GET", "HEAD", "OPTIONS")
_UNREAD = "/internal/"
# How gunicorn, and Werkzeug's server for development, hand over the connection.
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


class Timer(Protocol):
    """What ends a read that takes too long; see threading.Timer."""

    daemon: bool

    def start(self) -> None:
        """Begin to wait."""

    def cancel(self) -> None:
        """Let it be."""


class BodyGuard:
    """A WSGI application in front of another, to which it hands bodies that have come."""

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        seconds: float,
        at_once: int,
        timer: Callable[[float, Callable[[], None]], Timer] = threading.Timer,
    ) -> None:
        self._app, self._seconds, self._timer = app, seconds, timer
        self._places = threading.BoundedSemaphore(at_once)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Read the body, or leave it; what is wrong with it is raised where pages are made."""
        connection = next((environ[name] for name in _SOCKETS if name in environ), None)
        length, whole = _length(environ), True
        body = b""
        try:
            if length is not None and length > MAX_BODY:
                raise RequestEntityTooLarge
            if length != 0 and _is_wanted(environ):
                body = self._read(environ, length, connection)
            else:
                whole = length == 0
        except Exception as error:
            environ[FAILURE], whole = error, False
        environ.update({"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        for name in ("HTTP_TRANSFER_ENCODING", "wsgi.input_terminated"):
            environ.pop(name, None)
        answer = self._app(environ, start_response)
        if not whole:
            _read_no_more(connection)
        return answer

    def _read(
        self, environ: "WSGIEnvironment", length: int | None, connection: socket.socket | None
    ) -> bytes:
        if not self._places.acquire(blocking=False):
            raise ServiceUnavailable(_CROWDED, retry_after=RETRY_AFTER_SECONDS)
        try:
            with self._deadline(connection) as passed:
                body: bytes = environ["wsgi.input"].read(MAX_BODY + 1 if length is None else length)
        except Exception:
            if passed.is_set():
                raise RequestTimeout(_SLOW) from None
            raise
        finally:
            self._places.release()
        if length is not None and len(body) < length:
            raise RequestTimeout(_SLOW) if passed.is_set() else BadRequest(_CUT)
        if len(body) > MAX_BODY:
            raise RequestEntityTooLarge
        return body

    @contextmanager
    def _deadline(self, connection: socket.socket | None) -> Iterator[threading.Event]:
        """Is set when the time is over; then nothing more is read from the connection.

        A timeout of the socket would not do: it begins anew with each byte.
        """
        passed = threading.Event()

        def end() -> None:
            passed.set()
            _read_no_more(connection)

        timer = self._timer(self._seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield passed
        finally:
            timer.cancel()


def _length(environ: "WSGIEnvironment") -> int | None:
    """How long the body says that it is; None for one in chunks."""
    declared = environ.get("CONTENT_LENGTH", "")
    if declared.isascii() and declared.isdigit():
        return int(declared)
    is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    return None if is_chunked or "wsgi.input_terminated" in environ else 0


def _is_wanted(environ: "WSGIEnvironment") -> bool:
    """Whether anything here reads it: some triggers send one, of which nothing is used."""
    if environ.get("PATH_INFO", "").startswith(_UNREAD):
        return False
    return environ.get("REQUEST_METHOD") not in _BODILESS


def _read_no_more(connection: socket.socket | None) -> None:
    """Let a read end at once, this one and the server's own of what is left; writing goes on."""
    if connection is None:
        return
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:  # the client has gone
        return
