"""How the commands print: tables, JSON, sentences; nothing that a terminal would obey."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import click
from pydantic import BaseModel

from tick.interface.inputs import arguments_of

if TYPE_CHECKING:
    from tick.ops.schemas import Page
from typing import TYPE_CHECKING

from tick.cron.zone_data import find_zone

if TYPE_CHECKING:
    from tick.ops.schemas import Page
# All but tab and newline.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NOTHING = "-"


def show_json(value: object) -> None:
    """Print a value as JSON; instants as ISO 8601."""
    click.echo(json.dumps(value, indent=2, default=_plain))


def show_line(value: object) -> None:
    """Print a value as one line of JSON, for output that goes on."""
    click.echo(json.dumps(value, default=_plain))


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody watches it; a stream that the shell has closed (`>&-`) is None."""
    return stream is not None and stream.isatty()


def show_table(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], empty: str) -> None:
    """Print rows under headings (key → heading): a table on a terminal, tabs in a pipe.

    The table leaves out columns that no row has a value in; between tabs there are always all.
    Without rows it prints `empty`, which says what to do next.
    """
    if not rows:
        click.echo(empty, err=not is_terminal(sys.stdout))
        return
    lines = [list(columns.values()), *([_text(row[key]) for key in columns] for row in rows)]
    if not is_terminal(sys.stdout):
        for line in lines:
            click.echo("\t".join(line))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
    told = [column for column in zip(*lines, strict=True) if {*column[1:]} != {_NOTHING}]
    for heading, *_ in told:
        table.add_column(heading, overflow="fold")
    for row in list(zip(*told, strict=True))[1:]:
        table.add_row(*row)
    Console(emoji=False).print(table, markup=False)


def tell_older(page: "Page[Any]") -> None:
    """Say how a list goes on; beside it, so that a pipe gets rows only."""
    if page.next is not None:
        click.echo(f"Older ones: --before {arguments_of(page.next)['before']}", err=True)


def tell_change(changed: bool, said: str, as_json: bool) -> None:
    """Say whether something is otherwise than before, in words or as JSON."""
    tell({"changed": changed}, said, as_json)


def tell(facts: object, said: str, as_json: bool) -> None:
    """Say what was done, in words or as JSON."""
    if as_json:
        show_json(facts)
    else:
        say(said)


def say(text: str, *, err: bool = False) -> None:
    """Print a sentence that may quote what a job or a person has written."""
    click.echo(harmless(text), err=err)


def harmless(text: str) -> str:
    """Text of a job's or a stranger's making, without what a terminal would obey."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", click.unstyle(text))


def local(at: datetime, timezone: str) -> str:
    """An instant on a zone's clocks: `Sun 2026-03-29 03:00 CEST`."""
    return f"{at.astimezone(find_zone(timezone)):%a %Y-%m-%d %H:%M %Z}"


def _text(value: object) -> str:
    if value is None:
        return _NOTHING
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
