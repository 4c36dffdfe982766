"""Preferences kept in cookies: theme, zone of instants, pace of polling, whether keys act."""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from webapp.badges import BADGES
from webapp.config import YEAR_SECONDS
from webapp.links import cookie_path, go_back
from webapp.presentation import CHOICES

blueprint = Blueprint("preferences", __name__)


@blueprint.post("/<any(theme, zone, live, keys):name>")
def remember(name: str) -> ResponseReturnValue:
    """Remember a choice."""
    response = go_back()
    chosen = request.form.get(name, "")
    # A cookie, not local storage: the server paints the theme and words the instants at once.
    response.set_cookie(
        name,
        chosen if chosen in CHOICES[name] else CHOICES[name][0],
        max_age=YEAR_SECONDS,
        path=cookie_path(),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response


@blueprint.get("/keys")
def help_on_keys() -> ResponseReturnValue:
    """Show what the keys do, and what the states mean."""
    return render_template("keys.html", badges=BADGES)
