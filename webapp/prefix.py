"""The console below a path of its host: `https://tick.example/ops/` instead of the whole host.

A proxy that strips the path says so by X-Forwarded-Prefix, a server by SCRIPT_NAME, and so does an
application that this one is mounted in. Addresses are made with it; what is no path is passed over.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from webapp.links import cookie_path

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){1,8}")
_LONGEST = 200
_HEADER = "HTTP_X_FORWARDED_PREFIX"


class CheckedPrefix:
    """A WSGI application in front of another, to which it hands prefixes that are plain paths."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Drop what the nearest proxy cannot have meant: else links would lead to other hosts."""
        said = environ.get(_HEADER, "").rpartition(",")[2].strip().rstrip("/")
        environ.pop(_HEADER, None)
        if said and len(said) <= _LONGEST and _PATH.fullmatch(said):
            environ["SCRIPT_NAME"] = said
        return self._app(environ, start_response)


class Sessions(SecureCookieSessionInterface):
    """The session's cookie, sent to this console and to no other on the host."""

    def get_cookie_name(self, app: Flask) -> str:
        """Its name: `__Host-` promises a browser that the cookie is for the whole host."""
        name = super().get_cookie_name(app)
        return name if cookie_path() == "/" else name.replace("__Host-", "__Secure-")

    def get_cookie_path(self, app: Flask) -> str:
        """Its path."""
        return cookie_path()
