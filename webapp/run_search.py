"""What somebody wants to see of the runs: a line of qualifiers and words, or the form's fields.

`status:failed job:match-scores since:24h timeout` means the same as these fields filled in. Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class RunSearch:
    """A filter, and what of the wish could not be understood."""

    understood: RunFilter
    mistakes: tuple[str, ...] = ()

    @property
    def chosen(self) -> RunFilter:
        """The filter to list and to act by. Raises InvalidFilter: half a wish is another wish."""
        if self.mistakes:
            raise InvalidFilter(self.mistakes)
        return self.understood


def read_search(line: str, fields: Mapping[str, str], *, now: datetime, zone: tzinfo) -> RunSearch:
    """The filter for a line and the form's fields; where both say something, the line counts."""
    said, words = _split(line[:MAX_LINE])
    wanted = {name: value.strip() for name, value in fields.items() if value.strip()} | said
    found: dict[str, Any] = {}
    mistakes = []
    for name, value in wanted.items():
        if name not in _QUALIFIERS:
            guess = did_you_mean(name, _QUALIFIERS)
            known = ", ".join(_QUALIFIERS)
            mistakes.append(f"There is no {name}: to search by; {guess}use {known}.")
            continue
        part, read = _QUALIFIERS[name]
        try:
            found[part] = read(_bounded(value), now, zone)
        except ValueError as error:
            mistakes.append(f"{name}:{value[:MAX_WORD]} is not understood; {error}.")
    text = " ".join(words)
    if max(len(text), len(line) - MAX_LINE + MAX_WORD) > MAX_WORD:
        mistakes.append(f"The words to look for are too long; write at most {MAX_WORD} characters.")
    return RunSearch(RunFilter(**found, text=text[:MAX_WORD] or None), tuple(mistakes))


def _bounded(value: str) -> str:
    if len(value) > MAX_WORD:
        raise ValueError(f"it has at most {MAX_WORD} characters")
    return value


def _split(line: str) -> tuple[dict[str, str], list[str]]:
    """The qualifiers, and the other words; quotes hold words together."""
    said: dict[str, str] = {}
    words: list[str] = []
    for name, quoted, plain in _PART.findall(line):
        if name:
            said[name.lower()] = quoted or plain
        else:
            words.append(quoted or plain)
    return said, words


def _as_given(value: str, _now: datetime, _zone: tzinfo) -> str:
    return value


def _one_of(states: type[StrEnum]) -> Callable[[str, datetime, tzinfo], StrEnum]:
    def read(value: str, _now: datetime, _zone: tzinfo) -> StrEnum:
        if value.upper() not in list(states):
            raise ValueError(choose_from(value, [state.lower() for state in states]))
        return states(value.upper())

    return read


def read_instant(value: str, now: datetime, zone: tzinfo) -> datetime:
    """`24h` ago, or a date or an instant in the zone that the person reads instants in.

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


_QUALIFIERS: dict[str, tuple[str, Callable[[str, datetime, tzinfo], Any]]] = {
    "status": ("status", _one_of(RunStatus)),
    "trigger": ("trigger", _one_of(Trigger)),
    "job": ("job_name", _as_given),
    "group": ("job_group", _as_given),
    "schedule": ("schedule_id", _as_given),
    "worker": ("worker_id", _as_given),
    "since": ("since", read_instant),
    "until": ("until", read_instant),
}
FIELDS = tuple(_QUALIFIERS)
