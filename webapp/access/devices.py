"""Knows by a signed cookie the browsers in which somebody has signed in before."""

import secrets
from typing import Any

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from tick.ops.access.login_attempts import LoginOrigin
from tick.ops.access.users import User
from webapp.access.rate_limits import caller
from webapp.config import YEAR_SECONDS
from webapp.links import keep_cookie

_SALT = "tick.device"
_MOST_PEOPLE = 5


def origin_of(name: str) -> LoginOrigin:
    """Return where an attempt to sign in as somebody comes from."""
    # The cookie opens nothing: it gives the browser login attempts of its own, which strangers who
    # guess at the account cannot use up.
    device, epoch = _people().get(_key(name), (None, None))
    return LoginOrigin(caller(), device, epoch)


def remember(response: Response, user: User) -> None:
    """Know this browser again when the person signs in the next time."""
    people = _people()
    device, _ = people.pop(_key(user.name), (secrets.token_hex(8), None))
    people[_key(user.name)] = (device, user.session_epoch)
    # The latest ones: a browser that many share must not grow a cookie that servers refuse.
    kept = dict(list(people.items())[-_MOST_PEOPLE:])
    keep_cookie(response, _cookie(), str(_serializer().dumps(kept)))


def _people() -> dict[str, Any]:
    """Return by name the device, and the epoch of the account when it last signed in here."""
    try:
        return dict(_serializer().loads(request.cookies.get(_cookie(), ""), max_age=YEAR_SECONDS))
    except BadSignature:
        return {}


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=_SALT)


def _cookie() -> str:
    return f"{current_app.session_interface.get_cookie_name(current_app)}-device"


def _key(name: str) -> str:
    return name.strip().lower()
