"""A job's parameters before it runs: the form that its signature makes, and what people fill in."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from pydantic_core import to_jsonable_python

from tick.errors import InvalidParams
from tick.execution.params import params_adapter, validate_params

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
    """One parameter as a field of a form. `default` is what stands in it at first, as text."""

    name: str
    kind: Kind
    required: bool
    nullable: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


def fields_of(function: Callable[..., Any]) -> tuple[Field, ...]:
    """The parameters of a job's function, typed by its annotations; JSON where those say nothing.

    A function whose annotations can't be resolved has none: the worker will say why.
    """
    try:
        schema = params_adapter(function).json_schema()
    except Exception:
        return ()
    shapes, required = schema.get("properties", {}), set(schema.get("required", ()))
    parameters = inspect.signature(function).parameters
    return tuple(
        _field(name, shape, schema.get("$defs", {}), parameters[name].default, name in required)
        for name, shape in shapes.items()
    )


def read_form(function: Callable[..., Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that a filled-in form means, as JSON values.

    What equals the function's own default is left out, so that it goes on being the function's.
    Raises InvalidParams with a problem for each field that does not fit.
    """
    texts: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in fields_of(function):
        text = given.get(field.name, "")[:MAX_TEXT]
        if not _is_left_alone(field, text):
            try:
                texts[field.name] = _read(field, text)
            except ValueError as error:
                problems[field.name] = f"This is not JSON: {error}"
    try:
        valid = validate_params(function, texts)
    except InvalidParams as error:
        problems = {**error.problems, **problems}
    if problems:
        raise InvalidParams(problems, inspect.signature(function))
    params: dict[str, Any] = params_adapter(function).dump_python(valid, mode="json")
    return params


def check_params(function: Callable[..., Any], params: Mapping[str, Any]) -> None:
    """Refuse what the function would not take, before it is enqueued. Raises InvalidParams.

    Annotations that can't be resolved here are the worker's to judge.
    """
    unstorable = {name: why for name, value in params.items() if (why := _unstorable(value))}
    if unstorable:
        raise InvalidParams(unstorable, inspect.signature(function))
    try:
        params_adapter(function)
    except Exception:
        return
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
        return not field.required and _read(field, text) == (field.default == "true")
    if field.required:
        return not text and not field.nullable
    blank_means_default = not text and not field.nullable and field.kind != "text"
    return text == field.default or blank_means_default


def _read(field: Field, text: str) -> Any:
    if not text and field.nullable:
        return None
    if field.kind == "boolean":
        return text not in ("", "false")
    return json.loads(text, parse_constant=_refuse_constant) if field.kind == "json" else text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} has no place in it")


def _unstorable(value: Any) -> str | None:
    """Why neither database could store it; None if both can."""
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        return "NaN and infinite numbers cannot be stored"
    return "A NUL character cannot be stored" if "\\u0000" in text else None
