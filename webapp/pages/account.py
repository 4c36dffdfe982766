"""The page of one's own account: the password, and the browsers that are signed in."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tick.errors import Refused
from tick.ops.access import sessions, users
from webapp import messages
from webapp.access import login
from webapp.forms import acting
from webapp.links import go_back
from webapp.services import now, reading, runtime

blueprint = Blueprint("account", __name__)
# In this order, the first that is found counts: most browsers claim to be older ones as well.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "FxiOS": "Firefox"}
_BROWSERS |= {"Chrome": "Chrome", "CriOS": "Chrome", "Safari": "Safari"}
_SYSTEMS = {"Windows": "Windows", "Android": "Android", "iPhone": "iPhone", "iPad": "iPad"}
_SYSTEMS |= {"Mac OS X": "macOS", "Linux": "Linux"}


@blueprint.get("/account")
def index() -> ResponseReturnValue:
    """Show who is signed in, and in which browsers."""
    with reading() as connection:
        found = sessions.list_sessions(
            connection, current_user.user.id, now=now(), limits=login.limits()
        )
        has_password = users.has_password(connection, current_user.user.id)
    return render_template(
        "account/index.html", sessions=found, has_password=has_password, browser_name=browser_name
    )


@blueprint.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Set a new password by the old one, and end every other session."""
    form = request.form
    answer: ResponseReturnValue = go_back(url_for("account.index"))
    with acting() as act:
        if form.get("new") != form.get("again"):
            raise Refused("The new password stands there in two ways; write the same twice.")
        user = users.change_own_password(
            runtime().database, act, current_user.name, form.get("present", ""), form.get("new", "")
        )
        answer = login.begin_session(user, url_for("account.index"))
        messages.flash_success("The password is changed; you are signed out everywhere else.")
    return answer


@blueprint.post("/account/sessions/<id:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out of one browser."""
    if sessions.end_session(runtime().database, current_user.user.id, session_id):
        messages.flash_success("That browser is signed out.")
    return go_back(url_for("account.index"))


@blueprint.post("/account/sessions/end")
def end_other_sessions() -> ResponseReturnValue:
    """Sign out everywhere but here."""
    ended = sessions.end_other_sessions(
        runtime().database, current_user.user.id, current_user.session.id
    )
    messages.flash_success(f"Signed out of {ended} other browsers.")
    return go_back(url_for("account.index"))


def browser_name(agent: str) -> str:
    """Return a user agent in words, such as `Firefox on Linux`; else its beginning."""
    browser = next((name for token, name in _BROWSERS.items() if token in agent), None)
    system = next((name for token, name in _SYSTEMS.items() if token in agent), None)
    if browser is None:
        return agent[:60] or "unknown"
    return f"{browser} on {system}" if system else browser
