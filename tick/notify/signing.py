"""Webhooks that a receiver can trust: signed as the Standard Webhooks specification says.

Three headers: `webhook-id`, the same for each attempt, so that a receiver knows what it has seen;
`webhook-timestamp`, seconds since 1970, so that it can refuse what is old; `webhook-signature`,
`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
See https://www.standardwebhooks.com, which has libraries that verify them.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

PREFIX = "whsec_"


def signed_headers(secret: str, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers for a body that is sent at this instant."""
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature(secret, id, timestamp, body)}",
    }


def signature(secret: str, id: str, timestamp: str, body: bytes) -> str:
    """The base64 of the HMAC; a receiver compares it in constant time."""
    said = f"{id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key_of(secret), said, hashlib.sha256)).decode()


def key_of(secret: str) -> bytes:
    """The key: base64 after `whsec_`, or the secret itself."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass  # a secret of one's own that happens to begin so
    return secret.encode()
