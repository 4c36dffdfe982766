"""A connection to a host whose address was looked up once, judged, and is then connected to.

Looking it up again when connecting would let a name lead to another address than the judged one.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult

from tick.errors import TickError
from tick.policy.addresses import why_not_public

Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class RequestFailed(TickError):
    """An HTTP request was refused here, or was not answered as expected."""


@contextmanager
def connect(url: SplitResult, *, seconds: float, allow_private: bool) -> Iterator[HTTPConnection]:
    """An open connection to the URL's host; each step of its use may take so many seconds.

    Raises RequestFailed when the host has an address that is not public, or none; OSError when it
    does not answer.
    """
    host, secure = url.hostname or "", url.scheme == "https"
    port = url.port or (443 if secure else 80)
    addresses = look_up(host, port)
    if not allow_private:
        check_public(host, addresses)
    kind = HTTPSConnection if secure else HTTPConnection
    connection = kind(host, port, timeout=seconds)
    try:
        connection.sock = _dial(addresses, seconds)
        if secure:
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        yield connection
    finally:
        connection.close()


def look_up(host: str, port: int) -> list[Address]:
    """The addresses of the host. Raises RequestFailed when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RequestFailed(f"{host} has no address: {error}") from None
    return [(family, address) for family, _, _, _, address in found]


def check_public(host: str, addresses: list[Address]) -> None:
    """Raises RequestFailed if any of the addresses is not of the public internet."""
    for _, (address, *_) in addresses:
        if why := why_not_public(str(address)):
            raise RequestFailed(
                f"{host} leads to {address}, which is {why}; if the job means to call it, declare "
                "it with allow_private=True."
            )


def _dial(addresses: list[Address], seconds: float) -> socket.socket:
    """Connect to the first address that answers. Raises OSError when none does."""
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
