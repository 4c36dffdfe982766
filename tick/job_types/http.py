"""Declares one HTTP request as a job, by `http`, and sends it."""

import json
import re
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from time import monotonic
from typing import Any, Unpack
from urllib.parse import urljoin, urlsplit

from tick import http_client
from tick.define.jobs import Policy, job
from tick.define.wrong_values import in_number
from tick.errors import TickError
from tick.executors.bounds import cut
from tick.executors.context import CurrentRun, current_run
from tick.http_client import Response
from tick.job_types.declare import Run, declare, resolve_secrets
from tick.policy.addresses import why_not_public

MAX_BODY_BYTES = 1024 * 1024
SHOWN_CHARACTERS = 4096
DEFAULT_TIMEOUT_SECONDS = 30.0
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_REPEATABLE = ("GET", "HEAD")
_MOST_REDIRECTS = 20
_KEEP_METHOD = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)
_REDIRECTS = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, *_KEEP_METHOD)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


@dataclass(frozen=True)
class Request:
    """A request, and the statuses that it expects: without `expect`, those from 200 to 299."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    expect: Collection[int]
    timeout_seconds: float
    allow_private: bool
    redirects: int

    @property
    def place(self) -> str:
        """Return method and URL, for people."""
        # Without the query: it may hold a key, and this is logged.
        url = urlsplit(self.url)
        return f"{self.method} {url.scheme}://{url.netloc}{url.path}"

    def expects(self, status: int) -> bool:
        """Return whether an answer with this status is a success."""
        return status in self.expect if self.expect else 200 <= status < 300


class RequestFailed(TickError):
    """An HTTP request was refused here, or was not answered as expected."""


def http(
    name: str,
    *,
    url: str,
    group: str,
    description: str | None = None,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    expect: Collection[int] = (),
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    allow_private: bool = False,
    redirects: int = 0,
    **policy: Unpack[Policy],
) -> Run:
    """Declare an HTTP request as a job; return a function that sends it.

    Environment variables for proxies are ignored. A request that changes something carries an
    `Idempotency-Key` that is the same for all attempts of a run.

    Args:
        name: unique name of the job.
        url: http:// or https://, without user name and password.
        group: the group it belongs to.
        description: one line for people; by default the method and the URL.
        method: GET, HEAD, POST, PUT, PATCH or DELETE.
        headers: `secret:NAME` in a value stands for the worker's variable NAME, or for what is in
            the file that NAME_FILE names: {"Authorization": "Bearer secret:API_TOKEN"}.
        body: a text, bytes, or something that is sent as JSON.
        expect: the statuses that mean success; by default 200 to 299.
        timeout: seconds after which the run is killed and fails.
        allow_private: let it call addresses that are not of the public internet.
        redirects: how many to follow. To another host they take no header along.
        policy: further options of `@job`.
    """
    mistakes: list[str] = []
    content, kind = _encode(body, mistakes)
    # The author's own Content-Type goes before ours, in whatever spelling.
    given = {name.title(): value for name, value in (headers or {}).items()}
    request = Request(
        method=method,
        url=url,
        headers={"Content-Type": kind, **given} if kind else given,
        body=content,
        expect=expect,
        timeout_seconds=timeout,
        allow_private=allow_private,
        redirects=redirects,
    )

    def run() -> dict[str, Any]:
        return send(request)

    mistakes += [*_given_twice(headers or {}), *_find_mistakes(request)]
    words = description or ("" if mistakes else request.place)
    declared = job(name=name, group=group, description=words, timeout=timeout, **policy)
    return declare(run, declared, mistakes)


def _find_mistakes(request: Request) -> Iterator[str]:
    if why := _why_wrong(request.url):
        yield f"url {why}."
    if request.method not in _METHODS:
        yield f"method {request.method!r} is none of {', '.join(_METHODS)}."
    headers: Mapping[str, Any] = request.headers
    for name, value in headers.items():
        if not _HEADER_NAME.match(name):
            yield f"{name!r} is no name of a header."
        if not isinstance(value, str):
            yield f"the header {name} is {value!r}; write a text."
        elif not value.isprintable() or not value.isascii():
            yield f"the header {name} may hold printable ASCII characters only."
    yield from in_number("redirects", request.redirects, 0, _MOST_REDIRECTS)
    yield from _in_expected(request.expect, request.redirects)


def _given_twice(headers: Mapping[str, str]) -> Iterator[str]:
    names = [name.title() for name in headers]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield f"the header {name} is given more than once; leave one."


def _in_expected(expect: Any, redirects: Any) -> Iterator[str]:
    if not isinstance(expect, Collection) or isinstance(expect, str | bytes):
        yield f"expect is {expect!r}; write a list of statuses, such as [200, 404]."
        return
    for status in expect:
        if not isinstance(status, int) or not 100 <= status <= 599:
            yield f"expect holds {status!r}, which is no status; write a number from 100 to 599."
        elif status in _REDIRECTS and redirects:
            yield (
                f"expect {status} has no effect beside redirects={redirects}, which follows it; "
                "leave one of them out."
            )


def send(request: Request) -> dict[str, Any]:
    """Send the request; return the answer's status, size and beginning.

    Raises RequestFailed for an address that is refused and an answer that is not expected;
    OSError and http.client.HTTPException when there is none.
    """
    run, started = current_run(), monotonic()
    request = replace(request, headers=_with_key(request, run) | resolve_secrets(request.headers))
    answer = _exchange(request)
    for _ in range(request.redirects):
        if answer.status not in _REDIRECTS or answer.location is None:
            break
        request = _redirected(request, answer)
        run.log.info("%d, on to %s", answer.status, request.place)
        answer = _exchange(request)
    took, size = monotonic() - started, len(answer.body)
    said = f"{answer.status} {answer.reason}".strip()
    run.log.info("%s: %s, %d bytes in %.1f s", request.place, said, size, took)
    text = cut(answer.body.decode(errors="replace"), SHOWN_CHARACTERS)
    if not request.expects(answer.status):
        raise RequestFailed(f"{request.place} answered {said}: {text}".rstrip(": "))
    return {"status": answer.status, "bytes": size, "cut": answer.is_cut, "body": text}


def _exchange(request: Request) -> Response:
    try:
        response = http_client.send(
            request.method,
            request.url,
            request.body,
            request.headers,
            seconds=request.timeout_seconds,
            max_bytes=MAX_BODY_BYTES,
            judge=None if request.allow_private else _check_public,
        )
    except (socket.gaierror, UnicodeError) as error:
        host = urlsplit(request.url).hostname
        raise RequestFailed(f"{host} has no address: {error}") from None
    if response.is_broken_off:
        size = len(response.body)
        raise RequestFailed(f"{request.place}: the answer broke off after {size} bytes.")
    return response


def _check_public(host: str, addresses: Sequence[str]) -> None:
    """Raise RequestFailed if any of the addresses is not of the public internet."""
    for address in addresses:
        if why := why_not_public(address):
            raise RequestFailed(
                f"{host} leads to {address}, which is {why}; if the job means to call it, declare "
                "it with allow_private=True."
            )


def _redirected(request: Request, answer: Response) -> Request:
    """Return the next request. Raises RequestFailed for a URL that is a mistake or less safe."""
    url = urljoin(request.url, answer.location or "")
    here, there = urlsplit(request.url), urlsplit(url)
    why = _why_wrong(url)
    if why is None and (here.scheme, there.scheme) == ("https", "http"):
        why = "leaves https"
    if why is not None:
        raise RequestFailed(f"{request.place} redirects to a URL that {why}.")
    # As browsers do: after 301 and 302 a POST becomes a GET as well.
    keeps = answer.status in _KEEP_METHOD or request.method in _REPEATABLE
    # A header may hold a secret, which the other host must not see.
    same_host = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    return replace(
        request,
        url=url,
        method=request.method if keeps else "GET",
        body=request.body if keeps else None,
        headers=request.headers if same_host else {},
    )


def _why_wrong(url: str) -> str | None:
    """Return what is wrong with the URL, as the end of a sentence that begins with it."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "holds characters that a URL must have encoded"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"is none: {error}"
    if parts.scheme not in ("http", "https"):
        return "must begin with http:// or https://"
    if not parts.hostname or port == 0:
        return "names no host that can be reached"
    if "@" in parts.netloc:
        return "holds a user or a password; put them into a header as secret:NAME"
    return None


def _encode(body: Any, mistakes: list[str]) -> tuple[bytes | None, str | None]:
    """Return the body as bytes and its Content-Type; append a mistake if it has none."""
    if body is None or isinstance(body, bytes):
        return body, None
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    try:
        # JSON has no word for NaN: the other side would refuse it.
        return json.dumps(body, allow_nan=False).encode(), "application/json"
    except (TypeError, ValueError) as error:
        mistakes.append(f"body can't be sent as JSON: {error}.")
        return None, None


def _with_key(request: Request, run: CurrentRun) -> dict[str, str]:
    # The same for all attempts, so that the other side can tell a repetition from a new request.
    return {} if request.method in _REPEATABLE else {"Idempotency-Key": f"tick-run-{run.run_id}"}
