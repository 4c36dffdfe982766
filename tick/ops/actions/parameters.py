"""Forms for a job's parameters: made of its signature, read back as JSON values."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import from_json, to_jsonable_python

from tick.define.params import params_adapter, validate_params
from tick.define.wrong_values import why_unstorable
from tick.errors import InvalidParams

Kind = Literal["text", "integer", "number", "boolean", "date", "choice", "json"]
_KINDS: Mapping[str, Kind] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}
MAX_TEXT = 10_000


@dataclass(frozen=True)
class Field:
    """One parameter as a field of a form. `default` is the text in it at first."""

    name: str
    kind: Kind
    required: bool
    nullable: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


def fields_of(function: Callable[..., Any]) -> tuple[Field, ...]:
    """Return the fields for a job's function, typed by its annotations; else as JSON."""
    try:
        schema = params_adapter(function).json_schema()
    except Exception:
        return ()  # its annotations can't be resolved here: the worker will say why
    shapes, required = schema.get("properties", {}), set(schema.get("required", ()))
    parameters = inspect.signature(function).parameters
    return tuple(
        _field(name, shape, schema.get("$defs", {}), parameters[name].default, name in required)
        for name, shape in shapes.items()
    )


def read_form(function: Callable[..., Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters in a filled-in form, as JSON values.

    Raises InvalidParams with a problem for each field that does not fit.
    """
    fields = fields_of(function)
    # Other names are texts: whether the function takes them is its own to say.
    values = others_given(fields, given)
    problems: dict[str, str] = {}
    for field in fields:
        text = given.get(field.name, "")[:MAX_TEXT]
        # A default is not sent: if the function gets another one, that will hold.
        if not _is_left_alone(field, text):
            try:
                values[field.name] = read_text(field, text)
            except ValueError as error:
                problems[field.name] = f"This is not JSON: {error}"
    try:
        valid = validate_params(function, values)
    except InvalidParams as error:
        problems = {**error.problems, **problems}
    if problems:
        raise InvalidParams(problems, inspect.signature(function))
    params: dict[str, Any] = params_adapter(function).dump_python(valid, mode="json")
    return params


def read_text(field: Field, text: str) -> Any:
    """Return the JSON value of a filled-in text.

    Raises ValueError if it should be JSON and is not, or is nested too deeply.
    """
    if not text and field.nullable:
        return None
    if field.kind == "boolean":
        return text not in ("", "false")
    if field.kind == "json":
        return from_json(text, allow_inf_nan=False)
    if field.kind in ("integer", "number"):
        with suppress(ValueError):  # a number that is none is refused by the function's check
            value = from_json(text)
            return value if type(value) in (int, float) else text
    return text


def others_given(fields: Iterable[Field], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the texts that were filled in beside the fields."""
    names = {field.name for field in fields}
    return {name: text[:MAX_TEXT] for name, text in given.items() if name not in names}


def check_params(function: Callable[..., Any], params: Mapping[str, Any]) -> None:
    """Check that the function would take the parameters. Raises InvalidParams."""
    unstorable = {
        name: f"This {why}." for name in params if (why := why_unstorable({name: params[name]}))
    }
    if unstorable:
        raise InvalidParams(unstorable, inspect.signature(function))
    try:
        params_adapter(function)
    except Exception:
        return  # annotations that can't be resolved here are the worker's to judge
    validate_params(function, params)


def _field(
    name: str, shape: Mapping[str, Any], shapes: Mapping[str, Any], default: Any, required: bool
) -> Field:
    variants = [_resolved(each, shapes) for each in shape.get("anyOf", [shape])]
    plain = [each for each in variants if each.get("type") != "null"]
    only = plain[0] if len(plain) == 1 else {}
    kind = _kind(only)
    return Field(
        name=name,
        kind=kind,
        required=required,
        nullable=len(plain) < len(variants),
        default="" if required else _as_text(kind, default),
        choices=tuple(map(str, only.get("enum", ()))),
        least=only.get("minimum"),
        most=only.get("maximum"),
    )


def _resolved(shape: Mapping[str, Any], shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = shapes.get(str(shape.get("$ref", "")).rpartition("/")[2], shape)
    return found


def _kind(shape: Mapping[str, Any]) -> Kind:
    if "enum" in shape and all(isinstance(choice, str) for choice in shape["enum"]):
        return "choice"
    if shape.get("format") == "date":
        return "date"
    return _KINDS.get(shape.get("type", ""), "json") if "enum" not in shape else "json"


def _as_text(kind: Kind, default: Any) -> str:
    if default is None:
        return ""
    value = to_jsonable_python(default, fallback=str)
    return value if kind != "json" and isinstance(value, str) else json.dumps(value)


def _is_left_alone(field: Field, text: str) -> bool:
    if field.kind == "boolean" and not field.nullable:
        return not field.required and read_text(field, text) == (field.default == "true")
    if field.required:
        return not text and not field.nullable
    blank_means_default = not text and not field.nullable and field.kind != "text"
    return text == field.default or blank_means_default
