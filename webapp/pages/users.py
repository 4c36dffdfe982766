"""The page of users: who may sign in, and what each may do."""

import secrets
from dataclasses import replace

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tick.errors import Refused
from tick.ops.access import users
from tick.ops.act import Act
from tick.states import Role
from webapp import messages, query
from webapp.forms import acting
from webapp.links import go_back
from webapp.services import read, runtime

blueprint = Blueprint("users", __name__)
PASSWORD_BYTES = 18


@blueprint.get("/users")
def index() -> ResponseReturnValue:
    """List the users by name."""
    return render_template("users/index.html", users=read(users.list_users), roles=list(Role))


@blueprint.post("/users")
def create() -> ResponseReturnValue:
    """Create an account; its password is made here and shown once."""
    name, role = request.form.get("name", "").strip(), _role()
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    page = ""
    with acting() as act:
        users.create_user(runtime().database, act, name, password, role)
        page = render_template("users/password.html", name=name, password=password)
    return page or go_back(url_for("users.index"))


@blueprint.get("/users/password")
@query.takes({"name": query.text_of, "revision": query.text_of})
def confirm_password() -> ResponseReturnValue:
    """Show what a new password ends."""
    name, revision = query.text("name"), query.text("revision")
    return render_template("users/confirm_password.html", name=name, revision=revision)


@blueprint.post("/users/password")
def set_password() -> ResponseReturnValue:
    """Set a new password, made here and shown once; it ends the person's sessions."""
    name, password = request.form.get("name", ""), secrets.token_urlsafe(PASSWORD_BYTES)
    page = ""
    with acting() as act:
        users.set_password(runtime().database, _on_other(act, name), name, password)
        page = render_template("users/password.html", name=name, password=password)
    return page or go_back(url_for("users.index"))


@blueprint.post("/users/role")
def set_role() -> ResponseReturnValue:
    """Let somebody do more, or less."""
    name, role = request.form.get("name", ""), _role()
    with acting() as act:
        users.set_role(runtime().database, _on_other(act, name), name, role)
        messages.flash_success(f"{name} is {role.lower()} now, and has to sign in again.")
    return go_back(url_for("users.index"))


@blueprint.post("/users/active")
def set_active() -> ResponseReturnValue:
    """Let somebody sign in, or no longer."""
    name, active = request.form.get("name", ""), request.form.get("active") == "yes"
    with acting() as act:
        users.set_active(runtime().database, _on_other(act, name), name, active)
        result = "may sign in again" if active else "is signed out for good"
        messages.flash_success(f"{name} {result}.")
    return go_back(url_for("users.index"))


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        abort(400, "There is no such role.")


def _on_other(act: Act, name: str) -> Act:
    """Return the act on the account as the page showed it. Raises Refused for one's own."""
    # Nobody demotes or locks out their own account, so an administrator always remains.
    if name == current_user.name:
        raise Refused("This is your own account; another administrator has to change it.")
    return replace(act, revision=request.form.get("revision"))
