"""Sends requests to an operator's URLs: in bounded time, with errors that hold no secret."""

import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPException, InvalidURL
from urllib.parse import unquote, urlsplit

from tick import http_client
from tick.store.database import short_error

SEND_SECONDS = 15.0
_READ_AT_MOST = 4096
_NO_URL = "its address can't be used: look after the spelling"


class SendFailed(Exception):
    """The receiver was not reached or did not take it; the message holds no address."""


def run_with_timeout(send: Callable[[], None], seconds: float = SEND_SECONDS) -> None:
    """Call `send` in a thread, and wait for at most so long. Raises SendFailed for any failure."""
    # A thread, since no time-out of a socket bounds a receiver that answers byte by byte.
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
        # It is left alone: a receiver that accepts after all gets the next attempt as well.
        raise SendFailed(f"no answer within {seconds:.0f} s")
    if failure:
        error = failure[0]
        raise error if isinstance(error, SendFailed) else SendFailed(short_error(error))


def post(url: str, body: bytes, headers: Mapping[str, str], seconds: float = SEND_SECONDS) -> None:
    """POST to a URL. Only a status from 200 to 299 is success. Raises SendFailed."""
    try:
        headers = {**_credentials(url), **headers}
        response = http_client.send(
            "POST", url, body, headers, seconds=seconds, max_bytes=_READ_AT_MOST
        )
    # SSLCertVerificationError is an OSError and a ValueError: it tells about a certificate.
    except (OSError, HTTPException) as error:
        is_spelling = isinstance(error, InvalidURL)
        raise SendFailed(_NO_URL if is_spelling else short_error(error)) from None
    except ValueError:
        raise SendFailed(_NO_URL) from None
    if not 200 <= response.status < 300:
        # The standard's words: the receiver's own could hold anything.
        known = HTTPStatus(response.status).phrase if response.status in list(HTTPStatus) else ""
        raise SendFailed(f"the receiver answered {response.status} {known}".rstrip())


def _credentials(url: str) -> dict[str, str]:
    """Return the header for `user:password@` in an address."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    named = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(named.encode()).decode()}"}
