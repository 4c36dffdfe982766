"""Signing in by password, signing out, and the sessions behind both."""

import logging
from datetime import timedelta

from flask import (
    Blueprint,
    Flask,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user

from tick.ops.access import sessions, users
from tick.ops.access.sessions import Session, SessionLimits
from webapp.access import devices
from webapp.access.rate_limits import seconds_until_login
from webapp.links import current_url, is_local
from webapp.services import now, read, runtime

blueprint = Blueprint("auth", __name__)
_log = logging.getLogger(__name__)
_WRONG = "The name or the password is wrong, or there were too many attempts. Wait, then try again."
_TOO_FAST = "There were too many attempts from your address. Wait a minute, then try again."


class SignedIn:
    """The person behind a session, as Flask-Login wants it."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: users.User, session: Session, text: str) -> None:
        self.user, self.session, self._text = user, session, text
        self.name, self.role = user.name, user.role

    def get_id(self) -> str:
        """Return what the browser keeps: the text that opens the session."""
        return self._text


def init_app(app: Flask) -> None:
    """Install the login manager."""
    manager = LoginManager()
    # A page about a database that is away must not ask it who is there: templates do, when needed.
    manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals["current_user"] = current_user
    manager.user_loader(_load)


def redirect_to_login() -> Response:
    """Redirect to the login page, which leads back to this one if it can be shown again."""
    if request.headers.get("HX-Request"):
        # The page as a whole must go there, not the fragment that was asked for.
        shown = request.headers.get("HX-Current-URL", "").partition("://")[2]
        back = f"/{shown.partition('/')[2].partition('#')[0]}" if shown else None
        return Response(status=200, headers={"HX-Redirect": url_for("auth.form", next=back)})
    back = current_url() if request.method == "GET" else None
    return make_response(redirect(url_for("auth.form", next=back), 303))


@blueprint.get("/login")
def form() -> ResponseReturnValue:
    """Show the login page."""
    target = request.args.get("next", "")
    if current_user.is_authenticated:
        return redirect(_target(target), 303)
    return login_page(target=target)


@blueprint.post("/login")
def submit() -> ResponseReturnValue:
    """Sign in, or say that something was wrong."""
    name, target = request.form.get("name", ""), request.form.get("next", "")
    if not runtime().settings.password_login:
        return login_page(403, "Passwords are not taken here.", target=target)
    origin = devices.origin_of(name)
    if wait := seconds_until_login(origin.device):
        page = login_page(429, _TOO_FAST, name, target)
        page.headers["Retry-After"] = str(wait)
        return page
    password = request.form.get("password", "")
    user = users.log_in(runtime().database, name, password, now=now(), origin=origin)
    if user is None:
        _log.warning("request %s: a login as %r was refused", g.request_id, name[:100])
        return login_page(401, _WRONG, name, target)
    return begin_session(user, target)


def login_page(status: int = 200, mistake: str = "", name: str = "", target: str = "") -> Response:
    """Return the page with every way in, and what was wrong with the last attempt."""
    settings = runtime().settings
    page = render_template(
        "login.html",
        mistake=mistake,
        name=name,
        target=target,
        provider=settings.oidc_name if settings.oidc_issuer else None,
        takes_passwords=settings.password_login,
    )
    return make_response(page, status)


def begin_session(user: users.User, target: str) -> ResponseReturnValue:
    """Open a session for the user, and redirect to the target."""
    # Nothing of the old session stays: a cookie that somebody planted would become signed in.
    _end_session()
    session.clear()
    agent = request.user_agent.string
    opened, text = sessions.begin_session(
        runtime().database, user, agent=agent, now=now(), limits=limits()
    )
    login_user(SignedIn(user, opened, text))
    session.permanent = True
    _log.info("request %s: %r has signed in", g.request_id, user.name)
    response = make_response(redirect(_target(target), 303))
    devices.remember(response, user)
    return response


@blueprint.post("/logout")
def leave() -> ResponseReturnValue:
    """Sign out."""
    # On the server, so that a copy of the cookie opens nothing any more.
    _end_session()
    logout_user()
    session.clear()
    answer = make_response(redirect(url_for("auth.form"), 303))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _end_session() -> None:
    if current_user.is_authenticated:
        sessions.end_session(runtime().database, current_user.user.id, current_user.session.id)


def limits() -> SessionLimits:
    """Return how long a session lasts."""
    settings = runtime().settings
    return SessionLimits(
        longest=timedelta(hours=settings.session_hours),
        idle=timedelta(hours=settings.session_idle_hours),
    )


def _target(wanted: str) -> str:
    return wanted if is_local(wanted) else url_for("overview.index")


def _load(text: str) -> SignedIn | None:
    """Return the person whose living session the text opens."""
    found = read(sessions.find_session, text, now=now(), limits=limits())
    if found is None:
        return None
    opened, user = found
    if _is_user_action():
        sessions.note_use(runtime().database, opened, now())
    return SignedIn(user, opened, text)


def _is_user_action() -> bool:
    """Return whether a person does something."""
    # A page that refreshes itself must not keep the session of somebody who has left alive.
    streams = "text/event-stream" in request.headers.get("Accept", "")
    return request.method != "GET" or not (streams or "HX-Request" in request.headers)
