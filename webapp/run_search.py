"""Reads a search for runs: a line of qualifiers and words, or the fields of the form.

`status:failed job:match-scores since:24h timeout` means the same as these fields filled in. Pure.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from tick.errors import InvalidFilter
from tick.ops.queries.nearest import choose_from, did_you_mean
from tick.ops.queries.runs import RunFilter
from tick.states import RunStatus, Trigger
from tick.utc import utc

MAX_LINE = 300
MAX_WORD = 100
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART = re.compile(r'(?:([A-Za-z]+):)?(?:"([^"]+)"|([^\s"]+))')
_LENGTH = re.compile(r"([1-9][0-9]{0,4})([mhdw])\Z")


def read_search(line: str, fields: Mapping[str, str], *, now: datetime, zone: tzinfo) -> RunFilter:
    """Return the filter that a line and the form's fields ask for; the line wins over a field.

    Raises InvalidFilter with every mistake.
    """
    qualifiers, words = _split(line[:MAX_LINE])
    wanted = {name: value.strip() for name, value in fields.items() if value.strip()} | qualifiers
    found: dict[str, Any] = {}
    mistakes = []
    for name, value in wanted.items():
        if name not in _READERS:
            guess = did_you_mean(name, _READERS)
            known = ", ".join(_READERS)
            mistakes.append(f"There is no {name}: to search by; {guess}use {known}.")
            continue
        try:
            found[name] = _READERS[name](_bounded(value), now, zone)
        except ValueError as error:
            mistakes.append(f"{name}:{value[:MAX_WORD]} is not understood; {error}.")
    text = " ".join(words)
    # A line that was cut at MAX_LINE is a mistake too, however few of its words are left.
    if max(len(text), len(line) - MAX_LINE + MAX_WORD) > MAX_WORD:
        mistakes.append(f"The words to look for are too long; write at most {MAX_WORD} characters.")
    if mistakes:
        # Half a search is another search: it would list, and bulk actions touch, other runs.
        raise InvalidFilter(mistakes)
    return RunFilter(**found, text=text or None)


def _bounded(value: str) -> str:
    if len(value) > MAX_WORD:
        raise ValueError(f"it has at most {MAX_WORD} characters")
    return value


def _split(line: str) -> tuple[dict[str, str], list[str]]:
    """Return the qualifiers and the other words; quotes hold words together."""
    qualifiers: dict[str, str] = {}
    words: list[str] = []
    for name, quoted, plain in _PART.findall(line):
        if name:
            qualifiers[name.lower()] = quoted or plain
        else:
            words.append(quoted or plain)
    return qualifiers, words


def _as_given(value: str, _now: datetime, _zone: tzinfo) -> str:
    return value


def _one_of(states: type[StrEnum]) -> Callable[[str, datetime, tzinfo], StrEnum]:
    def read(value: str, _now: datetime, _zone: tzinfo) -> StrEnum:
        if value.upper() not in list(states):
            raise ValueError(choose_from(value, [state.lower() for state in states]))
        return states(value.upper())

    return read


def read_instant(value: str, now: datetime, zone: tzinfo) -> datetime:
    """Return the instant that `24h` (ago), a date or an instant in the reader's zone stands for.

    Raises ValueError saying what to write.
    """
    try:
        if length := _LENGTH.match(value):
            instant: datetime = utc(now) - timedelta(**{_UNITS[length[2]]: int(length[1])})
        else:
            instant = datetime.fromisoformat(value)
        return utc(instant if instant.tzinfo else instant.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise ValueError("write 30m, 24h, 7d, 2026-11-23 or 2026-11-23T14:00") from None


# Named as the fields of RunFilter, of the form and of the API's query are.
_READERS: dict[str, Callable[[str, datetime, tzinfo], Any]] = {
    "status": _one_of(RunStatus),
    "trigger": _one_of(Trigger),
    "job": _as_given,
    "group": _as_given,
    "schedule": _as_given,
    "worker": _as_given,
    "since": read_instant,
    "until": read_instant,
}
FIELDS = tuple(_READERS)
