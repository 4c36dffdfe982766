"""How an operation of the API is declared: by the signature of its function.

A parameter called `query` or `body` is a pydantic model, read and checked before the function is
called; `key` is the Idempotency-Key, `match` what If-Match says; all others stand in the path. What
the function returns is a model, too. The view and the OpenAPI document are both made from that.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar, get_type_hints

from flask import Response, request
from pydantic import BaseModel

from webapp.api import reading
from webapp.api.models import Query

Function = TypeVar("Function", bound=Callable[..., BaseModel])


@dataclass(frozen=True)
class Operation:
    """One method on one path, and the function that answers it."""

    method: str
    path: str
    tag: str
    function: Callable[..., BaseModel]
    status: int
    hints: dict[str, Any]

    @property
    def name(self) -> str:
        """Its id in the OpenAPI document, and its endpoint's name."""
        return self.function.__name__

    @property
    def query(self) -> type[BaseModel] | None:
        """The model of its query string."""
        return self.hints.get("query")

    @property
    def body(self) -> type[BaseModel] | None:
        """The model of its body."""
        return self.hints.get("body")

    @property
    def answer(self) -> type[BaseModel] | None:
        """The model of what it answers; None for one that always refuses."""
        returned = self.hints["return"]
        return None if returned is NoReturn else returned

    @property
    def acts_once(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return "key" in self.hints

    @property
    def may_be_stale(self) -> bool:
        """Whether it takes If-Match."""
        return "match" in self.hints

    @property
    def ids(self) -> dict[str, type]:
        """The types of what stands in its path."""
        return {
            name: hint
            for name, hint in self.hints.items()
            if name not in {"query", "body", "key", "match", "return"}
        }

    def view(self, **ids: Any) -> Response:
        """Read the request, call the function, send what it returns."""
        given = dict(ids)
        asked = reading.read_query(self.query or Query)
        if self.query is not None:
            given["query"] = asked
        if self.body is not None:
            given["body"] = reading.read_body(self.body)
        if self.acts_once:
            given["key"] = reading.read_key()
        if self.may_be_stale:
            given["match"] = reading.read_match()
        return self._answer(self.function(**given))

    def _answer(self, found: BaseModel) -> Response:
        text = found.model_dump_json()
        response = Response(text, self.status, content_type="application/json")
        if self.method == "GET":
            digest = hashlib.sha256(text.encode()).hexdigest()[:32]
            revision = getattr(found, "revision", None)
            response.set_etag(f"{revision}-{digest}" if revision else digest)
            response.make_conditional(request)
        return response


@dataclass
class Resource:
    """The operations on one kind of thing; `tag` and `about` head them in the document."""

    tag: str
    about: str
    operations: list[Operation] = field(default_factory=list)

    def get(self, path: str) -> Callable[[Function], Function]:
        """Declare an operation that reads."""
        return self._declare("GET", path, 200)

    def post(self, path: str, status: int = 200) -> Callable[[Function], Function]:
        """Declare an operation that acts, or that takes a body to compute from."""
        return self._declare("POST", path, status)

    def put(self, path: str) -> Callable[[Function], Function]:
        """Declare an operation that replaces."""
        return self._declare("PUT", path, 200)

    def delete(self, path: str) -> Callable[[Function], Function]:
        """Declare an operation that removes."""
        return self._declare("DELETE", path, 200)

    def _declare(self, method: str, path: str, status: int) -> Callable[[Function], Function]:
        def declare(function: Function) -> Function:
            hints = get_type_hints(function)
            operation = Operation(method, path, self.tag, function, status, hints)
            self.operations.append(operation)
            return function

        return declare
