"""The runtime of a command that works on the database itself, and the act of its author."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from tick.engine.ledger.audit import Act, Author
from tick.runtime import Runtime, open_runtime
from tick.settings import load_settings
from tick.store.database import Database
from tick.store.schema import check_schema
from tick.telemetry import logs


@contextmanager
def ready_runtime() -> Iterator[Runtime]:
    """Yield a runtime on a database that is reachable and migrated."""
    with open_runtime() as runtime:
        check_schema(runtime.database)
        yield runtime


@contextmanager
def acting(revision: str | None = None) -> Iterator[tuple[Database, Act]]:
    """Yield the database, and an act by the person at the keyboard."""
    with ready_runtime() as runtime:
        yield runtime.database, Act(runtime.now(), author(), revision=revision)


def author() -> Author:
    """Return the person at the keyboard, as the audit names them."""
    try:
        return Author(f"cli:{getpass.getuser()}")
    except (KeyError, OSError):
        # A container's user may have a number and no name.
        return Author("cli")


def log_to_stderr() -> None:
    """Write log lines of a process that serves, in the form that the settings say."""
    logs.log_to_stderr(load_settings().log_format)
