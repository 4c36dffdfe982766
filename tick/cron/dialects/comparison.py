"""Answers a line of JSON that asks for one engine beside our rule, as a dictionary. Pure."""

import json
from datetime import UTC, datetime
from typing import Any

from tick.cron import timetable
from tick.cron.dialects.engines import dialect
from tick.errors import InvalidCron

COUNT = 10
MOST_CHARACTERS = 8192
_KEYS = ("engine", "expr", "zone", "after")
_SHAPE = '{"engine": "cronie", "expr": "0 2 * * *", "zone": "UTC", "after": "2026-03-28T12:00:00Z"}'


def compare_line(line: bytes | str) -> dict[str, Any]:
    """Return the engine's next ten instants beside ours, or an `error` that says what to mend.

    `next` and `ours` are lists of texts in UTC, such as 2026-03-29T01:00:00Z; `ours` is None, with
    the reason in `why`, where we refuse the expression. `differs` compares the two.
    """
    try:
        return _compare(*_read(line))
    except InvalidCron as error:
        return {"error": str(error)}


def _read(line: bytes | str) -> tuple[str, str, str, datetime]:
    if len(line) > MOST_CHARACTERS:
        raise InvalidCron(f"the line is longer than {MOST_CHARACTERS} characters: split it up")
    try:
        value = json.loads(line)
    # Text that nests too deep raises the last one.
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidCron(f"the line is no JSON object: write for example {_SHAPE}")
    texts = [value.get(key) for key in _KEYS]
    for key, text in zip(_KEYS, texts, strict=True):
        if not isinstance(text, str):
            raise InvalidCron(f"{key!r} is missing or no text: write for example {_SHAPE}")
    engine, expression, zone, after = map(str, texts)
    return engine, expression, zone, _instant(after)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidCron(
            "'after' is no instant: write it in UTC, such as 2026-03-28T12:00:00Z"
        ) from None


def _compare(engine: str, expression: str, zone: str, after: datetime) -> dict[str, Any]:
    asked = dialect(engine)
    theirs = _texts(asked.next_times(expression, zone, after, COUNT))
    found: dict[str, Any] = {"next": theirs, "ours": None}
    try:
        found["ours"] = _texts(timetable.next_times(expression, zone, after, COUNT))
    except InvalidCron as error:
        found["why"] = str(error)
    found["differs"] = theirs != found["ours"]
    drawn = asked.random(expression)
    if drawn is not None:
        # `next` shows the earliest draw.
        found |= {"random": True, "range": drawn}
    return found


def _texts(instants: list[datetime]) -> list[str]:
    return [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in instants]
