"""A schedule as the text to paste into the definitions. Pure."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from tick.define.month_days import FUNCTIONS, as_call
from tick.define.schedules import Schedule
from tick.define.steps import Step, step_from_plain
from tick.define.written import INSTANTS, is_day

_IMPORTS = {
    "=date(": "date",
    ": date(": "date",
    "datetime(": "datetime",
    "timedelta(": "timedelta",
    "=UTC)": "UTC",
}
_STEPS = ("days", "months", "weeks")
_UNITS = (("weeks", 604800), ("days", 86400), ("hours", 3600), ("minutes", 60))


def as_code(schedule_id: str, written: Mapping[str, Any]) -> str:
    """`Schedule(...)` with what was written, one option a line."""
    options = {"id": schedule_id, **written}
    # A database may keep the options in another order than that of the definitions.
    ordered = [field.name for field in fields(Schedule) if field.name in options]
    lines = (f"    {name}={_value(name, options[name])}," for name in ordered)
    return "\n".join(["Schedule(", *lines, ")"])


def imports_of(code: str) -> str:
    """The imports that such a text needs."""
    names = sorted({name for sign, name in _IMPORTS.items() if sign in code})
    dates = f"from datetime import {', '.join(names)}\n\n" if names else ""
    steps = [name for name in _STEPS if f"every={name}(" in code or f'"every": {name}(' in code]
    days = [name for name in FUNCTIONS if f", on={name}(" in code]
    return f"{dates}from tick import {', '.join(['Schedule', *sorted([*steps, *days])])}"


def _value(name: str, value: Any) -> str:
    if value is None:
        return "None"
    if name in INSTANTS:
        at = datetime.fromisoformat(value)
        if is_day(value):
            return f"date({at.year}, {at.month}, {at.day})"
        rest = [at.second, at.microsecond]
        while rest and not rest[-1]:
            rest.pop()
        parts = [at.year, at.month, at.day, at.hour, at.minute, *rest]
        return f"datetime({', '.join(map(str, parts))}, tzinfo=UTC)"
    if name == "environments" and isinstance(value, Mapping):
        named = (f"{literal(place)}: {_options(differing)}" for place, differing in value.items())
        return f"{{{', '.join(named)}}}"
    if name == "every":
        return _step(value) if isinstance(value, Mapping) else _length(value)
    return literal(value)


def _options(options: Mapping[str, Any]) -> str:
    """Options as a dictionary of Python."""
    listed = (f"{literal(name)}: {_value(name, value)}" for name, value in options.items())
    return f"{{{', '.join(listed)}}}"


def _step(value: Mapping[str, Any]) -> str:
    step = step_from_plain(value)
    on = [] if step.on is None else [f"on={_on(step)}"]
    at = [] if step.at == "00:00" else [f"at={literal(step.at)}"]
    return f"{step.unit}({', '.join([str(step.number), *on, *at])})"


def _on(step: Step) -> str:
    is_call = step.unit == "months" and isinstance(step.on, str)
    return as_call(str(step.on)) if is_call else literal(step.on)


def _length(seconds: float) -> str:
    """The length in the largest unit of which it is a whole number."""
    for unit, size in _UNITS:
        if not seconds % size:
            return f"timedelta({unit}={int(seconds // size)})"
    return f"timedelta(seconds={timedelta(seconds=seconds).total_seconds():g})"


def literal(value: Any) -> str:
    """A JSON value as Python writes it, with double quotes as the formatter has them."""
    if isinstance(value, str):
        return "".join(map(_shown, json.dumps(value, ensure_ascii=False)))
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{literal(key)}: {literal(of)}' for key, of in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


def _shown(character: str) -> str:
    """The character, or its escape where an editor would not show what it is."""
    return character if character.isprintable() else f"\\U{ord(character):08x}"
