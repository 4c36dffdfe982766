"""Checks every request and adds security headers to every answer."""

import logging
import re
import secrets
from functools import partial

from flask import Flask, Response, abort, current_app, g, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import BadHost
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from tick.settings import Settings
from webapp.bodies import FAILURE, BodyGuard
from webapp.prefix import CheckedPrefix, Sessions

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Not "no-referrer": the CSRF check over https wants to see that a form is our own.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
csrf = CSRFProtect()
_log = logging.getLogger(__name__)
_SAFE = ("GET", "HEAD", "OPTIONS")
_WITHOUT_COOKIES = ("api", "tick", "work")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
# A platform's probe calls an address, not a name.
_ANY_HOST = {"health.process", "health.readiness"}


def init_app(app: Flask, settings: Settings) -> None:
    """Install the checks and the headers."""
    app.session_interface = Sessions()
    if hops := settings.proxy_hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            CheckedPrefix(app.wsgi_app), x_for=hops, x_proto=hops, x_host=hops
        )
    hosts = [host.strip() for host in settings.allowed_hosts.split(",") if host.strip()]
    app.wsgi_app = BodyGuard(  # type: ignore[method-assign]
        app.wsgi_app, seconds=settings.body_seconds, at_once=settings.bodies_at_once
    )
    app.before_request(_name_request)  # first: refusals are logged by the request's id
    for check in (_refuse_without_body, partial(_check_host, hosts), _refuse_other_sites):
        app.before_request(check)
    app.before_request(_refuse_nul)
    app.after_request(_add_headers)
    csrf.init_app(app)


def _name_request() -> None:
    offered = request.headers.get("X-Request-ID", "")
    g.request_id = offered if _REQUEST_ID.match(offered) else secrets.token_hex(8)


def _check_host(hosts: list[str]) -> None:
    if isinstance(request.routing_exception, BadHost):
        # In words without links: no address can be made of what is no name of a host.
        abort(Response("The Host header holds no name of a host.\n", 400, mimetype="text/plain"))
    if hosts and request.endpoint not in _ANY_HOST and not host_is_trusted(request.host, hosts):
        abort(400, "This host name is not among TICK_ALLOWED_HOSTS.")


def _refuse_without_body() -> None:
    # What was wrong with the body is said before anything is done for the request.
    if failure := request.environ.get(FAILURE):
        raise failure


def _refuse_other_sites() -> None:
    """Refuse what a page of another site sends, as the browser tells."""
    # Beside the token of each form. What opens by a token or a secret of its own is left alone: no
    # cookie is misused there.
    if request.method in _SAFE or request.blueprint in _WITHOUT_COOKIES:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:  # an old browser, or plain http
        is_ours = origin is None or origin.partition("://")[2] == request.host
    if not is_ours:
        _log.warning("request %s: sent by a page of another site, %r", g.request_id, origin)
        abort(403)


def _refuse_nul() -> None:
    # PostgreSQL has no text with a NUL in it, so nothing here can be called that.
    given = (request.path, *request.args.values(), *request.form.values())
    if any("\0" in text for text in given):
        abort(400, "The request holds a NUL character.")


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = g.get("request_id", "")
    if request.is_secure and current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    # Pages hold what only their reader may see; files have a fingerprint and may stay for a year.
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
