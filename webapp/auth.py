"""Signing in and out. A session ends by itself, with a changed password, or with the account."""

from datetime import datetime, timedelta

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user

from tick.ops import access
from tick.states import Role
from webapp.links import here, is_local
from webapp.services import now, reading, runtime

blueprint = Blueprint("auth", __name__)
_SIGNED_IN_AT = "signed_in_at"
_WRONG = "The name or the password is wrong, or there were too many attempts. Wait, then try again."


class SignedIn:
    """The person behind a session, as Flask-Login wants it."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: access.User) -> None:
        self.user = user

    @property
    def name(self) -> str:
        """The user's name, which stands in the audit."""
        return self.user.name

    @property
    def role(self) -> Role:
        """What the person may do."""
        return self.user.role

    def get_id(self) -> str:
        """What the session keeps: the user, and the epoch under which it was made."""
        return f"{self.user.id}.{self.user.session_epoch}"


def init_app(app: Flask) -> None:
    """Install the login manager."""
    manager = LoginManager()
    # A page about a database that is away must not ask it who is there: templates do, when needed.
    manager.init_app(app, add_context_processor=False)
    app.jinja_env.globals["current_user"] = current_user
    manager.session_protection = "basic"
    manager.user_loader(_load)


def ask_to_log_in() -> Response:
    """To the login page, and back to this one afterwards if it can be shown again."""
    back = here() if request.method == "GET" else None
    if request.headers.get("HX-Request"):
        # The page as a whole must go there, not the fragment that was asked for.
        return Response(status=200, headers={"HX-Redirect": url_for("auth.form")})
    return make_response(redirect(url_for("auth.form", next=back), 303))


@blueprint.get("/login")
def form() -> ResponseReturnValue:
    """The login page."""
    if current_user.is_authenticated:
        return redirect(_target(request.args.get("next", "")), 303)
    return render_template("login.html", target=request.args.get("next", ""))


@blueprint.post("/login")
def submit() -> ResponseReturnValue:
    """Sign in, or say that something was wrong."""
    name, target = request.form.get("name", ""), request.form.get("next", "")
    password = request.form.get("password", "")
    user = access.log_in(runtime().database, name, password, now=now())
    if user is None:
        page = render_template("login.html", mistake=_WRONG, name=name, target=target)
        return page, 401
    session.clear()
    login_user(SignedIn(user))
    session.permanent = True
    session[_SIGNED_IN_AT] = now().isoformat()
    return redirect(_target(target), 303)


@blueprint.post("/logout")
def leave() -> ResponseReturnValue:
    """Sign out."""
    logout_user()
    session.clear()
    return redirect(url_for("auth.form"), 303)


def _target(wanted: str) -> str:
    return wanted if is_local(wanted) else url_for("overview.index")


def _load(session_id: str) -> SignedIn | None:
    """The person, unless the session is too old, or of an epoch that has ended."""
    number, _, epoch = session_id.partition(".")
    if not number.isdigit() or _is_too_old():
        return None
    with reading() as connection:
        user = access.find_user(connection, int(number))
    return SignedIn(user) if user is not None and str(user.session_epoch) == epoch else None


def _is_too_old() -> bool:
    try:
        signed_in_at = datetime.fromisoformat(session[_SIGNED_IN_AT])
    except (KeyError, ValueError):
        return True
    longest: timedelta = current_app.permanent_session_lifetime
    return now() - signed_in_at > longest
