"""Authorizes calls of /internal/: a shared secret, or an identity that a pinned issuer signed.

The secret comes as `Authorization: Bearer`, as the password of `Authorization: Basic` (with any
user name), or in the header that TICK_TRIGGER_HEADER names. An identity comes as a bearer token.
"""

import logging
from typing import TYPE_CHECKING

from flask import Flask, Response, abort, current_app, g, request

from tick.errors import SettingsError
from tick.settings import Settings
from webapp.access.bearer import ask_for_token, bearer_token, same_secret
from webapp.errors import RETRY_AFTER_SECONDS, answer
from webapp.services import now, runtime

if TYPE_CHECKING:
    from webapp.access.issuer import Issuer

_EXTENSION = "tick.trigger_issuer"
_log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Make ready for the issuer that is configured, if one is. Raises SettingsError."""
    if settings.trigger_oidc_issuer:
        app.extensions[_EXTENSION] = _open_issuer(settings.trigger_oidc_issuer)


def check() -> Response | None:
    """Return None to let the request pass, else its refusal: 401, 403 or 503.

    404 while neither a secret nor an issuer is configured: then there is no such place.
    """
    settings = runtime().settings
    issuer: Issuer | None = current_app.extensions.get(_EXTENSION)
    if settings.trigger_secret is None and issuer is None:
        abort(404)
    bearer = _as_sent(bearer_token())
    if _holds_a_secret(settings, bearer):
        return None
    # What else a platform sends (its user agent, its job's name) is a label and proves nothing.
    if issuer is not None and bearer.count(b".") == 2:  # as a signed token has
        return _check_identity(issuer, settings, bearer.decode("ascii", "replace"))
    return _unauthorized()


def _open_issuer(address: str) -> "Issuer":
    try:
        from webapp.access.issuer import Issuer
    except ImportError:
        more = "needs more packages: pip install 'job-schedule-manager[oidc]'."
        raise SettingsError(f"TICK_TRIGGER_OIDC_ISSUER {more}") from None
    return Issuer(address)


def _holds_a_secret(settings: Settings, bearer: bytes) -> bool:
    header = request.headers.get(settings.trigger_header, "")
    offered = (bearer, _basic_password(), _as_sent(header))
    current, previous = settings.trigger_secret, settings.trigger_secret_previous
    known = [secret.get_secret_value() for secret in (current, previous) if secret is not None]
    # A list: all are compared, so that the time does not tell which one was right.
    return any([same_secret(text, secret) for text in offered for secret in known])


def _basic_password() -> bytes:
    try:
        basic = request.authorization
    except ValueError:  # what is no ASCII is no Base64 either
        return b""
    if basic is None or basic.type != "basic":
        return b""
    return (basic.password or "").encode()


def _as_sent(header: str) -> bytes:
    # WSGI hands over the bytes of a header as if they were Latin-1.
    return header.encode("latin-1", "replace")


def _check_identity(issuer: "Issuer", settings: Settings, token: str) -> Response | None:
    from webapp.access.issuer import BadToken, IssuerAway

    try:
        claims = issuer.claims(token, settings.trigger_oidc_audience, now())
    except BadToken as error:
        _log.warning("request %s: a trigger's token was refused: %s", g.request_id, error)
        return _unauthorized("invalid_token")
    except IssuerAway as error:
        refusal = answer(503, str(error))
        refusal.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return refusal
    # An address counts only if the issuer has verified it: else anybody could have typed it.
    email = claims.get("email") if claims.get("email_verified") is True else None
    if claims["sub"] in settings.trigger_oidc_subjects or email in settings.trigger_oidc_emails:
        return None
    subject = str(claims["sub"])[:200]
    _log.warning("request %s: %r may not trigger", g.request_id, subject)
    return answer(
        403,
        f"The token is valid, but its subject {subject!r} is not among "
        "TICK_TRIGGER_OIDC_SUBJECTS, nor its e-mail address among TICK_TRIGGER_OIDC_EMAILS.",
    )


def _unauthorized(error: str = "") -> Response:
    refusal = answer(401, "Send the trigger secret as `Authorization: Bearer <secret>`.")
    return ask_for_token(refusal, error)
