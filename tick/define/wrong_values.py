"""The mistakes that one value of any option can hold. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from enum import StrEnum

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
_MOST_SECONDS = 10 * 366 * 24 * 3600
# PostgreSQL stores neither a NUL nor half of a surrogate pair, in texts as in JSON.
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_UNSTORABLE_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")


def in_length(name: str, seconds: object, least: float) -> Iterator[str]:
    """Yield the mistake in a length of time."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        yield f"{name} must be a number of seconds, not {seconds!r}."
    elif seconds < least:
        yield f"{name} must be at least {least:g}."
    elif not seconds <= _MOST_SECONDS:  # not a number is in no order
        yield f"{name} must be at most {_MOST_SECONDS} seconds, ten years."


def in_number(name: str, value: object, least: int, most: int) -> Iterator[str]:
    """Yield the mistake in a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"{name} must be a whole number, not {value!r}."
    elif value < least:
        yield f"{name} must be at least {least}."
    elif value > most:
        yield f"{name} must be at most {most}."


def in_text(name: str, value: object) -> Iterator[str]:
    """Yield the mistake in a text."""
    if not isinstance(value, str):
        yield f"{name} must be a text, not {value!r}."
    elif UNSTORABLE.search(value):
        yield f"{name} holds a NUL or half a character, which no database stores; remove it."


def in_choice(name: str, value: object, enum: type[StrEnum]) -> Iterator[str]:
    """Yield the mistake in one of a few words."""
    if value not in list(enum):
        yield f"{name} {value!r} is none of {', '.join(enum)}."


def in_names(option: str, names: object) -> Iterator[str]:
    """Yield the mistake in a list of names."""
    if isinstance(names, str):
        yield f"{option} is the text {names!r}; write a list of names: [{names!r}]."
    elif not isinstance(names, list | tuple | set | frozenset):
        yield f"{option} must be a list of names, not {names!r}."
    elif wrong := [name for name in names if not isinstance(name, str)]:
        yield f"{option} holds {wrong[0]!r}, which is no name; write the name as a text."
    elif twice := [name for name in names if list(names).count(name) > 1]:
        yield f"{option} names {twice[0]!r} more than once; leave one."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the nearest of the known names, as an aside; empty when none is near."""
    close = get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def why_unstorable(value: object) -> str | None:
    """Return why no database could store a value as JSON; None if all can."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        return f"cannot be stored as JSON ({error}); use plain values"
    if _UNSTORABLE_IN_JSON.search(text):
        return "cannot hold a NUL or half a character, which no database stores; remove it"
    return None
