"""`tick …`: the command line. Every command is thin; what it does lives in the engine and ops."""

import importlib
from typing import Any

import click
from sqlalchemy.exc import InterfaceError, OperationalError

from tick import __version__
from tick.errors import TickError

# name → module and attribute. Loaded when called: a tick must not wait for what it does not use.
COMMANDS = {
    "now": ("tick.cli.serving", "now"),
    "loop": ("tick.cli.serving", "loop"),
    "worker": ("tick.cli.serving", "worker"),
    "up": ("tick.cli.serving", "up"),
    "first-run": ("tick.cli.first_run", "first_run"),
    "schedules": ("tick.cli.schedules", "schedules"),
    "enable": ("tick.cli.schedules", "enable"),
    "disable": ("tick.cli.schedules", "disable"),
    "pause": ("tick.cli.pausing", "pause"),
    "resume": ("tick.cli.pausing", "resume"),
    "next": ("tick.cli.ledger", "next_"),
    "run": ("tick.cli.runs", "run"),
    "runs": ("tick.cli.runs", "runs"),
    "logs": ("tick.cli.runs", "logs"),
    "cancel": ("tick.cli.runs", "cancel"),
    "retry": ("tick.cli.operating", "retry"),
    "slot": ("tick.cli.ledger", "slot"),
    "backfill": ("tick.cli.ledger", "backfill"),
    "why": ("tick.cli.ledger", "why"),
    "verify": ("tick.cli.ledger", "verify"),
    "workers": ("tick.cli.operating", "workers"),
    "drain": ("tick.cli.operating", "drain"),
    "queue": ("tick.cli.operating", "queue"),
    "sync": ("tick.cli.definitions", "sync"),
    "check": ("tick.cli.definitions", "check"),
    "plan": ("tick.cli.foresight", "plan"),
    "simulate": ("tick.cli.foresight", "simulate"),
    "cron": ("tick.cli.definitions", "cron"),
    "db": ("tick.cli.admin", "db"),
    "user": ("tick.cli.admin", "user"),
    "token": ("tick.cli.tokens", "token"),
    "prune": ("tick.cli.admin", "prune"),
}


class Commands(click.Group):
    """Loads a command when it is called; foreseeable errors are told without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a TickError or a failing database is a message and exit status 1."""
        try:
            return super().invoke(ctx)
        except TickError as error:
            raise click.ClickException(str(error)) from None
        except (OperationalError, InterfaceError) as error:
            reason = str(error.orig).strip().partition("\n")[0]
            raise click.ClickException(
                f"The database failed: {reason}. Check TICK_DATABASE_URL and that the server runs."
            ) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tick")
def main() -> None:
    """Runs Python jobs on schedules that live in code.

    Settings come from TICK_* environment variables: TICK_DATABASE_URL (default
    sqlite:///var/tick.db) and TICK_DEFINITIONS (default definitions) first of all.
    """
