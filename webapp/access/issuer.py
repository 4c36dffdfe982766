"""Verifies the tokens of an issuer that a setting pins, by its keys."""

import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import jwt
import requests

from tick.errors import TickError

# Fixed, and asymmetric only: nothing in a token decides what proves it (RFC 8725).
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384", "EdDSA")
ENDPOINTS = {"authorization_endpoint", "jwks_uri", "token_endpoint"}
LEEWAY = timedelta(seconds=30)
KEYS_LIVE = timedelta(hours=1)
# An unknown key may be a new one, or made up: the issuer is not asked more often than this.
ASKED_AT_MOST_EVERY = timedelta(seconds=30)
_CONNECT_SECONDS, _READ_SECONDS = 2, 3
_MAX_BYTES = 256 * 1024
_log = logging.getLogger(__name__)


class BadToken(TickError):
    """The token proves nothing to us; the message says why, for the log."""


class IssuerAway(TickError):
    """The issuer's metadata and keys could not be read."""


class Issuer:
    """Verifies an issuer's tokens. Its keys are read when one is needed, and kept for an hour."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock = Lock()
        self._metadata: Mapping[str, Any] = {}
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._read_at: datetime | None = None
        self._asked_at: datetime | None = None

    def claims(self, token: str, audience: str, now: datetime) -> dict[str, Any]:
        """Return the claims of a valid token for us. Raises BadToken, IssuerAway."""
        try:
            header = jwt.get_unverified_header(token)
            found: dict[str, Any] = jwt.decode(
                token,
                self._key(str(header.get("kid", "")), now),
                algorithms=ALGORITHMS,
                audience=audience,
                issuer=self.address,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise BadToken(f"{type(error).__name__}: {error}") from None
        return found

    def endpoint(self, name: str, now: datetime) -> str:
        """Return the address that its metadata gives for `name`. Raises IssuerAway."""
        with self._lock:
            if self._is_old(now):
                self._read(now)
            return str(self._metadata[name])

    def _key(self, name: str, now: datetime) -> jwt.PyJWK:
        with self._lock:
            if name not in self._keys or self._is_old(now):
                self._read(now)
            if name in self._keys:
                return self._keys[name]
        raise BadToken("it is signed by a key that the issuer does not have")

    def _is_old(self, now: datetime) -> bool:
        return self._read_at is None or now - self._read_at > KEYS_LIVE

    def _read(self, now: datetime) -> None:
        """Ask the issuer; while it can't be reached, the keys that we have go on serving."""
        if self._asked_at is None or now - self._asked_at >= ASKED_AT_MOST_EVERY:
            self._asked_at = now
            try:
                self._metadata = _fetch_metadata(self.address)
                self._keys = _usable(_fetch(self._metadata["jwks_uri"])["keys"])
                self._read_at = now
            except (requests.RequestException, ValueError, KeyError, TypeError) as error:
                _log.warning("the issuer %s cannot be read: %s", self.address, error)
        if self._read_at is None:
            raise IssuerAway(f"{self.address} cannot be reached now; its keys are needed.")


def _fetch_metadata(address: str) -> Mapping[str, Any]:
    """Return the issuer's metadata (OpenID Connect Discovery), if they are its own."""
    metadata: dict[str, Any] = _fetch(f"{address.rstrip('/')}/.well-known/openid-configuration")
    if metadata["issuer"] != address:
        raise ValueError(f"it calls itself {str(metadata['issuer'])[:200]!r}")
    for name in ENDPOINTS & metadata.keys():
        if address.startswith("https:") and not metadata[name].startswith("https:"):
            raise ValueError(f"its {name} is not https")
    return metadata


def _usable(keys: Iterable[Mapping[str, Any]]) -> Mapping[str, jwt.PyJWK]:
    """Return by name the keys that we can use."""
    found = {}
    for key in keys:
        # Never "oct": a shared secret would let whoever reads the public keys sign tokens.
        if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig":
            with suppress(jwt.PyJWTError):  # such as a curve that is newer than the library
                found[str(key.get("kid", ""))] = jwt.PyJWK(dict(key))
    return found


def _fetch(url: str) -> Any:
    with requests.get(
        url, timeout=(_CONNECT_SECONDS, _READ_SECONDS), allow_redirects=False, stream=True
    ) as response:
        if response.status_code != requests.codes.ok:
            raise ValueError(f"{url} answered {response.status_code}")
        # Not `.content`: it would hold whatever is sent, however much that is.
        text = response.raw.read(_MAX_BYTES + 1, decode_content=True)
    if len(text) > _MAX_BYTES:
        raise ValueError(f"{url} sent too much")
    return json.loads(text)
