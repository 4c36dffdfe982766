"""A job that is one HTTP request, and where it does not go."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.job_types.conftest import Attempt, definition_of
from tests.job_types.server import Server, serving
from tick import http
from tick.define.registry import build_registry
from tick.errors import DefinitionsInvalid
from tick.job_types.http import MAX_BODY_BYTES
from tick.policy.retry import AttemptEnd, AttemptOutcome


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers /ok."""
    with serving() as server:
        server.answers["/ok"] = (200, {}, b"fine")
        yield server


def call(url: str, **how: Any) -> Callable[[], Any]:
    """A job that may call the test's server."""
    return http("ping", url=url, group="net", **{"allow_private": True, **how})


def result(end: AttemptEnd) -> dict[str, Any]:
    """What a successful attempt returned."""
    assert end.how is AttemptOutcome.RETURNED, end
    value: dict[str, Any] = json.loads(end.result or "")
    return value


def message(end: AttemptEnd) -> str:
    """Why an attempt failed."""
    assert end.how is AttemptOutcome.RAISED, end
    return end.error_message or ""


def lead(monkeypatch: pytest.MonkeyPatch, *addresses: str, port: int = 80) -> list[str]:
    """Let every name lead to these addresses; the names that are looked up from then on."""
    names: list[str] = []

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        names.append(host)
        family = socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


def test_it_is_a_job_with_the_policy_of_one() -> None:
    ping = http("ping", url="https://example.com/a?token=1", group="net", timeout=5, retries=2)
    definition = definition_of(ping)
    assert (definition.name, definition.group, definition.timeout_seconds) == ("ping", "net", 5)
    assert definition.max_attempts == 3
    assert definition.description == "GET https://example.com/a"
    assert definition.source.startswith("job_types/test_http.py:")


def test_a_good_answer_is_its_result(attempt: Attempt, server: Server) -> None:
    end = attempt(call(f"{server.url}/ok"))
    assert result(end) == {"status": 200, "bytes": 4, "cut": False, "body": "fine"}
    ((level, line),) = attempt.log
    assert (level, line.rpartition(" in ")[0]) == ("INFO", f"GET {server.url}/ok: 200 OK, 4 bytes")


def test_a_body_is_sent_as_what_it_is(attempt: Attempt, server: Server) -> None:
    for body in (b"raw", "text", {"a": [1]}):
        attempt(call(f"{server.url}/ok", method="POST", body=body))
    sent = [(headers.get("Content-Type"), body) for _, _, headers, body in server.asked]
    assert sent == [
        (None, b"raw"),
        ("text/plain; charset=utf-8", b"text"),
        ("application/json", b'{"a": [1]}'),
    ]


def test_what_changes_something_carries_a_key_for_all_attempts(
    attempt: Attempt, server: Server
) -> None:
    attempt(call(f"{server.url}/ok", method="POST"))
    attempt(call(f"{server.url}/ok", method="PUT", headers={"idempotency-key": "mine"}))
    attempt(call(f"{server.url}/ok"))
    keys = [headers.get("Idempotency-Key") for _, _, headers, _ in server.asked]
    assert keys == ["tick-run-7", "mine", None]


