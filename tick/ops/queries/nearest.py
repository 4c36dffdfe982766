"""Suggestions for a name that does not exist. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100  # difflib takes time by the square of the length, and a filter may be long


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return `did you mean status? `, or nothing if no name is near; case does not matter."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(value[:_LONGEST].lower(), by_lower, n=1)
    return f"did you mean {by_lower[near[0]]}? " if near else ""


def choose_from(value: str, choices: Iterable[str]) -> str:
    """Return what to write instead of `value`: the nearest choice, and all choices."""
    listed = list(choices)
    return f"{did_you_mean(value, listed)}it is one of {', '.join(listed)}"
