"""How something leaves the house: in bounded time, and with an error that holds no secret."""

import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import (
    HTTP_PORT,
    HTTPS_PORT,
    HTTPConnection,
    HTTPException,
    HTTPSConnection,
    InvalidURL,
)
from urllib.parse import SplitResult, unquote, urlsplit

from tick.store.database import short_error

SEND_SECONDS = 15.0
"""The longest that one attempt may take, however slowly the receiver drips."""
USER_AGENT = "job-schedule-manager"
_READ_AT_MOST = 4096
_NO_URL = "its address can't be used: look after the spelling"


class SendFailed(Exception):
    """The receiver was not reached or did not take it; the message holds no address."""


def run_with_timeout(send: Callable[[], None], seconds: float = SEND_SECONDS) -> None:
    """Call `send`, and wait for at most so long. Raises SendFailed, whatever went wrong.

    A thread, because no time-out of a socket bounds a receiver that answers byte by byte. What is
    late is left to itself: should the receiver take it after all, it gets the next attempt as well.
    """
    failure: list[Exception] = []

    def call() -> None:
        try:
            send()
        except Exception as error:
            failure.append(error)

    thread = threading.Thread(target=call, name="sending", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise SendFailed(f"no answer within {seconds:.0f} s")
    if failure:
        error = failure[0]
        raise error if isinstance(error, SendFailed) else SendFailed(short_error(error))


def post(url: str, body: bytes, headers: Mapping[str, str], seconds: float = SEND_SECONDS) -> None:
    """POST to an operator's own URL. Any status from 200 to 299 is success, a redirect is none.

    Proxies of the environment are not used. Raises SendFailed.
    """
    ours = {"User-Agent": USER_AGENT, "Connection": "close"}
    try:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = _connect(parts, seconds)
    except (ValueError, InvalidURL):
        raise SendFailed(_NO_URL) from None
    try:
        connection.request("POST", target, body, {**ours, **_credentials(parts), **headers})
        response = connection.getresponse()
        response.read(_READ_AT_MOST)
    except (InvalidURL, UnicodeError):
        raise SendFailed(_NO_URL) from None
    except (OSError, HTTPException) as error:
        raise SendFailed(short_error(error)) from None
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        said = f"{response.status} {_phrase(response.status)}".strip()
        raise SendFailed(f"the receiver answered {said}")


def _connect(parts: SplitResult, seconds: float) -> HTTPConnection:
    """Raises ValueError for a port that is no number, InvalidURL for a host that is no name."""
    host = parts.hostname or ""
    if parts.scheme == "https":
        safe = ssl.create_default_context()
        return HTTPSConnection(host, parts.port or HTTPS_PORT, timeout=seconds, context=safe)
    return HTTPConnection(host, parts.port or HTTP_PORT, timeout=seconds)


def _credentials(parts: SplitResult) -> dict[str, str]:
    """The header for `user:password@` in an address."""
    if parts.username is None:
        return {}
    named = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(named.encode()).decode()}"}


def _phrase(status: int) -> str:
    # The standard's words: the receiver's own could hold anything.
    return HTTPStatus(status).phrase if status in list(HTTPStatus) else ""
