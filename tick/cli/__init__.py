"""`tick …`: the command line. Every command is thin; what it does lives in the engine and ops."""

import errno
import importlib
import keyword
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from tick import __version__
from tick.cli.exit_status import ExitStatus
from tick.errors import ClockError, TickError

# The headings of `tick --help`, and the commands of each module, in the order in which a newcomer
# needs them.
SECTIONS = {
    "Tick and work": {"now": "now", "serving": "loop worker up", "first_run": "first-run"},
    "See that it is well": {"status": "status", "doctor": "doctor"},
    "Schedules": {
        "schedules": "schedules schedule enable disable pause resume undo",
        "custom_schedules": "add edit delete restore",
        "versions": "versions pin unpin",
        "upcoming": "next",
        "conflicts": "conflicts",
        "calendars": "calendars calendar",
    },
    "Jobs and runs": {"jobs": "jobs run", "runs": "runs logs cancel retry"},
    "The ledger: what fired, and what did not": {
        "ledger": "ledger occurrence why",
        "replay": "slot backfill",
        "backfills": "backfills",
        "verify": "verify",
    },
    "Operate": {
        "workers_and_queues": "workers drain queue",
        "windows": "scheduler windows",
        "alerts": "alerts",
    },
    "Definitions": {
        "definitions": "sync check plan",
        "cron_expressions": "cron",
        "simulate": "simulate",
        "imports": "import",
        "exports": "export",
    },
    "The installation": {
        "database": "db prune",
        "users": "user",
        "tokens": "token",
        "stats": "stats",
        "audit": "audit",
        "api": "call openapi",
        "completion": "completion",
    },
}
COMMANDS = {
    command: module
    for modules in SECTIONS.values()
    for module, commands in modules.items()
    for command in commands.split()
}
"""The module of each command, which holds it by its name."""

# What needs neither a console nor a database: --url makes no difference.
ANYWHERE = frozenset({"check", "completion", "cron", "export", "import", "openapi", "simulate"})
# Processes, and what works on the database before or beside any console.
_HERE = {"loop", "worker", "up", "first-run"} | {"doctor", "sync", "db", "user", "token", "prune"}
REMOTE = frozenset(COMMANDS.keys() - _HERE - ANYWHERE)
"""What works through a console's JSON API, too (--url); of `now` a dry run."""


class Commands(click.Group):
    """Loads a command when it is called; foreseeable errors are told without a traceback."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return what is left of the arguments, which must be text: nothing else can be stored."""
        for number, argument in enumerate(args, 1):
            # So Python disguises bytes that are no UTF-8 (PEP 383).
            if any("\ud800" <= letter <= "\udfff" for letter in argument):
                raise click.UsageError(f"Argument {number} is not UTF-8 text.", ctx)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the sections."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        # Loaded when called: a tick must not wait for what it does not use.
        module = importlib.import_module(f"tick.cli.{COMMANDS[cmd_name]}")
        attribute = cmd_name.replace("-", "_")
        # No function can be called `import`.
        attribute += "_" * keyword.iskeyword(attribute)
        command: click.Command = getattr(module, attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands, under headings."""
        for heading, modules in SECTIONS.items():
            with formatter.section(heading):
                names = [name for name, module in COMMANDS.items() if module in modules]
                commands = [(name, self.get_command(ctx, name)) for name in names]
                rows = [(n, c.get_short_help_str(formatter.width)) for n, c in commands if c]
                formatter.write_dl(rows, col_max=12)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command and its arguments; with --url only one that works at a distance."""
        name, command, rest = super().resolve_command(ctx, args)
        if ctx.params.get("url") and name in _HERE and not ctx.resilient_parsing:
            raise click.UsageError(
                f"`tick {name}` works on the database itself, not through --url: run it where "
                f"TICK_DATABASE_URL leads there. --url is for {', '.join(sorted(REMOTE))}."
            )
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what fails around it is a message and exit status 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(ExitStatus.INTERRUPTED) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever reads has had enough, which click knows
            raise click.ClickException(f"{error}. Mend that, then try again.") from None
        except ClockError as error:
            raise click.UsageError(str(error)) from None
        except TickError as error:
            from tick.cli.output import harmless

            # It may quote what a job, a person or another console has written.
            raise click.ClickException(harmless(str(error))) from None
        except SQLAlchemyError as error:
            from tick.store.database import TRANSIENT
            from tick.store.outages import CHECK, advice_on, sentence

            advice = advice_on(error)
            if advice is None and not isinstance(error, TRANSIENT):
                raise  # a mistake of ours, which needs its traceback
            said = f"The database failed: {sentence(error)}"
            raise click.ClickException(said if advice else f"{said} {CHECK}") from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tick")
@click.option(
    "--url",
    envvar="TICK_URL",
    help="Work through the console there, https://HOST, instead of on the database.",
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False),
    help="Holds the API token for --url; else TICK_TOKEN or TICK_TOKEN_FILE.",
)
def main(url: str | None, token_file: str | None) -> None:
    """Runs Python jobs on schedules that live in code.

    Settings come from TICK_* environment variables: TICK_DATABASE_URL (default
    sqlite:///var/tick.db) and TICK_DEFINITIONS (default definitions) first of all.

    An INSTANT is 2026-03-29T00:30Z, or 2026-03-29; in UTC where no zone is given. A LENGTH is 90s,
    5m, 2h or 1d.

    Exit status: 0 done, 1 failed, 2 wrongly called; the README has them all.
    """
