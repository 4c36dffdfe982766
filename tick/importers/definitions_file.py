"""Writes the definitions of what was imported, as a module of Python. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tick.define.as_code import as_code, literal
from tick.importers.carry import Carried
from tick.importers.entries import Program, Request, Stub, Work
from tick.importers.names import told_apart
from tick.text import counted

_KINDS = (("command(", "command"), ("http(", "http"), ("@job(", "job"), ("Schedule(", "Schedule"))
_DATES = (
    ("datetime(", "datetime"),
    ("timedelta(", "timedelta"),
    ("=date(", "date"),
    ("=UTC)", "UTC"),
)
_STEPS = ("days", "weeks", "months")


def definitions_of(source: str, found: Sequence[Carried], group: str) -> str:
    """Return the text of a module: a job for each entry, and a schedule where there is one."""
    written = [each for each in found if each.entry.work is not None]
    names = told_apart(each.entry.name for each in written)
    parts = [
        "\n\n".join(_part(name, each, group)) for name, each in zip(names, written, strict=True)
    ]
    body = "\n\n\n".join(parts)
    said = (
        f'"""Brought from {source}: {counted(len(written), "job")}. Each is off until enabled."""'
    )
    return "\n\n".join(filter(None, [said, *_imports(body)])) + f"\n\n\n{body}\n"


def _imports(body: str) -> Iterator[str]:
    dates = sorted({name for sign, name in _DATES if sign in body})
    if dates:
        yield f"from datetime import {', '.join(dates)}"
    ours = [name for sign, name in _KINDS if re.search(rf"(?<!\w){re.escape(sign)}", body)]
    steps = [name for name in _STEPS if f"every={name}(" in body]
    if ours:
        yield f"from tick import {', '.join(sorted([*ours, *steps], key=_as_sorted))}"


def _as_sorted(name: str) -> tuple[bool, str]:
    return name.islower(), name


def _part(name: str, carried: Carried, group: str) -> Iterator[str]:
    entry, variable = carried.entry, _variable(name)
    where = f"# line {entry.line}: " if entry.line else "# "
    comment = "\n".join(_comment(entry.text, where))
    work = entry.work
    assert work is not None  # noqa: S101  (asked for by the caller)
    yield f"{comment}\n{_job(name, variable, work, entry.policy, group)}"
    if carried.options is not None:
        options = {"name": name, "job": name, **entry.options, **carried.options}
        yield f"{variable}_schedule = {as_code(name, options)}"


def _comment(text: str, first: str) -> Iterator[str]:
    for line in text.split("\n")[:40]:
        # What an editor or a terminal would not show as it is, or would obey, is written out.
        shown = "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in line)
        yield f"{first}{shown}".rstrip()
        first = "#   "


def _variable(name: str) -> str:
    found = re.sub(r"\W", "_", name)
    # Neither a keyword nor a name that the module imports.
    return f"job_{found}"


def _job(name: str, variable: str, work: Work, policy: Mapping[str, Any], group: str) -> str:
    given = {"group": group, **policy}
    if isinstance(work, Stub):
        options = ", ".join(f"{key}={literal(value)}" for key, value in given.items())
        said = f"{work.what}: write here what it does"
        return (
            f"@job(name={literal(name)}, {options})\ndef {variable}() -> None:\n"
            f'    """Run {_in_docstring(work.what)}."""\n'
            f"    raise RuntimeError({literal(said)})"
        )
    if isinstance(work, Request):
        asked = {"url": work.url, "method": work.method, "headers": work.headers, "body": work.body}
        defaults: dict[str, Any] = {"method": "GET", "headers": {}, "body": None}
        first = {key: value for key, value in asked.items() if value != defaults.get(key, "")}
        return _call("http", variable, [literal(name)], {**first, **given})
    return _call("command", variable, [literal(name), _argv(work)], _of_program(work) | given)


def _argv(work: Program) -> str:
    return literal(work.argv if isinstance(work.argv, str) else list(work.argv))


def _of_program(work: Program) -> dict[str, Any]:
    given = {"shell": work.shell, "env": work.env, "cwd": work.cwd}
    return {key: value for key, value in given.items() if value}


def _call(kind: str, variable: str, values: list[str], options: Mapping[str, Any]) -> str:
    arguments = [*values, *(f"{key}={literal(value)}" for key, value in options.items())]
    inner = ",\n    ".join(arguments)
    return f"{variable} = {kind}(\n    {inner},\n)"


def _in_docstring(text: str) -> str:
    return re.sub(r'[\\"]', "'", " ".join(text.split()))
