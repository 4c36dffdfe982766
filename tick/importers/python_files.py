"""Reads Python by its syntax tree: literals and known calls, never by running it. Pure."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tick.importers.entries import File, ImportRefused

_MOST_NODES = 200_000
_LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only running the file would tell; `text` is how it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A call: the last name of what is called, with its values."""

    name: str
    text: str
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def tree_of(file: File, instead: str) -> ast.Module:
    """Return the syntax tree. Raises ImportRefused, with what to give instead."""
    try:
        tree = ast.parse(file.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = getattr(error, "msg", None) or type(error).__name__
        line = getattr(error, "lineno", None)
        where = f" (line {line})" if line else ""
        raise ImportRefused(
            f"{file.name} is no Python that can be read{where}: {said}. {instead}"
        ) from None
    if sum(1 for _ in ast.walk(tree)) > _MOST_NODES:
        raise ImportRefused(f"{file.name} is too long: give the part with the schedules alone.")
    return tree


def value_of(node: ast.AST) -> Any:
    """Return the value of a literal; Called for a call, Unknown for all that is no literal."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [value_of(each) for each in node.elts]
    if isinstance(node, ast.Dict):
        return {
            _key(key): value_of(value)
            for key, value in zip(node.keys, node.values, strict=True)
            if key is not None
        }
    if isinstance(node, ast.BinOp | ast.UnaryOp):
        return _number(node)
    if isinstance(node, ast.Call):
        options = {each.arg: value_of(each.value) for each in node.keywords if each.arg}
        return Called(name_of(node.func), written(node), tuple(map(value_of, node.args)), options)
    return Unknown(written(node))


def _key(node: ast.AST) -> Any:
    value = value_of(node)
    return value if isinstance(value, str | int) else written(node)


def _number(node: ast.AST) -> Any:
    """Return the sum, difference or product of numbers; Unknown for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = value_of(node.operand)
        return -inner if _is_number(inner) else Unknown(written(node))
    if isinstance(node, ast.BinOp):
        left, right = value_of(node.left), value_of(node.right)
        if _is_number(left) and _is_number(right):
            if isinstance(node.op, ast.Mult):
                return left * right
            if isinstance(node.op, ast.Add):
                return left + right
            if isinstance(node.op, ast.Sub):
                return left - right
    return Unknown(written(node))


def _is_number(value: Any) -> bool:
    # Bounded, so that no product costs more than it says.
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and abs(value) < _LARGEST


def name_of(node: ast.AST) -> str:
    """Return the last name of `a.b.c`; empty for what is no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def written(node: ast.AST) -> str:
    """Return the text of an expression, on one line and bounded."""
    return " ".join(ast.unparse(node).split())[:200]


def assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield what is assigned by its last name: `app.conf.timezone = …` is timezone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield name_of(target), node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield name_of(node.target), node.value


def length_of(value: Any) -> timedelta | None:
    """Return the length of `timedelta(…)` or of a number of seconds; None for anything else."""
    if _is_number(value):
        return timedelta(seconds=float(value)) if 0 < value < 1e9 else None
    if isinstance(value, Called) and value.name == "timedelta":
        names = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")
        given = dict(zip(names, value.args, strict=False)) | dict(value.options)
        if given and given.keys() <= set(names) and all(map(_is_number, given.values())):
            try:
                return timedelta(**given)
            except OverflowError:
                return None
    return None


def instant_of(value: Any) -> datetime | None:
    """Return the wall time of `datetime(…)` or of an ISO text; None for anything else."""
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        if isinstance(value, Called) and value.name == "datetime":
            return datetime(*value.args)
    except (ValueError, TypeError, OverflowError):
        return None
    return None
