"""Makes the OpenAPI 3.1 document from the operations and their models."""

import inspect
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tick.interface.operation import ROOT, Operation, Resource
from tick.interface.permissions import least_role
from webapp.api.reading import KEY_HEADER, KEY_PATTERN
from webapp.problem import ADVICE, MEDIA_TYPE, Problem

_REF = "#/components/schemas/{model}"
_ABOUT = (
    "Read and operate Job Schedule Manager. Every request needs an API token: "
    "`tick token create NAME --role VIEWER` makes one that reads, `--role ADMIN` one that acts. "
    "Instants are ISO 8601 in UTC. Lists come in pages; `next` leads on. Every error is a problem "
    "document (RFC 9457) that says what to do next."
)
_HEADER = {"in": "header", "required": False}
_ABOUT_KEY = (
    "Sent twice with the same key, the request acts once and answers the same; with other `params` "
    "it is refused."
)
_KEY_SCHEMA = {"type": "string", "pattern": f"^{KEY_PATTERN}$"}
_KEY = {"name": KEY_HEADER, **_HEADER, "schema": _KEY_SCHEMA, "description": _ABOUT_KEY}
_ABOUT_MATCH = (
    "The item's `revision` as it was read (for one schedule and the scheduler's status the ETag "
    "does as well): 412 unless it still stands as it was read."
)
_MATCH = {"name": "If-Match", **_HEADER, "schema": {"type": "string"}, "description": _ABOUT_MATCH}
_NOT_MODIFIED = {"description": "It is as it was when If-None-Match was its ETag."}
_IDS: Mapping[type, dict[str, Any]] = {
    int: {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    str: {"type": "string", "minLength": 1},
}


def build_document(resources: Iterable[Resource]) -> dict[str, Any]:
    """Return the document as plain JSON values."""
    resources = list(resources)
    operations = [operation for resource in resources for operation in resource.operations]
    schemas = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        place = ROOT + operation.place("{{{}}}".format)
        paths.setdefault(place, {})[operation.method.lower()] = _describe(operation, schemas)
    for operation in operations:
        if operation.query is not None:
            schemas.pop(operation.query.__name__, None)  # its parts stand in the parameters
    return {
        "openapi": "3.1.0",
        "info": {"title": "Job Schedule Manager", "version": "1", "description": _ABOUT},
        "security": [{"token": []}],
        "tags": [{"name": each.tag, "description": each.about} for each in resources],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {str(status): _problem(status) for status in ADVICE},
            "schemas": schemas,
        },
    }


def _schemas(operations: Iterable[Operation[BaseModel]]) -> dict[str, Any]:
    inputs = {model for each in operations for model in (each.query, each.body) if model}
    outputs = {each.output for each in operations if each.output} | {Problem}
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in inputs]
    wanted += [(model, "serialization") for model in outputs]
    wanted.sort(key=lambda pair: pair[0].__name__)
    schemas: dict[str, Any] = models_json_schema(wanted, ref_template=_REF)[1]["$defs"]
    return schemas


def _describe(operation: Operation[BaseModel], schemas: Mapping[str, Any]) -> dict[str, Any]:
    more = (inspect.getdoc(operation.function) or "").partition("\n")[2]
    role = least_role(operation.needs)
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{more.strip()}\n\nNeeds a token of role {role}.".strip(),
        "parameters": _parameters(operation, schemas),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        needed = "required" in schemas[operation.body.__name__]
        found["requestBody"] = {"content": _json(operation.body), "required": needed}
    return found


def _parameters(
    operation: Operation[BaseModel], schemas: Mapping[str, Any]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _IDS[kind]}
        for name, kind in operation.ids.items()
    ]
    if operation.query is not None:
        model = schemas[operation.query.__name__]
        required = model.get("required", ())
        for name, schema in model["properties"].items():
            needed = name in required
            part = {"name": name, "in": "query", "required": needed, "schema": _sendable(schema)}
            found.append(part)
    found += [_KEY] if operation.takes_key else []
    return [*found, _MATCH] if operation.takes_revision else found


def _sendable(schema: Mapping[str, Any]) -> dict[str, Any]:
    # Without null: what is not given is left out of a query string.
    kept = {key: value for key, value in schema.items() if key not in ("anyOf", "default", "title")}
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            kept |= choice
    return kept


def _responses(operation: Operation[BaseModel]) -> dict[str, Any]:
    statuses = {400, 401, 422, 500, 503}
    if operation.ids or operation.body is not None:  # a body may name what is not there, too
        statuses.add(404)
    if not operation.reads:
        statuses |= {403, 409, 429}
    if operation.takes_revision:
        statuses.add(412)
    if operation.body is not None:
        statuses |= {408, 413, 415}
    refs = {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)
    }
    if operation.output is None:
        return refs
    good = {"description": HTTPStatus(operation.status).phrase, "content": _json(operation.output)}
    unchanged = {"304": _NOT_MODIFIED} if operation.method == "GET" else {}
    return {str(operation.status): good, **unchanged, **refs}


def _problem(status: int) -> dict[str, Any]:
    reference = {"$ref": _REF.format(model=Problem.__name__)}
    return {"description": ADVICE[status], "content": {MEDIA_TYPE: {"schema": reference}}}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}
