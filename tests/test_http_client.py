"""The one HTTP client: what it refuses, and when."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from tests.job_types.server import serving
from tick import http_client


class Refused(Exception):
    """Raised by the judge."""


def refuse(host: str, addresses: Sequence[str]) -> None:
    """Refuse any host."""
    raise Refused(f"{host}: {', '.join(addresses)}")


def get(url: str, **options: Any) -> http_client.Response:
    return http_client.send("GET", url, None, {}, seconds=5, **{"max_bytes": 100, **options})


def test_a_host_is_judged_before_it_is_called() -> None:
    with serving() as server, pytest.raises(Refused, match=r"127\.0\.0\.1: 127\.0\.0\.1"):
        get(f"{server.url}/ok", judge=refuse)
    assert server.asked == []


def test_a_host_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    with serving() as server:
        port = server.server_port

        def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
            looked_up.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        assert get(f"http://service.example:{port}/ok").status == 404
    assert looked_up == ["service.example"]


def test_a_redirect_is_answered_and_not_followed() -> None:
    with serving() as server:
        server.answers["/away"] = (302, {"Location": "/ok"}, b"")
        response = get(f"{server.url}/away")
    assert (response.status, response.location) == (302, "/ok")
    assert len(server.asked) == 1


def test_a_long_body_is_cut_and_a_short_one_is_known() -> None:
    with serving() as server:
        server.answers["/long"] = (200, {}, b"x" * 101)
        server.answers["/torn"] = (200, {"Content-Length": "10"}, b"12345")
        long, torn = get(f"{server.url}/long"), get(f"{server.url}/torn")
    assert (len(long.body), long.is_cut, long.is_broken_off) == (100, True, False)
    assert (torn.body, torn.is_cut, torn.is_broken_off) == (b"12345", False, True)


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving() as server:
        assert get(f"{server.url}/ok").status == 404
