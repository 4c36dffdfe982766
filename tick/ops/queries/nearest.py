"""The nearest of the names that there are, for one that there is not. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """`did you mean status? `, or nothing where none of the names is near; case does not matter."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(value[:_LONGEST].lower(), by_lower, n=1)
    return f"did you mean {by_lower[near[0]]}? " if near else ""


def choose_from(value: str, choices: Iterable[str]) -> str:
    """What to write instead of `value`: the nearest of the choices, and all of them."""
    listed = list(choices)
    return f"{did_you_mean(value, listed)}it is one of {', '.join(listed)}"
