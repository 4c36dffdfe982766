"""Requests to the JSON API of a console that runs elsewhere, with an API token.

Nothing is sent in the clear: https, or http to this very machine. A redirect is not followed, since
the token would go with it.
"""

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from tick import __version__
from tick.errors import NotFound, Refused, RemoteError, Stale, TickError, Unavailable
from tick.interface.operation import ROOT

# More than the 30 that a console waits at most for a line of a log.
TIMEOUT_SECONDS = 40
MOST_BYTES = 32 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TOKEN = re.compile(r"[!-~]+")
_KINDS: Mapping[int, type[TickError]] = {
    404: NotFound,
    409: Refused,
    412: Stale,
    422: Refused,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Lets a redirect be the error that it is for an API."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Connection:
    """Sends requests to the JSON API of one console, with one token."""

    def __init__(self, url: str, token: str) -> None:
        self.base = _checked(url)
        """The console's address, without a slash at its end."""
        if not _TOKEN.fullmatch(token):
            raise RemoteError("The token is not one word; give the text that was printed, only.")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": f"tick/{__version__}",
        }
        # What is plain http goes to this machine: a proxy must not see it.
        direct = [urllib.request.ProxyHandler({})] if self.base.startswith("http:") else []
        self._opener = urllib.request.build_opener(_NoRedirect, *direct)

    def send(self, method: str, path: str, headers: Mapping[str, str], data: bytes | None) -> bytes:
        """Return the body of the answer. Raises RemoteError, and what the console refuses."""
        request = urllib.request.Request(  # noqa: S310  (the scheme was checked)
            f"{self.base}{ROOT}{path}", data, {**self._headers, **headers}, method=method
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                content: bytes = response.read(MOST_BYTES + 1)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, self.base) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Unavailable(
                f"{self.base} can't be reached: {reason}. Check --url and that the console runs."
            ) from None
        if len(content) > MOST_BYTES:
            raise RemoteError(f"{self.base} answers with more than {MOST_BYTES} bytes; ask less.")
        return content


def _checked(url: str) -> str:
    """Return the address, with a path if the console lies below one. Raises RemoteError."""
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port  # only here urllib looks at it, and raises
    except ValueError as error:
        raise RemoteError(f"{url!r} is no address: {error}. Write https://HOST.") from None
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not is_safe or not parts.hostname:
        raise RemoteError(
            f"{url!r} is no safe address of a console: write https://HOST. "
            "The token would travel in the clear."
        )
    if parts.query or parts.fragment or parts.username or ROOT in parts.path:
        raise RemoteError(
            f"{url!r} holds more than an address: write {parts.scheme}://HOST, or "
            f"{parts.scheme}://HOST/PATH where the console lies below a path."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _refusal(error: urllib.error.HTTPError, base: str) -> TickError:
    """Return the problem document (RFC 9457) as one of our errors."""
    try:
        problem = json.loads(error.read(MOST_BYTES))
        mistakes = [f"\n  - {each['where']}: {each['problem']}" for each in problem["mistakes"]]
        said = f"Some values do not fit:{''.join(mistakes)}" if mistakes else str(problem["detail"])
    except (ValueError, LookupError, TypeError, OSError):
        # Not our console: a proxy before it, or something else at that address.
        where = f" to {error.headers['Location']!r}" if error.headers.get("Location") else ""
        said = f"{base} answers {error.code} {error.reason}{where}. Check --url."
    return _KINDS.get(error.code, RemoteError)(said)
