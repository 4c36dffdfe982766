"""How an operation is declared: by a decorator and the signature of its function.

The first parameter is the Context. A parameter called `query` or `body` is a pydantic model, `key`
is an idempotency key, `revision` the revision that must still be in force; all others stand in the
path. The function returns a model. The routes of the JSON API, its OpenAPI document and the command
line's client, here or by HTTP, are all made from that.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, Protocol, TypeVar, get_type_hints

import sqlalchemy as sa
from pydantic import BaseModel, TypeAdapter, ValidationError

from tick.define.registry import Registry
from tick.errors import InvalidInput
from tick.interface.inputs import Id, parse
from tick.interface.permissions import Permission
from tick.ops.act import Act
from tick.ops.act import Author as Author
from tick.runtime import Runtime
from tick.store.database import Database

ROOT = "/api/admin"
Output = TypeVar("Output", bound=BaseModel, covariant=True)
Declared = TypeVar("Declared", bound=BaseModel)
Asked = ParamSpec("Asked")
Found = TypeVar("Found")
_HEADERS = frozenset({"key", "revision"})
_RESERVED = frozenset({"context", "query", "body", "return"}) | _HEADERS
_ROW_ID: TypeAdapter[int] = TypeAdapter(Id)
# As Flask writes it, with the name of a converter before the colon.
_IN_PATH = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass
class Context:
    """The system, the author and the instant that an operation works with."""

    runtime: Runtime
    author: Author
    clock: Callable[[], datetime]
    root: str = ROOT
    """The address below which the JSON API lies."""

    @cached_property
    def now(self) -> datetime:
        """The instant of the question."""
        # Read once: all that an operation reads and writes is of the same instant.
        return self.clock()

    @property
    def database(self) -> Database:
        """The database."""
        return self.runtime.database

    @property
    def registry(self) -> Registry:
        """The definitions. Raises DefinitionsInvalid."""
        return self.runtime.registry

    def act(
        self, *, reason: str | None = None, revision: str | None = None, key: str | None = None
    ) -> Act:
        """Return the act of whoever asks."""
        return Act(self.now, self.author, reason, revision, key)

    def read(
        self,
        query: Callable[Concatenate[sa.Connection, Asked], Found],
        *args: Asked.args,
        **kwargs: Asked.kwargs,
    ) -> Found:
        """Return what a query finds, on a connection that only reads."""
        with self.database.read.connect() as connection:
            return query(connection, *args, **kwargs)


@dataclass(frozen=True)
class Operation(Generic[Output]):
    """One method on one path, the permission that it needs, and the function that answers it."""

    method: str
    path: str
    tag: str
    needs: Permission
    function: Callable[..., Output]
    status: int
    waits: bool
    """Whether an empty page is answered late, when there is something to read (`query.wait`)."""

    def __call__(self, context: Context, **given: Any) -> Output:
        """Answer; `given` are the function's parameters, as `bind` makes them."""
        return self.function(context, **given)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function)

    @property
    def name(self) -> str:
        """Its id in the OpenAPI document, and its endpoint's name."""
        return self.function.__name__

    @property
    def summary(self) -> str:
        """The sentence that says what it does."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def query(self) -> type[BaseModel] | None:
        """The model of its query string."""
        return self._hints.get("query")

    @property
    def body(self) -> type[BaseModel] | None:
        """The model of its body."""
        return self._hints.get("body")

    @property
    def output(self) -> type[Output] | None:
        """The model of what it answers; None for one that always refuses."""
        returned = self._hints["return"]
        return None if returned is NoReturn else returned

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, so that whoever reads may ask."""
        return self.needs is Permission.READ

    @property
    def takes_key(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return "key" in self._hints

    @property
    def takes_revision(self) -> bool:
        """Whether it takes If-Match."""
        return "revision" in self._hints

    @property
    def ids(self) -> dict[str, type]:
        """The types of the parameters in its path."""
        return {name: hint for name, hint in self._hints.items() if name not in _RESERVED}

    @property
    def named(self) -> frozenset[str]:
        """Its parameters that belong neither to the query nor to the body."""
        return frozenset({*self.ids, *(_HEADERS & self._hints.keys())})

    def place(self, written: Callable[[str], str]) -> str:
        """Its path, with each parameter's name replaced by how it is to be written."""
        return _IN_PATH.sub(lambda found: written(found[1]), self.path)

    def bind(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The function's parameters, made from plain values by name. Raises InvalidInput.

        What is neither in the path nor a key or revision belongs to the query or the body; None
        stands for what was not given there. A body that is a model already is taken as it is, with
        the nulls that it was given.
        """
        rest = dict(arguments)
        given = {name: _id(name, kind, rest.pop(name)) for name, kind in self.ids.items()}
        for name in _HEADERS & self._hints.keys():
            given[name] = rest.pop(name, None)
        for part in {"query", "body"} & self._hints.keys():
            if isinstance(rest.get(part), self._hints[part]):
                given[part] = rest.pop(part)
                continue
            # Left out, not None: a field may have a default, and take no null.
            values = {name: value for name, value in rest.items() if value is not None}
            given[part], rest = parse(self._hints[part], values, part), {}
        if rest:  # a mistake in our code, not in what somebody asked: no InvalidInput
            raise TypeError(f"{self.name} takes no {', '.join(rest)}")
        return given


def _id(name: str, kind: type, value: Any) -> Any:
    if kind is not int:
        return value
    try:
        # A path holds texts, so this one converts; a body does not.
        return _ROW_ID.validate_python(value)
    except ValidationError:
        raise InvalidInput([(f"path.{name}", "is no id")]) from None


class Declare(Protocol):
    """A decorator that makes a function an operation."""

    # No plain Callable: its model is known where it is called, not where it is made.
    def __call__(self, function: Callable[..., Declared], /) -> Operation[Declared]:
        """Return the operation."""


@dataclass
class Resource:
    """The operations on one kind of thing; `tag` and `about` head them in the document."""

    tag: str
    about: str
    operations: list[Operation[BaseModel]] = field(default_factory=list)

    def get(self, path: str, *, waits: bool = False) -> Declare:
        """Declare an operation that reads."""
        return self._declare("GET", path, Permission.READ, waits=waits)

    def post(self, path: str, needs: Permission, *, status: int = 200) -> Declare:
        """Declare an operation that acts, or that takes a body to compute from."""
        return self._declare("POST", path, needs, status=status)

    def put(self, path: str, needs: Permission) -> Declare:
        """Declare an operation that replaces."""
        return self._declare("PUT", path, needs)

    def delete(self, path: str, needs: Permission) -> Declare:
        """Declare an operation that removes."""
        return self._declare("DELETE", path, needs)

    def _declare(
        self, method: str, path: str, needs: Permission, *, status: int = 200, waits: bool = False
    ) -> Declare:
        def declare(function: Callable[..., Declared]) -> Operation[Declared]:
            operation = Operation(method, path, self.tag, needs, function, status, waits)
            self.operations.append(operation)
            return operation

        return declare
