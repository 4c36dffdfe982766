"""Bearer tokens of requests: reads them, asks for them, and compares secrets."""

import hashlib
import hmac

from flask import Response, request


def bearer_token() -> str:
    """Return the token of `Authorization: Bearer`, or an empty text."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def ask_for_token(refusal: Response, error: str = "") -> Response:
    """Return the refusal with the header that asks for a bearer token (RFC 6750)."""
    why = f', error="{error}"' if error else ""
    refusal.headers["WWW-Authenticate"] = f'Bearer realm="tick"{why}'
    return refusal


def same_secret(offered: str | bytes, expected: str | bytes) -> bool:
    """Return whether two secrets are the same, in a time that depends on neither."""
    # Of digests, so that not even the length of the expected one shows.
    return hmac.compare_digest(_digest(offered), _digest(expected))


def _digest(secret: str | bytes) -> bytes:
    # Surrogates stand for bytes that are no UTF-8: what a request holds must not be an error.
    text = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
    return hashlib.sha256(text).digest()
