"""A line of a job's log, and how many of them one attempt may leave. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from operator import itemgetter
from typing import Any, Self

from tick.states import LogLevel
from tick.text import counted

LOG_LINES = 10_000
"""How many lines one attempt may leave, if nothing else is set."""
IMPORTANT = frozenset((LogLevel.WARNING, LogLevel.ERROR, LogLevel.MILESTONE))
"""Lines of these levels have room of their own when the others are cut."""


@dataclass(frozen=True)
class LogLimit:
    """So many lines, with so many characters in all."""

    lines: int
    characters: int

    def takes(self, lines: int, characters: int) -> bool:
        """Whether they fit."""
        return lines <= self.lines and characters <= self.characters


@dataclass(frozen=True)
class Budget:
    """What of one attempt's log is kept: the first four fifths of the lines, and the last fifth.

    Beside them as many important ones from between as the last fifth has lines. The characters
    are those of lines of about a hundred.
    """

    lines: int = LOG_LINES

    @property
    def head(self) -> LogLimit:
        """For the first lines."""
        return LogLimit(self.lines - self.lines // 5, self.lines * 3 // 40 * 1024)

    @property
    def tail(self) -> LogLimit:
        """For the last ones, and for the important ones each."""
        return LogLimit(self.lines // 5, self.lines // 40 * 1024)


HEAD, TAIL = Budget().head, Budget().tail
NO_LINES = LogLimit(0, 0)


@dataclass(frozen=True)
class Line:
    """What a run logged at one instant. `logger` is the name of the logger, if there was one."""

    at: datetime
    level: LogLevel
    message: str
    logger: str | None = None
    stands_for: int = 0
    """How many lines were cut in its place."""

    @property
    def is_important(self) -> bool:
        """Whether it is to be kept rather than others."""
        return self.level in IMPORTANT

    def to_json(self) -> list[Any]:
        """Plain JSON values, as they travel from a child process."""
        return [self.at.timestamp(), self.level, self.message, self.logger]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Self:
        """The inverse of `to_json`."""
        at, level, message, logger = values
        return cls(datetime.fromtimestamp(at, UTC), LogLevel(level), message, logger)


class BoundedLines:
    """The newest lines up to a number and a size; older ones fall out and are counted.

    Important lines have room of their own, if there is some; beyond it they are lines like others.
    """

    def __init__(self, room: LogLimit, for_important: LogLimit = NO_LINES) -> None:
        self._room, self._for_important = room, for_important
        self._clear()

    def __bool__(self) -> bool:
        return bool(self._lines or self._important)

    def push(self, line: Line) -> None:
        """Add the newest line."""
        self._pushed += 1
        size = len(line.message)
        if line.is_important and self._takes_important(line):
            self._important.append((self._pushed, line))
            return
        self._lines.append((self._pushed, line))
        self._characters += size
        while not self._room.takes(len(self._lines), self._characters):
            self._characters -= len(self._lines.popleft()[1].message)
            self._dropped += 1

    def drain(self) -> tuple[list[Line], int]:
        """Take everything out: the lines in order, and how many fell out among them."""
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
    """Lets the head of what one attempt logs through, and keeps its tail for the end.

    Important lines are let through beyond the head as well, as far as their own room goes.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        budget = budget or Budget()
        self._head, self._important = _Quota(budget.head), _Quota(budget.tail)
        self._tail = BoundedLines(budget.tail)
        self._lost = 0
        self._newest: datetime | None = None

    def head(self, lines: Iterable[Line], lost: int = 0) -> list[Line]:
        """The lines that are to be written at once.

        `lost` lines fell out of some window on their way here.
        """
        self._lost += lost
        head = []
        for line in lines:
            if self._head.takes(line) or (line.is_important and self._important.takes(line)):
                head.append(line)
            else:
                self._tail.push(line)
            self._newest = line.at
        return head

    def tail(self) -> list[Line]:
        """The rest, when the attempt has ended: how many were cut, then the last ones."""
        tail, dropped = self._tail.drain()
        cut = self._lost + dropped
        if not cut or self._newest is None:
            return tail
        text = f"{counted(cut, 'line')} cut"
        at = tail[0].at if tail else self._newest
        return [Line(at, LogLevel.WARNING, text, stands_for=cut), *tail]


class _Quota:
    """Room that fills up."""

    def __init__(self, room: LogLimit) -> None:
        self._room = room
        self._lines = self._characters = 0

    def takes(self, line: Line) -> bool:
        """Whether there is room for the line; if there is, it has it."""
        self._lines += 1
        self._characters += len(line.message)
        return self._room.takes(self._lines, self._characters)
