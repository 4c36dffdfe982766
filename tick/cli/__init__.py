"""`tick …`: the command line. Every command is thin; what it does lives in the engine and ops."""

import errno
import importlib
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from tick import __version__
from tick.cli.exit_status import ExitStatus
from tick.errors import ClockError, TickError

# name → module and attribute. Loaded when called: a tick must not wait for what it does not use.
COMMANDS = {
    "now": ("tick.cli.now", "now"),
    "loop": ("tick.cli.serving", "loop"),
    "worker": ("tick.cli.serving", "worker"),
    "up": ("tick.cli.serving", "up"),
    "first-run": ("tick.cli.first_run", "first_run"),
    "status": ("tick.cli.status", "status"),
    "doctor": ("tick.cli.doctor", "doctor"),
    "schedules": ("tick.cli.schedules", "schedules"),
    "schedule": ("tick.cli.schedules", "schedule"),
    "enable": ("tick.cli.schedules", "enable"),
    "disable": ("tick.cli.schedules", "disable"),
    "pause": ("tick.cli.schedules", "pause"),
    "resume": ("tick.cli.schedules", "resume"),
    "add": ("tick.cli.custom_schedules", "add"),
    "edit": ("tick.cli.custom_schedules", "edit"),
    "delete": ("tick.cli.custom_schedules", "delete"),
    "restore": ("tick.cli.custom_schedules", "restore"),
    "next": ("tick.cli.upcoming", "next_"),
    "jobs": ("tick.cli.jobs", "jobs"),
    "run": ("tick.cli.jobs", "run"),
    "runs": ("tick.cli.runs", "runs"),
    "logs": ("tick.cli.runs", "logs"),
    "cancel": ("tick.cli.runs", "cancel"),
    "retry": ("tick.cli.runs", "retry"),
    "ledger": ("tick.cli.ledger", "ledger"),
    "occurrence": ("tick.cli.ledger", "occurrence"),
    "slot": ("tick.cli.replay", "slot"),
    "backfill": ("tick.cli.replay", "backfill"),
    "why": ("tick.cli.ledger", "why"),
    "verify": ("tick.cli.verify", "verify"),
    "workers": ("tick.cli.workers_and_queues", "workers"),
    "drain": ("tick.cli.workers_and_queues", "drain"),
    "queue": ("tick.cli.workers_and_queues", "queue"),
    "scheduler": ("tick.cli.windows", "scheduler"),
    "windows": ("tick.cli.windows", "windows"),
    "alerts": ("tick.cli.alerts", "alerts"),
    "sync": ("tick.cli.definitions", "sync"),
    "check": ("tick.cli.definitions", "check"),
    "plan": ("tick.cli.definitions", "plan"),
    "simulate": ("tick.cli.simulate", "simulate"),
    "cron": ("tick.cli.definitions", "cron"),
    "db": ("tick.cli.database", "db"),
    "user": ("tick.cli.users", "user"),
    "token": ("tick.cli.tokens", "token"),
    "prune": ("tick.cli.database", "prune"),
    "stats": ("tick.cli.stats", "stats"),
    "audit": ("tick.cli.audit", "audit"),
    "call": ("tick.cli.api", "call"),
    "openapi": ("tick.cli.api", "openapi"),
    "completion": ("tick.cli.completion", "completion"),
}

# Where a heading begins in the list of `tick --help`.
HEADINGS = {
    "now": "Tick and work",
    "status": "See that it is well",
    "schedules": "Schedules",
    "jobs": "Jobs and runs",
    "ledger": "The ledger: what fired, and what did not",
    "workers": "Operate",
    "sync": "Definitions",
    "db": "The installation",
}

# What works through a console's JSON API, too (--url).
REMOTE = frozenset(
    {
        "add",
        "alerts",
        "audit",
        "backfill",
        "call",
        "cancel",
        "delete",
        "disable",
        "drain",
        "edit",
        "enable",
        "jobs",
        "ledger",
        "logs",
        "next",
        "occurrence",
        "pause",
        "queue",
        "restore",
        "resume",
        "retry",
        "run",
        "runs",
        "schedule",
        "scheduler",
        "schedules",
        "slot",
        "stats",
        "status",
        "verify",
        "why",
        "windows",
        "workers",
    }
)


# What needs neither a console nor a database: --url makes no difference.
ANYWHERE = frozenset({"check", "completion", "cron", "openapi", "simulate"})


class Commands(click.Group):
    """Loads a command when it is called; foreseeable errors are told without a traceback."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, which have to be text: nothing else can be stored."""
        for number, argument in enumerate(args, 1):
            if any("\ud800" <= letter <= "\udfff" for letter in argument):  # bytes, in disguise
                raise click.UsageError(f"Argument {number} is not UTF-8 text.", ctx)
        return super().parse_args(ctx, args)

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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands, under headings."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for name in COMMANDS:
            heading = HEADINGS.get(name) or next(reversed(rows))
            command = self.get_command(ctx, name)
            said = command.get_short_help_str(formatter.width) if command else ""
            rows.setdefault(heading, []).append((name, said))
        for heading, listed in rows.items():
            with formatter.section(heading):
                formatter.write_dl(listed, col_max=12)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command and its arguments; with --url only one that works at a distance."""
        name, command, rest = super().resolve_command(ctx, args)
        works = REMOTE | ANYWHERE
        if ctx.params.get("url") and name not in works and not ctx.resilient_parsing:
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
            raise click.ClickException(_harmless(error)) from None
        except SQLAlchemyError as error:
            from tick.store.database import TRANSIENT
            from tick.store.outages import CHECK, advice_on, sentence

            advice = advice_on(error)
            if advice is None and not isinstance(error, TRANSIENT):
                raise  # a mistake of ours, which needs its traceback
            said = f"The database failed: {sentence(error)}"
            raise click.ClickException(said if advice else f"{said} {CHECK}") from None


def _harmless(error: TickError) -> str:
    """What it says, which may quote what a job, a person or another console has written."""
    from tick.cli.output import harmless

    return harmless(str(error))


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
