"""The runtime of a command that works on the database itself, and its author."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tick.engine.ledger.audit import Author
from tick.runtime import Runtime, open_runtime
from tick.settings import load_settings
from tick.store.schema import check_schema
from tick.telemetry import logs

if TYPE_CHECKING:
    pass


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
