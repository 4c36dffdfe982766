"""Clients that are slow in sending a request's body, against the server as it is deployed."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.deploy.site import WITHIN_SECONDS, Site

pytestmark = pytest.mark.servers
SECRET = "a-trigger-secret-of-length"
BEGUN = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n%s\r\n"
PLACES = 2


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def begin(
    clients: ExitStack, site: Site, path: bytes = b"/login", more: bytes = b""
) -> socket.socket:
    """A request of which the head was sent, and none of its body."""
    client = socket.create_connection(("127.0.0.1", site.port), timeout=WITHIN_SECONDS)
    clients.enter_context(client)
    client.sendall(BEGUN % (path, more))
    return client


def answer(client: socket.socket) -> bytes:
    """Everything that comes, to the end of the connection."""
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def serve(site: Site, **environment: str) -> Site:
    command = ("gunicorn", "--config", "gunicorn.conf.py", "webapp.wsgi:app")
    site.start(*command, TICK_TRIGGER_SECRET=SECRET, WEB_THREADS="4", **environment)
    site.wait_until_ready()
    return site


def test_a_connection_whose_body_does_not_come_is_ended_at_the_deadline(
    site: Site, clients: ExitStack
) -> None:
    serve(site, TICK_BODY_SECONDS="0.5")
    said = answer(begin(clients, site))
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"did not come in time" in said


def test_bodies_that_do_not_come_leave_threads_for_pages_and_the_trigger(
    site: Site, clients: ExitStack
) -> None:
    serve(site, TICK_BODY_SECONDS="300", TICK_BODIES_AT_ONCE=str(PLACES))
    for _ in range(PLACES):
        begin(clients, site)
    # Each of ours that finds a place keeps it; as soon as none is left, the others are told so.
    crowded = site.wait_for(lambda: _told_that_it_is_crowded(site, clients), "a full house")
    assert b"\r\nRetry-After: 1\r\n" in crowded
    for _ in range(4):
        assert site.get("/healthz").status == 200
        assert site.get("/login").status == 200
        ticked = site.get("/internal/tick", "POST", Authorization=f"Bearer {SECRET}")
        assert ticked.status == 200


def _told_that_it_is_crowded(site: Site, clients: ExitStack) -> bytes:
    said = answer(begin(clients, site, more=b"Connection: close\r\n"))
    return said if said.startswith(b"HTTP/1.1 503 ") else b""


def test_the_trigger_waits_for_no_body_and_ends_the_connection(
    site: Site, clients: ExitStack
) -> None:
    serve(site, TICK_BODY_SECONDS="300")
    authorized = b"Authorization: Bearer %s\r\n" % SECRET.encode()
    for path in (b"/internal/tick", b"/internal/tick/"):
        said = answer(begin(clients, site, path, authorized))
        assert said.startswith(b"HTTP/1.1 200 "), said
