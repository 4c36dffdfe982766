"""The commands for whoever operates an installation: schema, users, pruning."""

import secrets
import sys

import click

from tick import schema
from tick.cli.common import as_json, author, ready_runtime, show_json, show_table
from tick.ops import access
from tick.runtime import open_runtime
from tick.states import Role


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema to what this release needs."""
    with open_runtime() as runtime:
        before = schema.current_revision(runtime.database)
        schema.upgrade(runtime.database)
        after = schema.current_revision(runtime.database)
    click.echo(f"at {after} already" if before == after else f"{before or 'empty'} → {after}")


@click.group()
def user() -> None:
    """People who may sign in to the console."""


@user.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the users with their roles."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        users = [vars(person) for person in access.list_users(connection)]
    if as_json:
        show_json(users)
        return
    columns = {"name": "NAME", "role": "ROLE", "active": "ACTIVE", "last_login_at": "LAST SIGN-IN"}
    show_table(columns, users, "No users yet: `tick user create NAME --role ADMIN` makes one.")


@user.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Keep a user from signing in; the sessions end at once."""
    _set_active(name, False)


@user.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Let a disabled user sign in again."""
    _set_active(name, True)


def _set_active(name: str, active: bool) -> None:
    with ready_runtime() as runtime:
        access.set_active(runtime.database, name, active, now=runtime.now(), author=author())
    click.echo(f"{name} may {'sign in again' if active else 'not sign in any more'}.")


@user.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(list(Role)), default=Role.VIEWER, show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(name: str, role: str, password_stdin: bool) -> None:
    """Add a user. Without --password-stdin a random password is printed, once."""
    chosen = _choose_password(password_stdin)
    with ready_runtime() as runtime:
        access.create_user(
            runtime.database, name, chosen, Role(role), now=runtime.now(), author=author()
        )
    click.echo(f"{name} may sign in as {role}.")
    if not password_stdin:
        click.echo(f"Password (shown only now): {chosen}")


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def password(name: str, password_stdin: bool) -> None:
    """Change a password; the user's sessions end."""
    chosen = _choose_password(password_stdin)
    with ready_runtime() as runtime:
        access.set_password(runtime.database, name, chosen, now=runtime.now(), author=author())
    click.echo(f"The password of {name} is changed.")
    if not password_stdin:
        click.echo(f"Password (shown only now): {chosen}")


def _choose_password(from_stdin: bool) -> str:
    """The line on standard input, even an empty one, which is refused later; or a random one."""
    return sys.stdin.readline().rstrip("\n") if from_stdin else secrets.token_urlsafe(18)


@click.command()
@click.option("--keep-days", type=click.IntRange(1), help="Default: TICK_KEEP_DAYS.")
def prune(keep_days: int | None) -> None:
    """Delete runs, logs and ticks that are older than what is kept."""
    from tick.engine.prune import prune_all

    with ready_runtime() as runtime:
        days = keep_days or runtime.settings.keep_days
        gone = prune_all(runtime.database.write, runtime.now(), days)
    click.echo(", ".join(f"{count} of {table}" for table, count in gone.items()))
