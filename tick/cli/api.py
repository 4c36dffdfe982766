"""The commands on the JSON API: call any operation, print the document."""

import json
import runpy
from collections.abc import Iterable
from typing import Any

import click
from pydantic import BaseModel, ValidationError

from tick.cli.client import open_client
from tick.cli.output import show_json, show_list
from tick.cli.parameters import as_json, json_or_text, named_value
from tick.interface.inputs import invalid_input
from tick.interface.operation import Operation
from tick.interface.table import OPERATIONS
from tick.ops.queries.nearest import did_you_mean


@click.command()
@click.argument("name", metavar="[OPERATION]", required=False)
@click.argument("arguments", metavar="[NAME=VALUE]...", nargs=-1)
@as_json
def call(name: str | None, arguments: tuple[str, ...]) -> None:
    """Call an operation of the JSON API by its name.

    Here, or through a console with --url; prints JSON. Without OPERATION it lists them all; the
    document of the API says what each takes. A VALUE is JSON, or else text.
    For example: tick call pause_queue queue=media reason='disk full'
    """
    if name is None:
        rows = [
            {"name": each.name, "needs": each.needs, "does": each.summary}
            for each in OPERATIONS.values()
        ]
        columns = {"name": "OPERATION", "needs": "PERMISSION", "does": "DOES"}
        show_list(rows, columns, "There is none.")
        return
    if name not in OPERATIONS:
        guess = did_you_mean(name, OPERATIONS)
        raise click.UsageError(f"There is no operation {name!r}; {guess}`tick call` lists them.")
    given = _read(OPERATIONS[name], arguments)
    with open_client() as client:
        show_json(client.call(OPERATIONS[name], **given))


def _read(operation: Operation[BaseModel], arguments: Iterable[str]) -> dict[str, Any]:
    """Return the arguments by name. Raises UsageError, InvalidInput."""
    texts = dict(map(named_value, arguments))
    if missing := operation.ids.keys() - texts.keys():
        raise click.UsageError(f"{operation.name} takes {', '.join(sorted(missing))} as well.")
    outside = {name: texts.pop(name) for name in operation.named & texts.keys()}
    if operation.body is None:
        return outside | texts
    return outside | {"body": _read_body(operation.body, texts)}


def _read_body(model: type[BaseModel], texts: dict[str, str]) -> BaseModel:
    values = {name: json_or_text(text) for name, text in texts.items()}
    try:
        # As it is read from JSON: a body is strict, and only there an instant may be a text.
        return model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise invalid_input(error, "body", model) from None


@click.command()
def openapi() -> None:
    """Print the JSON API's OpenAPI 3.1 document."""
    # By name, as `tick up` starts the console: this package knows nothing of the other.
    runpy.run_module("webapp.openapi", run_name="__main__")
