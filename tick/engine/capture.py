"""While a job runs, its logging, warnings and prints become lines of its log, in order."""

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from typing import TextIO

from tick.engine.bounds import MAX_MESSAGE, MAX_NAME, clean, cut
from tick.engine.context import level_of
from tick.engine.lines import Line
from tick.states import LogLevel

Take = Callable[[Line], None]


@contextmanager
def captured(take: Take, clock: Callable[[], datetime]) -> Iterator[None]:
    """Hand every line that is logged, warned or printed inside the block to `take`.

    `clock` gives the instant of a printed line; a log record brings its own.
    """
    root = logging.getLogger()
    handler, level = _Handler(take), root.level
    printed = [_Printed(sys.stdout, take, clock), _Printed(sys.stderr, take, clock)]
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO) if level else logging.INFO)
    logging.captureWarnings(True)
    try:
        with redirect_stdout(printed[0]), redirect_stderr(printed[1]):
            yield
    finally:
        for stream in printed:
            stream.end_line()
        logging.captureWarnings(False)
        root.setLevel(level)
        root.removeHandler(handler)


class _Handler(logging.Handler):
    """Log records as lines; the traceback that a record carries stays with it."""

    def __init__(self, take: Take) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = cut(self.format(record), MAX_MESSAGE)
        except Exception as error:  # the arguments are the user's
            message = f"{record.msg!r} could not be formatted: {error}"
        at = datetime.fromtimestamp(record.created, UTC)
        name = cut(record.name, MAX_NAME)
        self._take(Line(at, level_of(record.levelno), message, name))


class _Printed(io.TextIOBase):
    """A text stream whose lines go to the log; what is below it stays the real one's."""

    def __init__(self, real: TextIO, take: Take, clock: Callable[[], datetime]) -> None:
        self._real, self._take, self._clock = real, take, clock
        self._lock = threading.RLock()
        self._line = ""
        self._beyond = 0

    @property
    def buffer(self) -> object:
        """Where bytes are written: the real stream's buffer."""
        return self._real.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The real stream's encoding."""
        return self._real.encoding

    def fileno(self) -> int:
        """The real stream's, for processes that a job starts."""
        return self._real.fileno()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Take text; a line goes to the log when it ends."""
        with self._lock:
            *ended, rest = text.split("\n")
            for part in ended:
                self._extend(part)
                self.end_line()
            self._extend(rest)
        return len(text)

    def end_line(self) -> None:
        """End the line that is being written, if there is one."""
        with self._lock:
            line, beyond = self._line.rstrip("\r"), self._beyond
            self._line, self._beyond = "", 0
            if beyond:
                line += f" … {beyond:,} characters cut"
            if line:
                self._take(Line(self._clock(), LogLevel.INFO, clean(line)))

    def _extend(self, text: str) -> None:
        room = MAX_MESSAGE - len(self._line)
        self._line += text[:room]
        self._beyond += max(0, len(text) - room)
