"""Where a command reads and acts: on the database itself, or through a console's JSON API.

A command is written once, for either: both desks take the same questions and give the same answers
(`tick.ops.schemas.work`), and a test compares them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import click

from tick.cli.client import Client
from tick.cli.common import author, ready_runtime
from tick.cli.local import LocalDesk
from tick.cli.remote import RemoteDesk
from tick.environment import read_file_of, read_secret

Desk: TypeAlias = LocalDesk | RemoteDesk


@contextmanager
def open_desk() -> Iterator[Desk]:
    """The desk that `tick --url` chose, else the one on TICK_DATABASE_URL."""
    options = click.get_current_context().find_root().params
    if options.get("url"):
        yield RemoteDesk(Client(options["url"], _token(options.get("token_file"))))
        return
    with ready_runtime() as runtime:
        yield LocalDesk(runtime, author())


def _token(file: str | None) -> str:
    """The API token: from the file, or else TICK_TOKEN or TICK_TOKEN_FILE. Raises SettingsError."""
    if file is not None:
        return read_file_of("--token-file", {"--token-file": file})
    return read_secret("TICK_TOKEN")
