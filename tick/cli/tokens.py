"""`tick token …`: what programs read and act with."""

import click

from tick.cli.local import acting, ready_runtime
from tick.cli.output import show_list, tell, tell_change
from tick.cli.parameters import ID, OneOf, as_json, role_option
from tick.ops.access import tokens
from tick.states import Role, TokenScope


@click.group()
def token() -> None:
    """API tokens: what programs use the JSON API with."""


@token.command()
@click.argument("name")
@role_option
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
def create(name: str, role: str, days: int, scope: str) -> None:
    """Make a token and print it, once. The audit names what is done with it token:NAME."""
    with acting() as (database, act):
        made, text = tokens.create_token(
            database, act, name, Role(role), days=days, scope=TokenScope(scope)
        )
    purpose = f"opens {made.scope} as {made.role}"
    said = f"Token {made.id}, {made.name}, {purpose} until {made.expires_at:%F}."
    tell({**vars(made), "token": text}, f"{said}\nToken (shown only now): {text}")


@token.command("list")
@as_json
def list_() -> None:
    """List the tokens, newest first, with their last use."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        now = runtime.now()
        rows = [vars(row) | {"state": row.state(now)} for row in tokens.list_tokens(connection)]
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
    show_list(rows, columns, "No tokens yet: `tick token create NAME` makes one.")


@token.command()
@click.argument("token_id", type=ID)
@as_json
def revoke(token_id: int) -> None:
    """End a token at once."""
    with acting() as (database, act):
        ended = tokens.revoke_token(database, act, token_id)
    tell_change(ended, f"Token {token_id} {'is revoked' if ended else 'was revoked already'}.")
