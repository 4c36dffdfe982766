"""The commands for whoever operates an installation: schema, users, pruning."""

import secrets
import sys
from datetime import timedelta

import click

from tick.cli.common import (
    as_json,
    author,
    if_revision,
    ready_runtime,
    show_json,
    show_table,
    tell,
)
from tick.cli.instants import LENGTH
from tick.cli.known import OneOf
from tick.engine.ledger.audit import Act
from tick.ops.access import users
from tick.runtime import open_runtime
from tick.states import Role
from tick.store import schema
from tick.store.migration import WAIT_SECONDS


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
@click.option(
    "--copy/--no-copy",
    default=True,
    show_default=True,
    help="Copy a SQLite file beside itself first, where there is something to do.",
)
@click.option(
    "--wait",
    type=LENGTH,
    default=timedelta(seconds=WAIT_SECONDS),
    show_default="5m",
    help="How long to wait for another upgrade (PostgreSQL).",
)
@as_json
def upgrade(copy: bool, wait: timedelta, as_json: bool) -> None:
    """Bring the schema to what this release needs.

    A migration is taken back unless every row is still there after it.
    """
    with open_runtime() as runtime:
        done = schema.upgrade(runtime.database, keeps_copy=copy, wait_seconds=wait.total_seconds())
    at_once = done.before == done.after
    said = f"at {done.after} already" if at_once else f"{done.before or 'empty'} → {done.after}"
    if done.copy is not None:
        said += f"; as it was before: {done.copy}"
    copied = None if done.copy is None else str(done.copy)
    tell({"before": done.before, "after": done.after, "copy": copied}, said, as_json)


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


@click.command()
@click.option("--keep-days", type=click.IntRange(1, 36_500), help="Default: TICK_KEEP_DAYS.")
@click.option("--dry-run", is_flag=True, help="Only say how many rows would go.")
@as_json
def prune(keep_days: int | None, dry_run: bool, as_json: bool) -> None:
    """Delete now what is no longer kept.

    That is what is older, or more, than the settings say. Ticks do the same, by and by.
    """
    from tick.engine.statistics.prune import Keep, count_prunable, prune_all

    with ready_runtime() as runtime:
        database, now, keep = runtime.database, runtime.now(), Keep.of(runtime.settings, keep_days)
        if dry_run:
            with database.read.connect() as connection:
                gone = count_prunable(connection, now, keep)
        else:
            gone, _ = prune_all(database.write, now, keep)
    counts = ", ".join(f"{count} of {table}" for table, count in gone.items() if count)
    said = f"{'Would delete' if dry_run else 'Deleted'}: {counts or 'nothing'}."
    tell({"dry_run": dry_run, "rows": gone}, said, as_json)
