"""How the commands print: tables, JSON, sentences; nothing that a terminal would obey."""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click
from pydantic import BaseModel

from tick.cli.parameters import wants_json
from tick.cron.zone_data import find_zone
from tick.interface.inputs import arguments_of

if TYPE_CHECKING:
    from tick.ops.schemas import Page

Item = TypeVar("Item")
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
    """Return whether somebody watches it."""
    # A stream that the shell has closed (`>&-`) is None.
    return stream is not None and stream.isatty()


def show(found: Item, in_words: Callable[[Item], None]) -> None:
    """Print what was found as JSON, or else in words."""
    show_json(found) if wants_json() else in_words(found)


def show_list(
    found: Sequence[Item],
    columns: Mapping[str, str],
    empty: str,
    more: Callable[[Item], Mapping[str, Any]] = lambda _item: {},
) -> None:
    """Print a list as JSON, or else as a table of its fields and of what `more` makes of each."""
    if wants_json():
        show_json(found)
        return
    rows = [{**(item if isinstance(item, dict) else vars(item)), **more(item)} for item in found]
    show_table(columns, rows, empty)


def show_table(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]], empty: str) -> None:
    """Print rows under headings (key → heading): a table on a terminal, tabs in a pipe.

    The table leaves out columns that no row has a value in; between tabs there are always all.
    Without rows it prints `empty`, which says what to do next.
    """
    if not rows:
        # In a pipe a sentence would be taken for a row.
        click.echo(empty, err=not is_terminal(sys.stdout))
        return
    lines = [list(columns.values()), *([_text(row[key]) for key in columns] for row in rows)]
    if not is_terminal(sys.stdout):
        for line in lines:
            click.echo("\t".join(line))
        return
    # Not at the top: in a pipe, as a tick's log, nothing waits for it.
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=False)
    told = [column for column in zip(*lines, strict=True) if {*column[1:]} != {_NOTHING}]
    for heading, *_ in told:
        table.add_column(heading, overflow="fold")
    for row in list(zip(*told, strict=True))[1:]:
        table.add_row(*row)
    # Both off: a name such as `a:bug:[red]b` is no emoji and no colour.
    Console(emoji=False).print(table, markup=False)


def tell_older(page: "Page[Any]") -> None:
    """Say how a list goes on, unless as JSON."""
    if page.next is not None and not wants_json():
        # Beside the list, so that a pipe gets rows only.
        click.echo(f"Older ones: --before {arguments_of(page.next)['before']}", err=True)


def tell_change(changed: bool, said: str) -> None:
    """Say whether something is otherwise than before, in words or as JSON."""
    tell({"changed": changed}, said)


def tell(facts: object, said: str) -> None:
    """Say what was done, in words or as JSON."""
    show(facts, lambda _facts: say(said))


def say(text: str, *, err: bool = False) -> None:
    """Print a sentence that may quote what a job or a person has written."""
    click.echo(harmless(text), err=err)


def harmless(text: str) -> str:
    """Return text of a job's or a stranger's making without what a terminal would obey."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", click.unstyle(text))


def local(at: datetime, timezone: str) -> str:
    """Return an instant on a zone's clocks: `Sun 2026-03-29 03:00 CEST`."""
    return f"{at.astimezone(find_zone(timezone)):%a %Y-%m-%d %H:%M %Z}"


def _text(value: object) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    # One line: a tab or a line break in a name would make another cell or row.
    return harmless(" ".join(str(value).split()))


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
