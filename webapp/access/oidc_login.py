"""Signing in with an identity provider: OpenID Connect's code flow, with PKCE, state and nonce."""

import logging
import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from tick.errors import SettingsError, TickError
from tick.ops.access import identities
from tick.ops.act import Act, Author
from tick.settings import Settings
from tick.states import Role
from webapp.access import login
from webapp.access.bearer import same_secret
from webapp.links import is_local
from webapp.services import now, runtime

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

    from webapp.access.issuer import Issuer

blueprint = Blueprint("sign_in", __name__)
_EXTENSION = "tick.sign_in_issuer"
_PENDING = "sign_in"
_SECONDS = 5
_MAX_SUBJECT = 255
_FAILED = "Signing in did not work. Try again; the server's log says why under request {}."
_AWAY = "The identity provider cannot be reached. Try again in a minute."
_STRANGER = (
    "You are known, but nothing that is known of you gives you a role here. Ask an administrator."
)
_log = logging.getLogger(__name__)


class Failed(TickError):
    """The provider's answer lets nobody in; the message is for the log."""


def init_app(app: Flask, settings: Settings) -> None:
    """Make ready for the provider that is configured, if one is. Raises SettingsError."""
    if not settings.oidc_issuer:
        return
    try:
        import authlib.integrations.requests_client  # noqa: F401

        from webapp.access.issuer import Issuer
    except ImportError:
        more = "needs more packages: pip install 'job-schedule-manager[oidc]'."
        raise SettingsError(f"TICK_OIDC_ISSUER {more}") from None
    app.extensions[_EXTENSION] = Issuer(settings.oidc_issuer)


@blueprint.get("/login/provider")
def start() -> ResponseReturnValue:
    """Redirect to the provider."""
    issuer = _issuer()
    # Here, since a console without a provider need not have the packages that it imports.
    from webapp.access.issuer import IssuerAway

    # Kept in the session: they prove later that the answer is for this browser.
    pending = {"nonce": secrets.token_urlsafe(32), "code_verifier": secrets.token_urlsafe(48)}
    try:
        place = issuer.endpoint("authorization_endpoint", now())
    except IssuerAway as error:
        _log.warning("request %s: %s", g.request_id, error)
        return login.login_page(503, _AWAY)
    with _client() as client:
        address, state = client.create_authorization_url(place, **pending)
    target = request.args.get("next", "")
    kept = target if is_local(target) else ""  # which also bounds it: a cookie holds 4 KiB
    session[_PENDING] = {**pending, "state": state, "next": kept}
    return redirect(address, 303)


@blueprint.get("/login/return")
def finish() -> ResponseReturnValue:
    """Take the provider's answer: sign in, or say why not."""
    issuer = _issuer()
    from webapp.access.issuer import BadToken, IssuerAway

    pending = session.pop(_PENDING, {})
    try:
        claims = _claims(issuer, pending)
    except IssuerAway as error:
        _log.warning("request %s: %s", g.request_id, error)
        return login.login_page(503, _AWAY)
    except (Failed, BadToken) as error:
        _log.warning("request %s: a sign-in failed: %s", g.request_id, error)
        return login.login_page(401, _FAILED.format(g.request_id))
    return _admit(claims, pending["next"])


def role_of(claims: Mapping[str, Any], settings: Settings) -> Role | None:
    """Return the role that the claims give; None keeps the person outside."""
    held = set(_values(claims, settings.oidc_roles_claim))
    if held & set(settings.oidc_admins):
        return Role.ADMIN
    return Role.VIEWER if held & set(settings.oidc_viewers) else None


def _issuer() -> "Issuer":
    found: Issuer | None = current_app.extensions.get(_EXTENSION)
    return found if found is not None else abort(404)


def _client() -> "OAuth2Session":
    from authlib.integrations.requests_client import OAuth2Session

    settings = runtime().settings
    secret = settings.oidc_client_secret
    return OAuth2Session(
        settings.oidc_client_id,
        secret.get_secret_value() if secret is not None else None,
        token_endpoint_auth_method="client_secret_basic" if secret is not None else "none",
        scope=settings.oidc_scopes,
        redirect_uri=url_for("sign_in.finish", _external=True),
        code_challenge_method="S256",
        default_timeout=_SECONDS,
    )


def _claims(issuer: "Issuer", pending: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the provider's claims, if they answer what this browser began. Raises Failed."""
    given = request.args
    if not pending or not same_secret(given.get("state", ""), pending["state"]):
        raise Failed("the state is not the one that this browser began with")
    # A mix-up: one provider's answer must not be taken for another's.
    if given.get("iss", issuer.address) != issuer.address:
        raise Failed("another issuer answers (RFC 9207)")
    if "code" not in given:
        raise Failed(f"the provider says {given.get('error', 'nothing')[:100]!r}")
    token = _exchange(issuer, given["code"], pending["code_verifier"])
    claims = issuer.claims(token, runtime().settings.oidc_client_id, now())
    if not same_secret(str(claims.get("nonce", "")), pending["nonce"]):
        raise Failed("the nonce is not the one that this browser began with")
    if claims.get("azp", runtime().settings.oidc_client_id) != runtime().settings.oidc_client_id:
        raise Failed("the token was made out for another client")
    if len(claims["sub"]) > _MAX_SUBJECT or not claims["sub"].isprintable():
        raise Failed("its subject is none (OpenID Connect Core, section 2)")
    return claims


def _exchange(issuer: "Issuer", code: str, verifier: str) -> str:
    """Return the signed identity that the provider gives for a code. Raises Failed."""
    from authlib.common.errors import AuthlibBaseError
    from requests import RequestException

    place = issuer.endpoint("token_endpoint", now())
    try:
        with _client() as client:
            tokens = client.fetch_token(place, code=code, code_verifier=verifier)
    except (AuthlibBaseError, RequestException, ValueError) as error:
        raise Failed(f"the code was not taken: {type(error).__name__}: {error}"[:300]) from None
    return str(tokens.get("id_token", ""))


def _admit(claims: Mapping[str, Any], target: str) -> ResponseReturnValue:
    settings = runtime().settings
    role = role_of(claims, settings)
    if role is None:  # the provider vouches for people; who may come in, the settings say
        _log.warning("request %s: %r has no role here", g.request_id, claims["sub"])
        return login.login_page(403, _STRANGER)
    name = str(claims.get("preferred_username") or claims.get("email") or claims.get("name") or "")
    person = identities.ExternalIdentity(settings.oidc_issuer, claims["sub"], name, role)
    author = Author("system", g.request_id)
    user = identities.find_or_create_user(runtime().database, Act(now(), author), person)
    if user is None:
        return login.login_page(403, "Your account here is switched off. Ask an administrator.")
    return login.begin_session(user, target)


def _values(claims: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the claim's texts; of `a.b`, those of b inside a, unless a claim is called `a.b`."""
    # Anybody can claim an address that nobody has verified.
    if path == "email" and claims.get("email_verified") is not True:
        return
    found: Any = claims
    for name in [path] if path in claims else path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    for item in found if isinstance(found, list) else [found]:
        if isinstance(item, str):
            yield item
