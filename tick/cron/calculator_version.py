"""The version of the code that works out instants: croniter's, and that of our rule around it."""

import re
from functools import cache
from importlib.metadata import version

# To be raised with each release in which our rule around croniter moves an instant.
OWN_RULE = 1


@cache
def calculator() -> str:
    """Return the versions of our rule and of croniter."""
    return f"rule {OWN_RULE}, croniter {version('croniter')}"


def calculator_is_newer(other: str | None) -> bool:
    """Return whether the calculator here is newer than another, as `calculator` names it."""
    return other is None or _numbers(calculator()) > _numbers(other)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]
