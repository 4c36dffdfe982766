"""Limits how fast somebody acts or guesses, over all web workers together."""

from ipaddress import IPv6Address, ip_address

from flask import request
from werkzeug.exceptions import TooManyRequests

from tick.ops.access.login_attempts import FREE_ATTEMPTS
from tick.ops.access.rate_limit import seconds_to_wait
from webapp.services import now, runtime

_ONE_NETWORK = 64


def enforce_rate_limit(actor: str) -> None:
    """Let an act of this person or token pass, or end the request with 429 and Retry-After."""
    limit = runtime().settings.actions_a_minute
    if wait := seconds_to_wait(runtime().database, actor, limit, now()):
        raise TooManyRequests(retry_after=wait)


def seconds_until_login(device: str | None) -> int:
    """Return how many seconds to wait before this request may try a password."""
    # A known device has turns of its own, which nobody else at its address can use up.
    if device is not None:
        return seconds_to_wait(runtime().database, f"device:{device}", FREE_ATTEMPTS, now())
    limit = runtime().settings.logins_a_minute
    return seconds_to_wait(runtime().database, f"login:{caller()}", limit, now())


def caller() -> str:
    """Return the address; of IPv6 its /64 network."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"  # through a socket file
    if isinstance(address, IPv6Address):  # each house has 2**64 of them to guess from
        return str(IPv6Address(int(address) >> _ONE_NETWORK << _ONE_NETWORK))
    return str(address)
