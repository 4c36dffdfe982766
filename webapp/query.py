"""The query string, read with bounds: what makes no sense counts as not given."""

from enum import StrEnum
from typing import TypeVar

from flask import request

Choice = TypeVar("Choice", bound=StrEnum)
_MAX_ID = 2**63 - 1
_MAX_TEXT = 100


def number(name: str) -> int | None:
    """A positive id."""
    value = request.args.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) <= 19):
        return None
    return int(value) if 0 < int(value) <= _MAX_ID else None


def text(name: str) -> str | None:
    """A name."""
    value = request.args.get(name, "").strip()
    return value[:_MAX_TEXT] or None


def choice(name: str, among: type[Choice]) -> Choice | None:
    """One of the states."""
    value = request.args.get(name, "")
    return among(value) if value in list(among) else None
