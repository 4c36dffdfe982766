"""The commands on the database: upgrade its schema, prune it."""

from datetime import timedelta

import click

from tick.cli.local import ready_runtime
from tick.cli.output import tell
from tick.cli.parameters import LENGTH, as_json
from tick.runtime import open_runtime
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
        database, now, keep = runtime.database, runtime.now(), Keep.of(runtime.settings, keep_days)
        if dry_run:
            with database.read.connect() as connection:
                gone = count_prunable(connection, now, keep)
        else:
            gone, _ = prune_all(database.write, now, keep)
    counts = ", ".join(f"{count} of {table}" for table, count in gone.items() if count)
    said = f"{'Would delete' if dry_run else 'Deleted'}: {counts or 'nothing'}."
    tell({"dry_run": dry_run, "rows": gone}, said)
