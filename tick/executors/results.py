"""Turns the return value of a job into JSON; a part that JSON can't hold is replaced in place."""

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any

from tick.executors.bounds import clean

MAX_RESULT = 256 * 1024
DEEPEST = 50
MOST_ITEMS = 100_000  # a larger array of NumPy is shown by its text, which is short


def bounded_json(value: Any) -> str:
    """Return a job's return value as JSON text of at most about MAX_RESULT characters.

    Models and dataclasses become objects, sets lists, enumerations their values, keys texts; NaN
    and what JSON does not know become text, and half a character a question mark. A value that is
    too large gives an object that says so and holds the beginning of it.
    """
    try:
        text = clean(_dumps(value))
    except Exception:  # something in it has no JSON, or its class is the user's
        text = clean(_dumps(_plain(value, ())))
    if len(text) > MAX_RESULT:
        why = f"too large: {len(text):,} characters, of {MAX_RESULT:,} allowed"
        return json.dumps({"cut": why, "head": clean(text[: MAX_RESULT // 16])})
    return text


def _dumps(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


def _plain(value: Any, within: tuple[int, ...]) -> Any:
    """Return the value as types of JSON; `within` are the ids of the values around it."""
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _text(float(value))
    # A value within itself would never end, one too deep exceed the recursion limit.
    if id(value) in within or len(within) >= DEEPEST:
        return "…"
    path = (*within, id(value))
    try:
        return _structure(value, lambda part: _plain(part, path))
    except Exception as error:  # the class is the user's
        return f"<{type(value).__name__} whose value raised {type(error).__name__}>"


def _structure(value: Any, plain: Callable[[Any], Any]) -> Any:
    """Return a value that holds others as object or list of those; any other one as text."""
    dump = getattr(value, "model_dump", None)
    if isinstance(value, Enum):  # first: its class may derive from any of the others
        return plain(value.value)
    if isinstance(value, Mapping):
        return {_text(key): plain(part) for key, part in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if callable(dump) and not isinstance(value, type):  # a pydantic model
        return plain(dump())
    if isinstance(value, set | frozenset):
        return [plain(part) for part in _in_order(value)]
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if hasattr(value, "dtype") and getattr(value, "size", 1) <= MOST_ITEMS:  # of NumPy
        return plain(value.tolist())
    if isinstance(value, bytes | bytearray):
        return value.decode(errors="backslashreplace")
    # A subclass of `int` may write itself in other ways.
    return int(value) if isinstance(value, int) else _text(value)


def _in_order(values: Iterable[Any]) -> Iterable[Any]:
    with suppress(Exception):  # what cannot be compared comes as it comes
        return sorted(values)
    return values


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text := str(value), text)
