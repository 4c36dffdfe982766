"""A line of a job's log, and how many of them one attempt may leave. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from tick.states import LogLevel

HEAD_LINES, TAIL_LINES = 8_000, 2_000
HEAD_CHARACTERS, TAIL_CHARACTERS = 768 * 1024, 256 * 1024


@dataclass(frozen=True)
class Line:
    """What a run logged at one instant. `logger` is the name of the logger, if there was one."""

    at: datetime
    level: LogLevel
    message: str
    logger: str | None = None

    def to_json(self) -> list[Any]:
        """Plain JSON values, as they travel from a child process."""
        return [self.at.timestamp(), self.level, self.message, self.logger]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Self:
        """The inverse of `to_json`."""
        at, level, message, logger = values
        return cls(datetime.fromtimestamp(at, UTC), LogLevel(level), message, logger)


class Window:
    """The newest lines up to a number and a size; older ones fall out and are counted."""

    def __init__(self, lines: int, characters: int) -> None:
        self._most_lines, self._most_characters = lines, characters
        self._lines: deque[Line] = deque()
        self._characters = 0
        self._fallen = 0

    def __bool__(self) -> bool:
        return bool(self._lines)

    def push(self, line: Line) -> None:
        """Add the newest line."""
        self._lines.append(line)
        self._characters += len(line.message)
        while len(self._lines) > self._most_lines or self._characters > self._most_characters:
            self._characters -= len(self._lines.popleft().message)
            self._fallen += 1

    def empty(self) -> tuple[list[Line], int]:
        """Take everything out: the lines, and how many fell out before them."""
        taken, fallen = list(self._lines), self._fallen
        self._lines.clear()
        self._characters = self._fallen = 0
        return taken, fallen


class Shortener:
    """Lets the head of what one attempt logs through, and keeps its tail for the end."""

    def __init__(self) -> None:
        self._lines = 0
        self._characters = 0
        self._lost = 0
        self._tail = Window(TAIL_LINES, TAIL_CHARACTERS)

    def head(self, lines: Iterable[Line], lost: int = 0) -> list[Line]:
        """The lines that are to be written at once.

        `lost` lines fell out of some window on their way here.
        """
        self._lost += lost
        head = []
        for line in lines:
            if self._fits(line):
                head.append(line)
            else:
                self._tail.push(line)
        return head

    def tail(self) -> list[Line]:
        """The rest, when the attempt has ended: how many were cut, then the last ones."""
        tail, fallen = self._tail.empty()
        cut = self._lost + fallen
        if not cut or not tail:
            return tail
        plural = "" if cut == 1 else "s"
        return [Line(tail[0].at, LogLevel.WARNING, f"{cut:,} line{plural} cut"), *tail]

    def _fits(self, line: Line) -> bool:
        self._lines += 1
        self._characters += len(line.message)
        return self._lines <= HEAD_LINES and self._characters <= HEAD_CHARACTERS