def test_headers_hold_secrets_that_nobody_else_sees(
    attempt: Attempt, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cr3t")
    server.answers["/no"] = (401, {}, b"no")
    job = call(f"{server.url}/no", headers={"Authorization": "Bearer secret:API_TOKEN"})
    end = attempt(job)
    assert server.asked[0][2]["Authorization"] == "Bearer s3cr3t"
    assert message(end) == f"GET {server.url}/no answered 401 Unauthorized: no"
    assert "s3cr3t" not in repr((end, attempt.log, definition_of(job)))


def test_a_secret_with_a_line_break_is_refused_without_telling_it(
    attempt: Attempt, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "s3cr3t\r\nHost: evil")
    end = attempt(call(f"{server.url}/ok", headers={"X-Token": "secret:API_TOKEN"}))
    assert message(end).startswith("The secret API_TOKEN holds a line break")
    assert "s3cr3t" not in repr((end, attempt.log))
    assert server.asked == []


def test_another_status_than_expected_is_a_failure(attempt: Attempt, server: Server) -> None:
    server.answers["/moved"] = (302, {"Location": "/ok"}, b"")
    assert message(attempt(call(f"{server.url}/gone"))).endswith("404 Not Found: not here")
    assert message(attempt(call(f"{server.url}/moved"))).endswith("answered 302 Found")
    assert message(attempt(call(f"{server.url}/ok", expect=[204]))).endswith("200 OK: fine")
    assert result(attempt(call(f"{server.url}/gone", expect=[404])))["status"] == 404


def test_an_answer_that_is_too_long_is_cut_and_says_so(attempt: Attempt, server: Server) -> None:
    server.answers["/long"] = (200, {}, b"x" * (MAX_BODY_BYTES + 1))
    cut = result(attempt(call(f"{server.url}/long")))
    assert (cut["bytes"], cut["cut"]) == (MAX_BODY_BYTES, True)
    assert len(cut["body"]) < 5000


def test_an_answer_that_breaks_off_is_a_failure(attempt: Attempt, server: Server) -> None:
    server.answers["/short"] = (200, {"Content-Length": "10"}, b"12345")
    assert "broke off after 5 bytes" in message(attempt(call(f"{server.url}/short")))


def test_a_server_that_says_nothing_is_a_failure_after_the_timeout(attempt: Attempt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        end = attempt(call(f"http://127.0.0.1:{port}/", timeout=0.1))
    assert end.error_type == "TimeoutError"


def test_environment_variables_for_proxies_are_ignored(
    attempt: Attempt, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert result(attempt(call(f"{server.url}/ok")))["status"] == 200


def test_redirects_are_followed_as_often_as_allowed(attempt: Attempt, server: Server) -> None:
    server.answers["/one"] = (302, {"Location": "/two"}, b"")
    server.answers["/two"] = (307, {"Location": "/ok"}, b"")
    job = call(f"{server.url}/one", method="POST", body="a", headers={"X-Key": "1"}, redirects=2)
    assert result(attempt(job))["status"] == 200
    asked = [(verb, path, body, headers["X-Key"]) for verb, path, headers, body in server.asked]
    expected = [("POST", "/one", b"a"), ("GET", "/two", b""), ("GET", "/ok", b"")]
    assert asked == [(*request, "1") for request in expected]
    assert message(attempt(call(f"{server.url}/one", redirects=1))).endswith(
        "307 Temporary Redirect"
    )


def test_a_redirect_to_another_host_takes_no_header_along(attempt: Attempt, server: Server) -> None:
    with serving() as other:
        other.answers["/ok"] = (200, {}, b"")
        server.answers["/away"] = (302, {"Location": f"{other.url}/ok"}, b"")
        attempt(call(f"{server.url}/away", headers={"Authorization": "mine"}, redirects=1))
        assert "Authorization" in server.asked[0][2]
        assert "Authorization" not in other.asked[0][2]


def test_each_redirect_is_judged_like_the_first_url(attempt: Attempt, server: Server) -> None:
    for number, target in enumerate(["file:///etc/passwd", "http://u:p@host/", "gopher://host/"]):
        server.answers[f"/{number}"] = (302, {"Location": target}, b"")
        end = attempt(call(f"{server.url}/{number}", redirects=1))
        assert "redirects to a URL that" in message(end)
    assert len(server.asked) == 3


def test_the_host_of_a_redirect_is_judged_like_the_first_one(
    attempt: Attempt, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = {"127.0.0.1": None, "127.0.0.2": "private"}
    monkeypatch.setattr("tick.job_types.http.why_not_public", judged.__getitem__)
    inside = f"http://127.0.0.2:{server.server_port}/ok"
    server.answers["/away"] = (302, {"Location": inside}, b"")
    end = attempt(http("ping", url=f"{server.url}/away", group="net", redirects=1))
    assert "127.0.0.2 leads to 127.0.0.2, which is private" in message(end)
    assert len(server.asked) == 1


class Unwrapped:
    """In the place of TLS: the socket as it is."""

    def wrap_socket(self, sock: socket.socket, **_: object) -> socket.socket:
        """The same socket."""
        return sock


def test_a_redirect_does_not_leave_https(
    attempt: Attempt, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", Unwrapped)
    server.answers["/away"] = (302, {"Location": f"{server.url}/ok"}, b"")
    secure = server.url.replace("http://", "https://")
    end = attempt(call(f"{secure}/away", redirects=1))
    assert "redirects to a URL that leaves https" in message(end)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("10.1.2.3", "private"),
        ("0.0.0.0", "of this host"),  # noqa: S104
    ],
)
def test_a_name_that_leads_to_an_address_inside_is_refused(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    lead(monkeypatch, "93.184.215.14", address)
    end = attempt(http("ping", url="http://harmless.example/", group="net"))
    assert message(end) == (
        f"harmless.example leads to {address}, which is {why}; if the job means to call it, "
        "declare it with allow_private=True."
    )


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_no_way_of_writing_loopback_gets_through(attempt: Attempt, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        port = inside.getsockname()[1]
        end = attempt(http("ping", url=f"http://{host}:{port}/", group="net", timeout=5))
        inside.setblocking(False)
        with pytest.raises(BlockingIOError):
            inside.accept()
    assert "leads to" in message(end)


def test_a_name_is_looked_up_once_and_that_address_is_called(
    attempt: Attempt, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = lead(monkeypatch, "127.0.0.1", port=server.server_port)
    assert result(attempt(call("http://service.example/ok")))["status"] == 200
    assert names == ["service.example"]
    assert server.asked[0][2]["Host"] == "service.example"


def test_the_next_address_is_tried_when_one_does_not_answer(
    attempt: Attempt, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(monkeypatch, "127.0.0.2", "127.0.0.1", port=server.server_port)
    assert result(attempt(call("http://service.example/ok")))["status"] == 200


def test_a_name_without_an_address_is_a_failure(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    said = message(attempt(call("http://nowhere.example/")))
    assert said.startswith("nowhere.example has no address: ")


def test_mistakes_are_told_with_their_place() -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("url must begin with http:// or https://.", {"url": "ftp://example.com/"}),
        ("url must begin with http:// or https://.", {"url": "file:///etc/passwd"}),
        ("url names no host that can be reached.", {"url": "https:///path"}),
        (
            "url holds a user or a password; put them into a header as secret:NAME.",
            {"url": "https://u:p@example.com/"},
        ),
        (
            "url holds characters that a URL must have encoded.",
            {"url": "http://example.com/\r\nHost: evil"},
        ),
        ("url is none: Invalid IPv6 URL.", {"url": "http://[::1/"}),
        ("method 'get' is none of GET, HEAD, POST, PUT, PATCH, DELETE.", {"method": "get"}),
        ("'A B' is no name of a header.", {"headers": {"a b": "1"}}),
        (
            "the header X may hold printable ASCII characters only.",
            {"headers": {"x": "1\r\nHost: evil"}},
        ),
        (
            "body can't be sent as JSON: Object of type set is not JSON serializable.",
            {"body": {1, 2}},
        ),
    ]
    jobs = [
        http(f"job-{number}", **{"url": "https://example.com/", **how}, group="net")
        for number, (_, how) in enumerate(wrong)
    ]
    with pytest.raises(DefinitionsInvalid) as caught:
        build_registry(map(definition_of, jobs), [])
    told = {text.partition(": job ")[::2] for text in caught.value.mistakes}
    assert {text for _, text in told} == {
        f"'job-{number}': {text}" for number, (text, _) in enumerate(wrong)
    }
    assert all(place.startswith("job_types/test_http.py:") for place, _ in told)
