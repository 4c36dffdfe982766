"""Routes of the API, and the two documents that describe them."""

from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from pydantic import BaseModel

from tick.interface.operation import ROOT, Operation
from tick.interface.table import OPERATIONS, RESOURCES
from webapp.access.security import csrf
from webapp.api import caller
from webapp.api.binding import respond
from webapp.api.openapi import build_document


def _view(operation: Operation[BaseModel]) -> Callable[..., Response]:
    return lambda **ids: respond(operation, ids)


blueprint = Blueprint("api", __name__, url_prefix=ROOT)
csrf.exempt(blueprint)  # no cookie opens anything here, so none can be misused
blueprint.before_request(caller.check)
for _operation in OPERATIONS.values():
    blueprint.add_url_rule(
        _operation.path, _operation.name, _view(_operation), methods=[_operation.method]
    )


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return build_document(RESOURCES)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Send the OpenAPI document, for programs."""
    return jsonify(document() | {"servers": [{"url": request.script_root or "/"}]})


@blueprint.get("/")
def reference() -> str:
    """Show the same document, for people."""
    return render_template("api/reference.html", document=document())
