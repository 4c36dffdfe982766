"""The commands on the database: upgrade its schema, prune it."""

from datetime import timedelta

import click

from tick.cli.local import author, ready_runtime
from tick.cli.output import tell
from tick.cli.parameters import LENGTH, as_json
from tick.define.environments import is_environment
from tick.engine.ledger.audit import Act
from tick.engine.ledger.environment import expect_environment, stored_environment
from tick.ops.actions.environments import change_environment
from tick.runtime import Runtime, open_runtime
from tick.store import schema
from tick.store.migration import WAIT_SECONDS
from tick.text import counted


@click.group()
def db() -> None:
    """The database: its schema, and whose it is."""


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
def upgrade(copy: bool, wait: timedelta) -> None:
    """Bring the schema to what this release needs.

    A migration is taken back unless every row is still there after it.
    """
    # Not `ready_runtime`: it refuses the very schema that is to be mended.
    with open_runtime() as runtime:
        done = schema.upgrade(runtime.database, keeps_copy=copy, wait_seconds=wait.total_seconds())
    at_once = done.before == done.after
    said = f"at {done.after} already" if at_once else f"{done.before or 'empty'} → {done.after}"
    if done.copy is not None:
        said += f"; as it was before: {done.copy}"
    tell({"before": done.before, "after": done.after, "copy": done.copy}, said)


@db.command()
@click.argument("name", required=False)
@click.option("--from", "old", metavar="OLD", help="The one that it belongs to; with NAME.")
@as_json
def environment(name: str | None, old: str | None) -> None:
    """Show whose the database is, or give it to environment NAME.

    For a copy that another environment is to have, such as production's in staging: every schedule
    is switched off, and what is queued is cancelled. No process may work on it meanwhile.

    For example: tick db environment staging --from production
    """
    if (name is None) != (old is None):
        raise click.UsageError("Give both NAME and --from, or neither to see what it is.")
    if name is None or old is None:
        with ready_runtime() as runtime:
            stored = _stored(runtime)
        tell({"environment": stored}, stored or "None yet: the first sync gives it to one.")
        return
    if not is_environment(name):
        raise click.UsageError(f"{name!r} is no name of an environment, such as staging.")
    with ready_runtime() as runtime:
        act, dead_after = Act(runtime.now(), author()), runtime.settings.dead_after_seconds
        changed = change_environment(
            runtime.database, act, name, old=old, dead_after_seconds=dead_after
        )
    off, gone = counted(changed.schedules, "schedule"), counted(changed.runs, "run")
    tell(
        vars(changed),
        f"The database belongs to {name} now; {off} switched off, {gone} cancelled. Next: start "
        f"its processes with TICK_ENVIRONMENT={name}, run `tick sync` there, and `tick enable` "
        "those schedules that are to fire.",
    )


def _stored(runtime: Runtime) -> str | None:
    with runtime.database.read.connect() as connection:
        return stored_environment(connection)


@click.command()
@click.option("--keep-days", type=click.IntRange(1, 36_500), help="Default: TICK_KEEP_DAYS.")
@click.option("--dry-run", is_flag=True, help="Only say how many rows would go.")
@as_json
def prune(keep_days: int | None, dry_run: bool) -> None:
    """Delete now what is no longer kept.

    That is what is older, or more, than the settings say. Ticks do the same, by and by.
    """
    from tick.engine.statistics.prune import Keep, count_prunable, prune_all

    with ready_runtime() as runtime:
        expect_environment(_stored(runtime), runtime.settings.environment)
        database, now, keep = runtime.database, runtime.now(), Keep.of(runtime.settings, keep_days)
        if dry_run:
            with database.read.connect() as connection:
                gone = count_prunable(connection, now, keep)
        else:
            gone, _ = prune_all(database.write, now, keep)
    counts = ", ".join(f"{count} of {table}" for table, count in gone.items() if count)
    said = f"{'Would delete' if dry_run else 'Deleted'}: {counts or 'nothing'}."
    tell({"dry_run": dry_run, "rows": gone}, said)
