"""What the commands share: an open runtime, who acts, and how results are shown."""

import getpass
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click
from pydantic import BaseModel

from tick.engine.ledger.audit import MAX_REASON, Author
from tick.interface.inputs import arguments_of
from tick.runtime import Runtime, open_runtime
from tick.settings import load_settings
from tick.store.schema import check_schema
from tick.telemetry import logs

if TYPE_CHECKING:
    from tick.ops.schemas import Page

Command = TypeVar("Command", bound=Callable[..., Any])
# All but tab and newline.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_REVISION = re.compile(r"[0-9a-f]{16}")
_NOTHING = "-"
_LAST_ID = 2**63 - 1
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


class _Id(click.types.IntParamType):
    """A number that a row may have; the help needs not say which ones those are."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        found: int = super().convert(value, param, ctx)
        if not 1 <= found <= _LAST_ID:
            self.fail(f"{value} is no id.", param, ctx)
        return found


ID = _Id()


def _checked_reason(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is not None and not (value.strip() and len(value) <= MAX_REASON):
        raise click.BadParameter(f"say why in 1 to {MAX_REASON} characters.")
    return value


def reason_option(words: str, *, required: bool = False) -> Callable[[Command], Command]:
    """`--reason`, as long as the console and the JSON API let it be."""
    return click.option("--reason", callback=_checked_reason, required=required, help=words)


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
