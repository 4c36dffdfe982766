"""What the commands share: an open runtime, who acts, and how results are shown."""

import getpass
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from pydantic import BaseModel

from tick.engine.audit import Author
from tick.runtime import Runtime, open_runtime
from tick.schema import check_schema
from tick.settings import load_settings
from tick.telemetry import logs

if TYPE_CHECKING:
    from tick.ops.answers.work import Listing

# All but tab and newline.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_REVISION = re.compile(r"[0-9a-f]{16}")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def _checked_revision(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is not None and not _REVISION.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no revision; copy it from what --json prints.")
    return value


if_revision = click.option(
    "--revision",
    "expected",
    callback=_checked_revision,
    help="Only if nobody changed it since: the `revision` that --json printed.",
)


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
    """Log lines for a process that serves, in the form that the settings say."""
    logs.log_to_stderr(load_settings().log_format)


def show_json(value: object) -> None:
    """Print a value as JSON; instants as ISO 8601."""
    click.echo(json.dumps(value, indent=2, default=_plain))


def show_line(value: object) -> None:
    """Print a value as one line of JSON, for output that goes on."""
    click.echo(json.dumps(value, default=_plain))


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


def tell_older(page: "Listing[Any]") -> None:
    """Say how a list goes on; beside it, so that a pipe gets rows only."""
    if page.next is not None:
        click.echo(f"Older ones: --before {page.next}", err=True)


def tell_change(changed: bool, said: str, as_json: bool) -> None:
    """Say whether something is otherwise than before, in words or as JSON."""
    tell({"changed": changed}, said, as_json)


def tell(facts: object, said: str, as_json: bool) -> None:
    """Say what was done, in words or as JSON."""
    if as_json:
        show_json(facts)
    else:
        click.echo(said)


def counted(number: int, noun: str) -> str:
    """So many of them: `1 instant`, `2 instants`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def harmless(text: str) -> str:
    """Text of a job's or a stranger's making, without what a terminal would obey."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", click.unstyle(text))


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return harmless(" ".join(str(value).split()))


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
