"""The client of the commands: it calls operations here, or through a console that runs elsewhere.

A command is written once, for either: what an operation takes and answers is declared in
`tick.interface`, and both ways are made from that.
"""

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import click
from pydantic import BaseModel, ValidationError

from tick import __version__, clock
from tick.cli.connection import Connection
from tick.cli.local import author, ready_runtime
from tick.cli.retry_reads import retry_reads
from tick.engine.ledger.environment import expect_environment, stored_environment
from tick.environment import read_file_of, read_secret
from tick.errors import RemoteError
from tick.interface.inputs import arguments_of
from tick.interface.operation import Author, Context, Operation, Output
from tick.runtime import Runtime

# A bound for a console that always names a next page: 1,000 parts of a proof are 20 years.
MOST_PAGES = 1000


class Client(ABC):
    """Calls operations with plain arguments by name."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the instant it is."""

    @abstractmethod
    def call(self, operation: Operation[Output], **arguments: Any) -> Output:
        """Return what the operation answers. An argument that is None counts as not given.

        Raises InvalidInput, and what the operation raises.
        """

    def call_patiently(self, operation: Operation[Output], **arguments: Any) -> Output:
        """Call again through a short outage. Raises TypeError for an operation that acts."""
        if not operation.reads:
            raise TypeError(f"{operation.name} may act twice if it is called again")
        return retry_reads(lambda: self.call(operation, **arguments))

    def pages(self, operation: Operation[Output], **arguments: Any) -> Iterator[Output]:
        """Yield every page of an answer that goes on, the first to the last. Raises RemoteError."""
        for _ in range(MOST_PAGES):
            page: Any = self.call(operation, **arguments)
            yield page
            if (onward := page.next) is None:
                return
            arguments |= arguments_of(onward)
        raise RemoteError(f"There are more than {MOST_PAGES} pages of that; ask for less.")

    def all(self, operation: Operation[Output], **arguments: Any) -> list[Any]:
        """Return the items of every page of a list."""
        pages: Iterator[Any] = self.pages(operation, **arguments)
        return [item for page in pages for item in page.items]


class LocalClient(Client):
    """Calls operations in this process, as the person at the keyboard."""

    def __init__(self, runtime: Runtime, author: Author) -> None:
        self._runtime, self._author = runtime, author

    def now(self) -> datetime:
        """Return the instant by the database's clock, or this machine's where it has none."""
        return self._runtime.now()

    def call(self, operation: Operation[Output], **arguments: Any) -> Output:
        """Return what the operation answers, called in this process."""
        # A context for each call, as for each request: `now` must not stand still while one waits.
        context = Context(self._runtime, self._author, self._runtime.now)
        if not operation.reads:
            stored = context.read(stored_environment)
            expect_environment(stored, self._runtime.settings.environment)
        return operation(context, **operation.bind(arguments))


class RemoteClient(Client):
    """Sends operations to the JSON API of a console, as the name of the token."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def now(self) -> datetime:
        """Return the instant by this machine's clock."""
        return clock.now()

    def call(self, operation: Operation[Output], **arguments: Any) -> Output:
        """Return what the console answers."""
        given = operation.bind(arguments)
        path = operation.place(lambda name: quote(str(given[name]), safe=""))
        if query := _plain(given.get("query")):
            path += f"?{urlencode({name: _text(value) for name, value in query.items()})}"
        data = json.dumps(_plain(given["body"])).encode() if operation.body else None
        headers = _headers(operation, given)
        return self._parsed(operation, self._connection.send(operation.method, path, headers, data))

    def _parsed(self, operation: Operation[Output], content: bytes) -> Output:
        if operation.output is None:
            raise TypeError(f"{operation.name} always refuses")
        try:
            return operation.output.model_validate_json(content)
        except ValidationError:
            said = f"answers otherwise than this `tick` (version {__version__}) expects"
            advice = "Check --url, and install here the version that runs there."
            raise RemoteError(f"{self._connection.base} {said}. {advice}") from None


def _headers(operation: Operation[BaseModel], given: Mapping[str, Any]) -> dict[str, str]:
    headers = {"Content-Type": "application/json"} if operation.body else {}
    if operation.takes_key:
        # With a key in any case: what lies in between may send a request twice.
        headers["Idempotency-Key"] = given["key"] or secrets.token_hex(16)
    if operation.takes_revision and given["revision"] is not None:
        headers["If-Match"] = f'"{given["revision"]}"'
    return headers


def _plain(given: BaseModel | None) -> dict[str, Any]:
    """Return the values that were given, as JSON has them."""
    # Not the defaults: a console of another version may have others.
    return {} if given is None else given.model_dump(mode="json", exclude_unset=True)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@contextmanager
def open_client() -> Iterator[Client]:
    """Yield the client of the console that `tick --url` names, else one on TICK_DATABASE_URL."""
    options = click.get_current_context().find_root().params
    if options.get("url"):
        yield RemoteClient(Connection(options["url"], _token(options.get("token_file"))))
        return
    with ready_runtime() as runtime:
        yield LocalClient(runtime, author())


def call(operation: Operation[Output], **arguments: Any) -> Output:
    """Return what the operation answers, for a command that asks one thing."""
    with open_client() as client:
        return client.call(operation, **arguments)


def _token(file: str | None) -> str:
    """Return the API token from the file, TICK_TOKEN or TICK_TOKEN_FILE. Raises SettingsError."""
    if file is not None:
        return read_file_of("--token-file", {"--token-file": file})
    return read_secret("TICK_TOKEN")
