"""`tick token …`: what programs read and act with."""

import click

from tick.cli.local import author, ready_runtime
from tick.cli.output import show_json, show_table, tell_change
from tick.cli.parameters import ID, OneOf, as_json
from tick.engine.ledger.audit import Act
from tick.ops.access import tokens
from tick.states import Role, TokenScope


@click.group()
def token() -> None:
    """API tokens: what programs use the JSON API with."""


@token.command()
@click.argument("name")
@click.option(
    "--role",
    type=OneOf(list(Role)),
    default=Role.VIEWER,
    show_default=True,
    help="VIEWER looks, ADMIN does everything.",
)
@click.option(
    "--days",
    type=click.IntRange(1, tokens.MAX_DAYS),
    default=90,
    show_default=True,
    help="It ends after so many days.",
)
@click.option(
    "--scope",
    type=OneOf([each.value for each in TokenScope]),
    default=TokenScope.API.value,
    show_default=True,
    help="The one thing that it opens.",
)
@as_json
def create(name: str, role: str, days: int, scope: str, as_json: bool) -> None:
    """Make a token and print it, once. The audit names what is done with it token:NAME."""
    with ready_runtime() as runtime:
        made, text = tokens.create_token(
            runtime.database,
            Act(runtime.now(), author()),
            name,
            Role(role),
            days=days,
            scope=TokenScope(scope),
        )
    if as_json:
        show_json({**vars(made), "token": text})
        return
    purpose = f"opens {made.scope} as {made.role}"
    click.echo(f"Token {made.id}, {made.name}, {purpose} until {made.expires_at:%F}.")
    click.echo(f"Token (shown only now): {text}")


@token.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the tokens, newest first, with their last use."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        now = runtime.now()
        rows = [vars(row) | {"state": row.state(now)} for row in tokens.list_tokens(connection)]
    if as_json:
        show_json(rows)
        return
    columns = {
        "id": "ID",
        "name": "NAME",
        "role": "ROLE",
        "scope": "SCOPE",
        "state": "STATE",
        "expires_at": "EXPIRES (UTC)",
        "last_used_at": "LAST USED (UTC)",
        "created_by": "MADE BY",
    }
    show_table(columns, rows, "No tokens yet: `tick token create NAME` makes one.")


@token.command()
@click.argument("token_id", type=ID)
@as_json
def revoke(token_id: int, as_json: bool) -> None:
    """End a token at once."""
    with ready_runtime() as runtime:
        ended = tokens.revoke_token(runtime.database, Act(runtime.now(), author()), token_id)
    said = f"Token {token_id} {'is revoked' if ended else 'was revoked already'}."
    tell_change(ended, said, as_json)
