"""/internal/tick: any minute trigger that can make an HTTP request may call it.

POST, GET or PUT with `Authorization: Bearer <TICK_TRIGGER_SECRET>`. No cookie, no CSRF token; the
body is ignored, and the clock is the server's own.
"""

import hmac
import re

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import SecretStr

from tick.settings import Settings
from tick.ticker import run_tick
from webapp.config import MAX_BODY
from webapp.errors import answer
from webapp.security import csrf
from webapp.services import runtime

blueprint = Blueprint("tick", __name__)
csrf.exempt(blueprint)
_UNSAFE = re.compile(r"[^A-Za-z0-9._/+-]+")
_MAX_SOURCE = 60


@blueprint.route("/internal/tick", methods=["GET", "POST", "PUT"])
@blueprint.route("/internal/tick/", methods=["GET", "POST", "PUT"])
def fire() -> ResponseReturnValue:
    """Tick once, within the budget; 200 also when nothing was due or there is more to do."""
    settings = runtime().settings
    if settings.trigger_secret is None:
        abort(404)
    if not _is_authorized(settings):
        refusal = answer(401, "Send the trigger secret as `Authorization: Bearer <secret>`.")
        refusal.headers["WWW-Authenticate"] = 'Bearer realm="tick"'
        return refusal
    if (request.content_length or 0) > MAX_BODY:
        abort(413)
    result = run_tick(
        runtime(), runtime().now(), source=_source(), budget_seconds=_budget(settings)
    )
    return jsonify(result.as_dict())


def _is_authorized(settings: Settings) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    # Bytes: compare_digest refuses text beyond ASCII, and anyone may send that.
    offered = token.strip().encode("utf-8", "surrogateescape")
    secrets = (settings.trigger_secret, settings.trigger_secret_previous)
    matches = [_same(offered, secret) for secret in secrets if secret is not None]
    return scheme.lower() == "bearer" and any(matches)


def _same(offered: bytes, secret: SecretStr) -> bool:
    return hmac.compare_digest(offered, secret.get_secret_value().encode())


def _budget(settings: Settings) -> float:
    """`?max_ms=`, at most the configured budget; anything else means the configured one."""
    asked = request.args.get("max_ms", "")
    if not re.fullmatch(r"[1-9][0-9]{0,6}", asked, re.ASCII):
        return settings.http_budget_seconds
    return min(int(asked) / 1000, settings.http_budget_seconds)


def _source() -> str:
    """A short label of the caller; never trusted, only shown."""
    agent = _UNSAFE.sub(" ", request.user_agent.string).strip()
    return f"http {agent[:_MAX_SOURCE].strip() or 'unknown'}"
