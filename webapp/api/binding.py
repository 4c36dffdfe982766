"""Binds operations to HTTP: a request becomes parameters, an answer the response."""

import hashlib
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from pydantic import BaseModel

from tick.interface.inputs import Query, arguments_of
from tick.interface.operation import ROOT, Context, Operation, Output
from webapp.api import caller, reading
from webapp.links import current_path
from webapp.services import now, runtime
from webapp.waiting import POLL_SECONDS, holding_a_thread


def respond(operation: Operation[BaseModel], ids: Mapping[str, Any]) -> Response:
    """Return the operation's response to this request."""
    given = dict(ids)
    query: Any = reading.read_query(operation.query or Query)
    if operation.query is not None:
        given["query"] = query
    if operation.body is not None:
        given["body"] = reading.read_body(operation.body)
    if operation.takes_key:
        given["key"] = reading.read_key()
    if operation.takes_revision:
        given["revision"] = reading.read_revision()
    found = operation(_context(), **given)
    if operation.waits and query.wait:
        found = _wait_for_news(operation, given, found, query.wait)
    return _answer(operation, found)


def _context() -> Context:
    return Context(runtime(), caller.author(), now, root=f"{request.script_root}{ROOT}")


def _wait_for_news(
    operation: Operation[Output], given: Mapping[str, Any], found: Any, seconds: int
) -> Any:
    with holding_a_thread() as may_wait:
        polls = int(seconds / POLL_SECONDS) if may_wait else 0
        while polls and found.next is not None and not found.items:
            polls -= 1
            time.sleep(POLL_SECONDS)
            found = operation(_context(), **given)
    return found


def _answer(operation: Operation[BaseModel], found: BaseModel) -> Response:
    # Links that go on from here keep what else this request asked for.
    asked = {name: value for name, value in request.args.items() if name not in ("after", "before")}
    places = {
        name: f"{current_path()}?{urlencode({**asked, **arguments_of(place)})}"
        for name in ("next", "previous")
        if (place := getattr(found, name, None)) is not None
    }
    text = found.model_copy(update=places).model_dump_json()
    response = Response(text, operation.status, content_type="application/json")
    if operation.method == "GET":
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        # The revision first: If-Match takes the tag of a GET as it is (see read_revision).
        revision = getattr(found, "revision", None)
        response.set_etag(f"{revision}-{digest}" if revision else digest)
        response.make_conditional(request)
    return response
