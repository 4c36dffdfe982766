"""What a reader finds: entries with their work, their timing and what is to be said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tick.define.steps import Step
from tick.errors import TickError


class ImportRefused(TickError):
    """A file can't be read as what it is said to be; the message says what to do."""


class Kind(StrEnum):
    """What became of a thing that stood there."""

    CARRIED = "carried"
    CHANGED = "changed"
    LOST = "cannot be"
    DEAD = "never ran"


@dataclass(frozen=True, slots=True)
class Note:
    """A thing that stood there, what became of it, and what to do instead."""

    kind: Kind
    text: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to start; with `shell`, `argv` is one text."""

    argv: str | tuple[str, ...]
    shell: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to send."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Stub:
    """Work that has to be filled in: a task, a bean or an image, in words."""

    what: str


Work = Program | Request | Stub


@dataclass(frozen=True, slots=True)
class Timing:
    """When it fires there: an expression of an engine in a zone, a length, a step or an instant."""

    zone: str = "UTC"
    engine: str | None = None
    expression: str = ""
    every: timedelta | Step | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is scheduled there.

    `options` are those of our `Schedule`, `policy` those of the job, both as they are written by
    hand. Without `timing` no schedule is written.
    """

    line: int
    text: str
    name: str
    work: Work | None
    timing: Timing | None
    options: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The entries of a source, and what is to be said of the whole of it."""

    entries: Sequence[Entry]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file's name and text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the files don't say: the zone of the machine there, and whether lines name a user."""

    zone: str | None = None
    system: bool = False
