"""Lines of a job's log, and bounds on those that one attempt leaves. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from operator import itemgetter
from typing import Any, Self

from tick.states import LogLevel
from tick.text import counted

LOG_LINES = 10_000  # that one attempt may leave, if nothing else is set
# Lines of these levels have room of their own when the others are cut.
IMPORTANT = frozenset((LogLevel.WARNING, LogLevel.ERROR, LogLevel.MILESTONE))


@dataclass(frozen=True)
class LogLimit:
    """A number of lines, and of characters in all of them."""

    lines: int
    characters: int

    def takes(self, lines: int, characters: int) -> bool:
        """Return whether they fit."""
        return lines <= self.lines and characters <= self.characters


def head_and_tail(lines: int) -> tuple[LogLimit, LogLimit]:
    """Return the limits of the first four fifths of an attempt's `lines`, and of the last fifth."""
    # Characters for lines of about a hundred.
    head = LogLimit(lines - lines // 5, lines * 3 // 40 * 1024)
    return head, LogLimit(lines // 5, lines // 40 * 1024)


HEAD, TAIL = head_and_tail(LOG_LINES)
NO_LINES = LogLimit(0, 0)


@dataclass(frozen=True)
class Line:
    """A line that a run logged. `logger` is the name of the logger, if there was one."""

    at: datetime
    level: LogLevel
    message: str
    logger: str | None = None
    stands_for: int = 0  # lines that were cut in its place

    def to_json(self) -> list[Any]:
        """Return plain JSON values, as they travel from a child process."""
        return [self.at.timestamp(), self.level, self.message, self.logger]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Self:
        """Return the line that `to_json` was called on."""
        at, level, message, logger = values
        return cls(datetime.fromtimestamp(at, UTC), LogLevel(level), message, logger)


class BoundedLines:
    """Holds the newest lines up to a number and a size; older ones fall out and are counted."""

    def __init__(self, room: LogLimit, for_important: LogLimit = NO_LINES) -> None:
        self._room, self._for_important = room, for_important
        self._clear()

    def __bool__(self) -> bool:
        return bool(self._lines or self._important)

    def push(self, line: Line) -> None:
        """Add the newest line."""
        self._pushed += 1
        # Important lines have room of their own; beyond it they are lines like others.
        if line.level in IMPORTANT and self._takes_important(line):
            self._important.append((self._pushed, line))
            return
        self._lines.append((self._pushed, line))
        self._characters += len(line.message)
        while not self._room.takes(len(self._lines), self._characters):
            self._characters -= len(self._lines.popleft()[1].message)
            self._dropped += 1

    def drain(self) -> tuple[list[Line], int]:
        """Take out and return the lines in order, and how many fell out among them."""
        in_order = merge(self._lines, self._important, key=itemgetter(0))
        taken, dropped = [line for _, line in in_order], self._dropped
        self._clear()
        return taken, dropped

    def _clear(self) -> None:
        self._lines: deque[tuple[int, Line]] = deque()
        self._important: list[tuple[int, Line]] = []
        self._takes_important = _Quota(self._for_important).takes
        self._characters = self._pushed = self._dropped = 0


class LogTruncator:
    """Lets the head of an attempt's log through, and keeps its tail for the end.

    Beyond the head, as many important lines are let through as the tail has.
    """

    def __init__(self, lines: int = LOG_LINES) -> None:
        head, tail = head_and_tail(lines)
        self._head, self._important, self._tail = _Quota(head), _Quota(tail), BoundedLines(tail)
        self._lost = 0
        self._newest: datetime | None = None

    def head(self, lines: Iterable[Line], lost: int = 0) -> list[Line]:
        """Return the lines that are to be written at once; `lost` others fell out on their way."""
        self._lost += lost
        head = []
        for line in lines:
            if self._head.takes(line) or (line.level in IMPORTANT and self._important.takes(line)):
                head.append(line)
            else:
                self._tail.push(line)
            self._newest = line.at
        return head

    def tail(self) -> list[Line]:
        """Return the rest, when the attempt has ended: how many were cut, then the last ones."""
        tail, dropped = self._tail.drain()
        cut = self._lost + dropped
        if not cut or self._newest is None:
            return tail
        at, text = tail[0].at if tail else self._newest, f"{counted(cut, 'line')} cut"
        return [Line(at, LogLevel.WARNING, text, stands_for=cut), *tail]


class _Quota:
    """Room that fills up."""

    def __init__(self, room: LogLimit) -> None:
        self._room = room
        self._lines = self._characters = 0

    def takes(self, line: Line) -> bool:
        """Take room for the line; return whether there was enough."""
        self._lines += 1
        self._characters += len(line.message)
        return self._room.takes(self._lines, self._characters)
