"""Serves the console below a path of its host, such as `https://tick.example/ops/`."""

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
# From a proxy that strips the path; a server, or an outer application, sets SCRIPT_NAME itself.
_HEADER = "HTTP_X_FORWARDED_PREFIX"


class CheckedPrefix:
    """WSGI middleware that hands on a prefix only if it is a plain path."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Take the prefix of the nearest proxy, or drop it."""
        # `//elsewhere.example` as a prefix would lead every link to another host.
        said = environ.get(_HEADER, "").rpartition(",")[2].strip().rstrip("/")
        environ.pop(_HEADER, None)
        if said and len(said) <= _LONGEST and _PATH.fullmatch(said):
            environ["SCRIPT_NAME"] = said
        return self._app(environ, start_response)


class Sessions(SecureCookieSessionInterface):
    """Sends the session's cookie to this console and to no other on the host."""

    def get_cookie_name(self, app: Flask) -> str:
        """Return its name."""
        # Browsers refuse a `__Host-` cookie whose path is not that of the whole host.
        name = super().get_cookie_name(app)
        return name if cookie_path() == "/" else name.replace("__Host-", "__Secure-")

    def get_cookie_path(self, app: Flask) -> str:
        """Return its path."""
        return cookie_path()
