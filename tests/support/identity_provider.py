"""An OpenID provider on this machine: real HTTP, real keys, really signed tokens.

It approves whoever asks as the person that a test has set, after the checks that a provider makes:
the client, the redirect address, the code's verifier, each code once.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tick import clock

CLIENT_ID, CLIENT_SECRET = "console", "a client secret for tests"


@dataclass
class Key:
    """A key pair and its name."""

    name: str
    private: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def published(self) -> dict[str, Any]:
        """The public half as it stands in a key set."""
        whole = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**whole, "kid": self.name, "use": "sig", "alg": "RS256"}


@dataclass
class Provider:
    """What the provider says and whom it meets; a test may change any of it."""

    address: str
    key: Key
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "4711"})
    published: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def sign(self, key: Key | None = None, **claims: Any) -> str:
        """A token that says so; a claim of None is left out."""
        key, now = key or self.key, int(clock.now().timestamp())
        usual = {"iss": self.address, "sub": "4711", "iat": now, "exp": now + 300}
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(said, key.private, "RS256", headers={"kid": key.name})

    def describe(self) -> dict[str, Any]:
        """Its metadata."""
        places = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
        }
        usual = {
            "issuer": self.address,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
        return {**usual, **{name: self.address + path for name, path in places.items()}} | (
            self.metadata
        )

    def approve(self, query: dict[str, str]) -> str | None:
        """Where the browser goes next, with a code; None if something is amiss."""
        wanted = query.get("response_type"), query.get("client_id")
        wanted_too = query.get("code_challenge_method"), bool(query.get("nonce"))
        if (*wanted, *wanted_too) != ("code", CLIENT_ID, "S256", True):
            return None
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The tokens for a code; None if something is amiss."""
        query = self.codes.pop(form.get("code", ""), None)
        client = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if query is None or authorization != f"Basic {client}":
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (challenge, form["redirect_uri"]) != (query["code_challenge"], query["redirect_uri"]):
            return None
        said = {"aud": CLIENT_ID, "nonce": query["nonce"], **self.person, **self.claims}
        token = {"access_token": "opens nothing", "token_type": "Bearer", "expires_in": 60}
        return {**token, "id_token": self.sign(**said)}


@contextmanager
def run_provider(key: Key) -> Iterator[Provider]:
    """A provider that serves on loopback until the end of the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        provider = Provider(f"http://127.0.0.1:{server.server_port}", key, published=[])
        provider.published.append(key.published())
        server.provider = provider  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


class _Answer(BaseHTTPRequestHandler):
    @property
    def provider(self) -> Provider:
        found: Provider = self.server.provider  # type: ignore[attr-defined]
        return found

    def do_GET(self) -> None:
        place, query = urlsplit(self.path), {}
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        self.provider.asked.append(place.path)
        if place.path == "/.well-known/openid-configuration":
            self._send(self.provider.describe())
        elif place.path == "/keys":
            self._send({"keys": self.provider.published})
        elif place.path == "/moved":
            self._redirect("/keys")
        elif place.path == "/authorize" and (target := self.provider.approve(query)):
            self._redirect(target)
        else:
            self._send({"error": "invalid_request"}, 400)

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        tokens = self.provider.exchange(form, self.headers.get("Authorization", ""))
        self._send(tokens or {"error": "invalid_grant"}, 200 if tokens else 400)

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def _send(self, value: object, status: int | None = None) -> None:
        body = json.dumps(value).encode()
        self.send_response(status or self.provider.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
