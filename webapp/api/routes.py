"""Every route of the API, and the two documents that describe them."""

from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from webapp.access.security import csrf
from webapp.api import (
    alerts,
    audit,
    batches,
    caller,
    cron,
    jobs,
    occurrences,
    proof,
    queues,
    runs,
    scheduler,
    schedules,
    stats,
    windows,
    workers,
)
from webapp.api.openapi import ROOT, build_document

RESOURCES = (
    schedules.resource,
    cron.resource,
    scheduler.resource,
    windows.resource,
    alerts.resource,
    jobs.resource,
    occurrences.resource,
    runs.resource,
    batches.resource,
    workers.resource,
    queues.resource,
    proof.resource,
    audit.resource,
    stats.resource,
)
blueprint = Blueprint("api", __name__, url_prefix=ROOT)
csrf.exempt(blueprint)  # no cookie opens anything here, so none can be misused
blueprint.before_request(caller.check)
for _resource in RESOURCES:
    for _operation in _resource.operations:
        blueprint.add_url_rule(
            _operation.path, _operation.name, _operation.view, methods=[_operation.method]
        )


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return build_document(RESOURCES)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI document, for programs."""
    return jsonify(document() | {"servers": [{"url": request.script_root or "/"}]})


@blueprint.get("/")
def reference() -> str:
    """The same document, for people."""
    return render_template("api/reference.html", document=document())
