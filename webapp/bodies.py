"""Reads the bodies of requests before anything else: within a deadline, and few at a time."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import TYPE_CHECKING

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


class BodyGuard:
    """WSGI middleware that hands on requests with their bodies read."""

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        seconds: float,
        at_once: int,
        timer: Callable[[float, Callable[[], None]], threading.Timer] = threading.Timer,
    ) -> None:
        self._app, self._seconds, self._timer = app, seconds, timer
        # A threaded server lends a thread to each request for as long as its body takes: slow
        # clients, or hostile ones, must not take those that pages and the trigger need.
        self._places = threading.BoundedSemaphore(at_once)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Read the body, or leave it; what is wrong with it is raised where pages are made."""
        # Keep the failure for the application: its error handlers know pages from JSON.
        connection = next((environ[name] for name in _SOCKETS if name in environ), None)
        length, whole = _length(environ), True
        body = b""
        try:
            if length is not None and length > MAX_BODY:
                raise RequestEntityTooLarge
            # Some triggers send a body, of which nothing is used: a tick must not wait for it.
            is_unread = environ.get("PATH_INFO", "").startswith(_UNREAD)
            is_bodiless = environ.get("REQUEST_METHOD") in _BODILESS
            if length != 0 and not is_unread and not is_bodiless:
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
            _stop_reading(connection)
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
        """Yield an event that is set at the deadline, when reading from the connection stops."""
        # A timeout of the socket would not do: it begins anew with each byte.
        passed = threading.Event()

        def end() -> None:
            passed.set()
            _stop_reading(connection)

        timer = self._timer(self._seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield passed
        finally:
            timer.cancel()


def _length(environ: "WSGIEnvironment") -> int | None:
    """Return the length that the body declares; None for one in chunks."""
    declared = environ.get("CONTENT_LENGTH", "")
    if declared.isascii() and declared.isdigit():
        return int(declared)
    is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    return None if is_chunked or "wsgi.input_terminated" in environ else 0


def _stop_reading(connection: socket.socket | None) -> None:
    """End a read at once, this one and the server's own of what is left; writing goes on."""
    if connection is not None:
        with suppress(OSError):  # the client has gone
            connection.shutdown(socket.SHUT_RD)
