"""`tick user …`: who may sign in to the console."""

import secrets
import sys

import click

from tick.cli.local import author, ready_runtime
from tick.cli.output import show_json, show_table, tell
from tick.cli.parameters import OneOf, as_json, if_revision
from tick.engine.ledger.audit import Act
from tick.ops.access import users
from tick.states import Role


@click.group()
def user() -> None:
    """People who may sign in to the console."""


@user.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the users with their roles."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        found = users.list_users(connection)
    people = [vars(person) | {"revision": person.revision} for person in found]
    if as_json:
        show_json(people)
        return
    columns = {"name": "NAME", "role": "ROLE", "active": "ACTIVE", "last_login_at": "LAST SIGN-IN"}
    show_table(columns, people, "No users yet: `tick user create NAME --role ADMIN` makes one.")


@user.command("disable")
@click.argument("name")
@if_revision
@as_json
def disable(name: str, expected: str | None, as_json: bool) -> None:
    """Keep a user from signing in; the sessions end at once."""
    _set_active(name, False, expected, as_json)


@user.command("enable")
@click.argument("name")
@if_revision
@as_json
def enable(name: str, expected: str | None, as_json: bool) -> None:
    """Let a disabled user sign in again."""
    _set_active(name, True, expected, as_json)


@user.command("role")
@click.argument("name")
@click.argument("role", type=OneOf(list(Role)))
@if_revision
@as_json
def role_(name: str, role: str, expected: str | None, as_json: bool) -> None:
    """Let a user look (VIEWER) or do everything (ADMIN)."""
    with ready_runtime() as runtime:
        users.set_role(
            runtime.database, Act(runtime.now(), author(), revision=expected), name, Role(role)
        )
    tell({"name": name, "role": role}, f"{name} is {role} now.", as_json)


@user.command("sign-out")
@click.argument("name")
@as_json
def sign_out(name: str, as_json: bool) -> None:
    """End every session of a user, who may sign in again."""
    with ready_runtime() as runtime:
        users.end_sessions(runtime.database, Act(runtime.now(), author()), name)
    tell({"name": name}, f"{name} is signed out everywhere.", as_json)


def _set_active(name: str, active: bool, expected: str | None, as_json: bool) -> None:
    with ready_runtime() as runtime:
        users.set_active(
            runtime.database, Act(runtime.now(), author(), revision=expected), name, active
        )
    said = f"{name} may {'sign in again' if active else 'not sign in any more'}."
    tell({"name": name, "active": active}, said, as_json)


@user.command("create")
@click.argument("name")
@click.option(
    "--role",
    type=OneOf(list(Role)),
    default=Role.VIEWER,
    show_default=True,
    help="VIEWER looks, ADMIN does everything.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
def create(name: str, role: str, password_stdin: bool, as_json: bool) -> None:
    """Add a user. Without --password-stdin a random password is printed, once."""
    chosen = _choose_password(password_stdin)
    with ready_runtime() as runtime:
        users.create_user(runtime.database, Act(runtime.now(), author()), name, chosen, Role(role))
    _tell_password(
        {"name": name, "role": role},
        f"{name} may sign in as {role}.",
        chosen,
        password_stdin,
        as_json,
    )


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@if_revision
@as_json
def password(name: str, password_stdin: bool, expected: str | None, as_json: bool) -> None:
    """Change a password; the user's sessions end."""
    chosen = _choose_password(password_stdin)
    with ready_runtime() as runtime:
        users.set_password(
            runtime.database, Act(runtime.now(), author(), revision=expected), name, chosen
        )
    said = f"The password of {name} is changed."
    _tell_password({"name": name}, said, chosen, password_stdin, as_json)


def _choose_password(from_stdin: bool) -> str:
    """The line on standard input, even an empty one, which is refused later; or a random one."""
    return sys.stdin.readline().rstrip("\n") if from_stdin else secrets.token_urlsafe(18)


def _tell_password(
    facts: dict[str, str], said: str, chosen: str, was_given: bool, as_json: bool
) -> None:
    """Say what was done and, unless whoever asked knows it, the password."""
    if not was_given:
        facts = facts | {"password": chosen}
        said = f"{said}\nPassword (shown only now): {chosen}"
    tell(facts, said, as_json)
