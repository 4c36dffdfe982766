"""What the commands share: an open runtime, who acts, and how results are shown."""

import getpass
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from tick.engine.audit import Author
from tick.runtime import Runtime, open_runtime
from tick.schema import check_schema

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


@contextmanager
def ready_runtime() -> Iterator[Runtime]:
    """A runtime on a database that is reachable and migrated."""
    with open_runtime() as runtime:
        check_schema(runtime.database)
        yield runtime


def author() -> Author:
    """The person at the keyboard, as the audit names them."""
    try:
        return Author(f"cli:{getpass.getuser()}")
    except (KeyError, OSError):
        return Author("cli")


def log_to_stderr() -> None:
    """Log lines for a process that serves."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )


def show_json(value: object) -> None:
    """Print a value as JSON; instants as ISO 8601."""
    click.echo(json.dumps(value, indent=2, default=_plain))


def show_table(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], empty: str) -> None:
    """Print rows under headings (key → heading): a table on a terminal, tabs in a pipe.

    Without rows it prints `empty`, which says what to do next.
    """
    if not rows:
        click.echo(empty, err=not sys.stdout.isatty())
        return
    texts = [[_text(row[key]) for key in columns] for row in rows]
    if not sys.stdout.isatty():
        for line in [list(columns.values()), *texts]:
            click.echo("\t".join(line))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for line in texts:
        table.add_row(*line)
    Console().print(table, markup=False)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
