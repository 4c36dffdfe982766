"""Preferences kept in cookies: theme, zone of instants, pace of polling, whether keys act."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.badges import BADGES
from webapp.links import go_back, keep_cookie
from webapp.presentation import CHOICES

blueprint = Blueprint("preferences", __name__)


@blueprint.post("/<any(theme, zone, live, keys):name>")
def remember(name: str) -> ResponseReturnValue:
    """Remember a choice."""
    response = go_back()
    chosen = request.form.get(name, "")
    # A cookie, not local storage: the server paints the theme and words the instants at once.
    keep_cookie(response, name, chosen if chosen in CHOICES[name] else CHOICES[name][0])
    return response


@blueprint.get("/keys")
def help_on_keys() -> ResponseReturnValue:
    """Show what the keys do, and what the states mean."""
    return render_template("keys.html", badges=BADGES)
