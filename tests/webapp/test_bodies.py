"""Bodies of requests: how long one may take to come, how many may be on their way, which wait."""

import socket
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.support.factories import World
from tests.webapp.scenes import SETTINGS
from tick.runtime import Runtime
from webapp import create_app
from webapp.bodies import FAILURE, BodyGuard
from webapp.config import MAX_BODY


class Clock:
    """A timer that goes off when the test says so."""

    daemon = False
    running: list["Clock"]

    def __init__(self, seconds: float, end: Callable[[], None]) -> None:
        self.seconds, self.end = seconds, end

    def start(self) -> None:
        self.running.append(self)

    def cancel(self) -> None:
        self.running.remove(self)


class Stalled:
    """The body of a client that has sent a part of it; `meanwhile` happens while it is awaited."""

    def __init__(self, meanwhile: Callable[[], object], sent: bytes = b"na") -> None:
        self.meanwhile, self.sent = meanwhile, sent

    def read(self, _size: int = -1) -> bytes:
        self.meanwhile()
        return self.sent


@pytest.fixture(autouse=True)
def clocks(monkeypatch: pytest.MonkeyPatch) -> list[Clock]:
    running: list[Clock] = []
    monkeypatch.setattr(Clock, "running", running, raising=False)
    return running


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def seen() -> dict[str, Any]:
    return {}


@pytest.fixture
def guard(seen: dict[str, Any]) -> BodyGuard:
    """In front of an application that notes what it gets; one body may be on its way."""

    def app(environ: Any, respond: Any) -> list[bytes]:
        seen.update(environ, body=environ["wsgi.input"].read())
        respond("200 OK", [])
        return [b""]

    return BodyGuard(app, seconds=7, at_once=1, timer=Clock)


def ask(guard: BodyGuard, body: Any = b"", path: str = "/login", **more: Any) -> None:
    """Send a request whose body may be one that does not come."""
    stream = BytesIO(body) if isinstance(body, bytes) else body
    environ = EnvironBuilder(path, method=more.pop("method", "POST")).get_environ()
    length = str(len(body)) if isinstance(body, bytes) else "20"
    run_wsgi_app(guard, environ | {"wsgi.input": stream, "CONTENT_LENGTH": length} | more)


def failure(seen: dict[str, Any]) -> int | None:
    """The status of what was wrong with the body."""
    error = seen.get(FAILURE)
    return error.code if isinstance(error, HTTPException) else None


def test_a_body_that_has_come_is_handed_on(guard: BodyGuard, seen: dict[str, Any]) -> None:
    ask(guard, b"name=ada")
    assert (seen["body"], seen["CONTENT_LENGTH"], failure(seen)) == (b"name=ada", "8", None)
    assert Clock.running == []


def test_a_body_that_does_not_come_is_ended_at_the_deadline(
    guard: BodyGuard, seen: dict[str, Any], pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, _ = pair
    ended: list[float] = []

    def the_time_is_over() -> None:
        (clock,) = Clock.running
        ended.append(clock.seconds)
        clock.end()

    ask(guard, Stalled(the_time_is_over), **{"gunicorn.socket": ours})
    assert (ended, failure(seen), seen["body"]) == ([7], 408, b"")
    assert ours.recv(1) == b""  # nothing more is read from it


def test_an_error_of_the_read_that_the_deadline_ended_is_the_deadlines(
    guard: BodyGuard, seen: dict[str, Any]
) -> None:
    def broken_off() -> None:
        Clock.running[0].end()
        raise OSError("no more data")

    ask(guard, Stalled(broken_off))
    assert failure(seen) == 408


def test_a_client_that_leaves_is_told_of_no_deadline(
    guard: BodyGuard, seen: dict[str, Any]
) -> None:
    ask(guard, Stalled(lambda: None))
    assert failure(seen) == 400


def test_a_body_over_the_limit_at_once_is_refused_at_once(
    guard: BodyGuard, seen: dict[str, Any]
) -> None:
    told: list[int | None] = []

    def another_comes() -> None:
        ask(guard, b"name=vic")
        told.append(failure(seen))
        ask(guard, b"", method="GET", path="/healthz")
        ask(guard, Stalled(pytest.fail), path="/internal/tick")
        assert FAILURE not in seen or seen.pop(FAILURE)

    ask(guard, Stalled(another_comes, sent=b"x" * 20))
    assert told == [503]
    ask(guard, b"name=ada")  # and the place is free again
    assert seen["body"] == b"name=ada"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/internal/tick"), ("PUT", "/internal/work/"), ("GET", "/login"), ("GET", "/runs")],
)
def test_what_needs_no_body_waits_for_none(
    guard: BodyGuard,
    seen: dict[str, Any],
    pair: tuple[socket.socket, socket.socket],
    method: str,
    path: str,
) -> None:
    ours, _ = pair
    unread = Stalled(lambda: pytest.fail("it was read"))
    ask(guard, unread, path, method=method, **{"gunicorn.socket": ours})
    assert (seen["body"], failure(seen), ours.recv(1)) == (b"", None, b"")


@pytest.mark.parametrize("path", ["/login", "/internal/tick", "/api/admin/jobs/run"])
def test_a_body_that_says_it_is_too_large_is_refused_unread(
    guard: BodyGuard, seen: dict[str, Any], path: str
) -> None:
    unread = Stalled(lambda: pytest.fail("it was read"))
    ask(guard, unread, path, CONTENT_LENGTH=str(MAX_BODY + 1))
    assert failure(seen) == 413


def test_the_refusal_is_a_page_or_a_problem_and_says_when_to_come_back(world: World) -> None:
    settings = SETTINGS.model_copy(update={"bodies_at_once": 1})
    app = create_app(Runtime(settings, world.database))
    answers = []

    def others_come() -> None:
        client = app.test_client()
        answers.append(client.post("/login", data={"name": "ada"}))
        answers.append(client.post("/api/admin/jobs/run", json={}))

    _send(app, Stalled(others_come, sent=b"x" * 20))
    page, problem = answers
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert "Too many requests are being sent" in page.text
    assert (problem.status_code, problem.headers["Retry-After"]) == (503, "1")
    assert problem.mimetype == "application/problem+json"


def _send(app: Flask, body: Stalled) -> None:
    environ = EnvironBuilder("/login", method="POST").get_environ()
    run_wsgi_app(app.wsgi_app, environ | {"wsgi.input": body, "CONTENT_LENGTH": "20"})
