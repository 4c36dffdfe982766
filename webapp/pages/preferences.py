"""Preferences kept in cookies: theme, zone of instants, pace of polling, whether keys act."""

from collections.abc import Sequence

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from webapp.badges import BADGES
from webapp.config import YEAR_SECONDS
from webapp.links import cookie_path, go_back
from webapp.presentation import KEYS, LIVE, THEMES, ZONES

blueprint = Blueprint("preferences", __name__)


@blueprint.post("/theme")
def theme() -> ResponseReturnValue:
    """Remember the theme."""
    # A cookie and not local storage: the server sends the first paint in the right colours.
    return _remember("theme", THEMES)


@blueprint.post("/zone")
def zone() -> ResponseReturnValue:
    """Remember in which zone to show instants."""
    return _remember("zone", tuple(ZONES))


@blueprint.post("/live")
def live() -> ResponseReturnValue:
    """Remember how often pages ask for what is new."""
    return _remember("live", tuple(LIVE))


@blueprint.post("/keys")
def keys() -> ResponseReturnValue:
    """Remember whether single keys act."""
    return _remember("keys", KEYS)


@blueprint.get("/keys")
def help_on_keys() -> ResponseReturnValue:
    """Show what the keys do, and what the states mean."""
    return render_template("keys.html", badges=BADGES)


def _remember(name: str, choices: Sequence[str]) -> ResponseReturnValue:
    response = go_back()
    chosen = request.form.get(name, "")
    response.set_cookie(
        name,
        chosen if chosen in choices else choices[0],
        max_age=YEAR_SECONDS,
        path=cookie_path(),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response
