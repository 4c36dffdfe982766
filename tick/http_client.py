"""A small HTTP client: one look-up of the host, no redirects, no proxy, a bounded response."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTP_PORT, HTTPS_PORT, HTTPConnection, HTTPSConnection, InvalidURL
from typing import Any
from urllib.parse import SplitResult, urlsplit

USER_AGENT = "job-schedule-manager"
Judge = Callable[[str, Sequence[str]], None]
"""Raises an error if a host, with these addresses, may not be called."""


@dataclass(frozen=True)
class Response:
    """Holds a response. `is_cut`: there was more; `is_broken_off`: there should have been more."""

    status: int
    reason: str
    location: str | None
    body: bytes
    is_cut: bool
    is_broken_off: bool


def send(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    seconds: float,
    max_bytes: int,
    judge: Judge | None = None,
) -> Response:
    """Send a request, and return the response with up to `max_bytes` of its body.

    Each step (connecting, each read) may take so many seconds. Raises ValueError or InvalidURL for
    a bad address, OSError or HTTPException without a response, and the errors of `judge`.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii() or not target.isprintable() or " " in target:
        # Refused here, before the host is looked up: an error of the socket would hide the cause.
        raise InvalidURL("the path holds characters that must be encoded")
    with _connect(parts, seconds, judge) as connection:
        ours = {"Connection": "close", "User-Agent": USER_AGENT}
        connection.request(method, target, body, {**ours, **headers})
        response = connection.getresponse()
        content = response.read(max_bytes + 1)  # one more shows whether the body goes on
        is_cut = len(content) > max_bytes
        return Response(
            status=response.status,
            reason=response.reason,
            location=response.getheader("Location"),
            body=content[:max_bytes],
            is_cut=is_cut,
            is_broken_off=bool(response.length) and not is_cut,
        )


@contextmanager
def _connect(url: SplitResult, seconds: float, judge: Judge | None) -> Iterator[HTTPConnection]:
    host, is_secure = url.hostname or "", url.scheme == "https"
    port = url.port or (HTTPS_PORT if is_secure else HTTP_PORT)
    kind = HTTPSConnection if is_secure else HTTPConnection
    connection = kind(host, port, timeout=seconds)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if judge is not None:
        judge(host, [str(address[0]) for *_, address in found])
    try:
        # A second look-up could lead to another address than the one that was judged.
        connection.sock = _dial([(family, address) for family, *_, address in found], seconds)
        if is_secure:
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        yield connection
    finally:
        connection.close()


def _dial(addresses: Sequence[tuple[socket.AddressFamily, Any]], seconds: float) -> socket.socket:
    """Connect to the first address that answers. Raises OSError if none does."""
    failure = OSError("there is no address to connect to")
    for family, address in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(seconds)
        try:
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure
