"""What every database can store. Pure."""

import json
import re

UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_UNSTORABLE_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")


def why_unstorable(value: object) -> str | None:
    """What keeps a value from being stored as JSON by every database; None if nothing does."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        return f"cannot be stored as JSON ({error}); use plain values"
    if _UNSTORABLE_IN_JSON.search(text):
        return "cannot hold a NUL or half a character, which no database stores; remove it"
    return None
