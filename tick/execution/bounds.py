"""What a job may leave in the database is bounded, and what was cut is shown."""

import json
from typing import Any

MAX_RESULT = 256 * 1024
MAX_MESSAGE = 8 * 1024
MAX_TRACEBACK = 64 * 1024
MAX_NAME = 200
_NOTICE = 40


def clean(text: str) -> str:
    """The text without what a database refuses: NUL characters and lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def cut(text: str, most: int) -> str:
    """The cleaned text in at most `most` characters: its head, what is missing, its tail."""
    if len(text) <= most:
        return clean(text)
    half = (most - _NOTICE) // 2
    missing = len(text) - 2 * half
    return clean(f"{text[:half]} … {missing:,} characters cut … {text[-half:]}")


def bounded_json(value: Any) -> str:
    """A job's return value as JSON text of at most about MAX_RESULT characters.

    What JSON does not know is written as text, and half a character as a question mark. A value
    that is too large, or that has no JSON at all (a cycle, a NaN), gives an object that says so
    and holds the beginning of it.
    """
    try:
        text = clean(json.dumps(value, default=str, allow_nan=False, ensure_ascii=False))
    except Exception as error:  # a cycle, a NaN, or what the value's own class raised
        return _stand_in(f"not JSON: {error}", _safe_repr(value))
    if len(text) > MAX_RESULT:
        return _stand_in(f"too large: {len(text):,} characters, of {MAX_RESULT:,} allowed", text)
    return text


def _stand_in(why: str, text: str) -> str:
    return json.dumps({"cut": why, "head": clean(text[: MAX_RESULT // 16])})


def _safe_repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # its class is the user's
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
