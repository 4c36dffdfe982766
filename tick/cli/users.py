"""`tick user …`: who may sign in to the console."""

import secrets
import sys

import click

from tick.cli.local import acting, ready_runtime
from tick.cli.output import show_list, tell
from tick.cli.parameters import OneOf, as_json, if_revision, role_option
from tick.ops.access import users
from tick.states import Role

_FROM_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group()
def user() -> None:
    """People who may sign in to the console."""


@user.command("list")
@as_json
def list_() -> None:
    """List the users with their roles."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        found = users.list_users(connection)
    people = [vars(person) | {"revision": person.revision} for person in found]
    columns = {"name": "NAME", "role": "ROLE", "active": "ACTIVE", "last_login_at": "LAST SIGN-IN"}
    show_list(people, columns, "No users yet: `tick user create NAME --role ADMIN` makes one.")


@user.command()
@click.argument("name")
@if_revision
@as_json
def disable(name: str, revision: str | None) -> None:
    """Keep a user from signing in; the sessions end at once."""
    _set_active(name, False, revision)


@user.command()
@click.argument("name")
@if_revision
@as_json
def enable(name: str, revision: str | None) -> None:
    """Let a disabled user sign in again."""
    _set_active(name, True, revision)


def _set_active(name: str, active: bool, revision: str | None) -> None:
    with acting(revision) as (database, act):
        users.set_active(database, act, name, active)
    said = f"{name} may {'sign in again' if active else 'not sign in any more'}."
    tell({"name": name, "active": active}, said)


@user.command("role")
@click.argument("name")
@click.argument("role", type=OneOf(list(Role)))
@if_revision
@as_json
def role_(name: str, role: str, revision: str | None) -> None:
    """Let a user look (VIEWER) or do everything (ADMIN)."""
    with acting(revision) as (database, act):
        users.set_role(database, act, name, Role(role))
    tell({"name": name, "role": role}, f"{name} is {role} now.")


@user.command("sign-out")
@click.argument("name")
@as_json
def sign_out(name: str) -> None:
    """End every session of a user, who may sign in again."""
    with acting() as (database, act):
        users.end_sessions(database, act, name)
    tell({"name": name}, f"{name} is signed out everywhere.")


@user.command()
@click.argument("name")
@role_option
@_FROM_STDIN
@as_json
def create(name: str, role: str, password_stdin: bool) -> None:
    """Add a user. Without --password-stdin a random password is printed, once."""
    chosen = _choose_password(password_stdin)
    with acting() as (database, act):
        users.create_user(database, act, name, chosen, Role(role))
    said = f"{name} may sign in as {role}."
    _tell_password({"name": name, "role": role}, said, chosen, password_stdin)


@user.command()
@click.argument("name")
@_FROM_STDIN
@if_revision
@as_json
def password(name: str, password_stdin: bool, revision: str | None) -> None:
    """Change a password; the user's sessions end."""
    chosen = _choose_password(password_stdin)
    with acting(revision) as (database, act):
        users.set_password(database, act, name, chosen)
    _tell_password({"name": name}, f"The password of {name} is changed.", chosen, password_stdin)


def _choose_password(from_stdin: bool) -> str:
    # An empty line is taken, too: the rules for passwords refuse it, and say why.
    return sys.stdin.readline().rstrip("\n") if from_stdin else secrets.token_urlsafe(18)


def _tell_password(facts: dict[str, str], said: str, chosen: str, was_given: bool) -> None:
    """Say what was done and, unless whoever asked knows it, the password."""
    if not was_given:
        facts = facts | {"password": chosen}
        said = f"{said}\nPassword (shown only now): {chosen}"
    tell(facts, said)
