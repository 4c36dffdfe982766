"""The version of the code that works out instants: croniter's, and that of our rule around it."""

import re
from functools import cache
from importlib.metadata import version

OWN_RULE = 1
"""Raised with each release in which our rule around croniter moves an instant."""


@cache
def calculator() -> str:
    """What works out instants here: our rule and croniter, with their versions."""
    return f"rule {OWN_RULE}, croniter {version('croniter')}"


def calculator_is_newer(other: str | None) -> bool:
    """Whether the calculator here is newer than another, named as `calculator` does."""
    return other is None or _numbers(calculator()) > _numbers(other)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]
