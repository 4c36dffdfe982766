"""Turns the logging, warnings and prints of a job into lines of its log, in order.

Output outside of any run goes where it would have gone.
"""

import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from time import monotonic
from typing import TextIO

from tick.executors.bounds import MAX_MESSAGE, MAX_NAME, clean, cut
from tick.executors.context import RunChannel, current_channel, level_of
from tick.executors.log_lines import Line
from tick.executors.partial_line import PartialLine
from tick.forks import register_after_fork
from tick.states import LogLevel

Clock = Callable[[], datetime]


class Capture:
    """Hands every line that is logged, warned or printed to the current run.

    `clock` gives the instant of a printed line; a log record brings its own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._handler = _Handler()
        # What the process had disabled stays so; what a job disables would silence the next one.
        self._disabled_up_to = logging.root.manager.disable
        self._disabled_loggers = _disabled_loggers()
        self._install()

    def reinstall(self) -> None:
        """Install again if a job replaced something, such as the root logger's handlers."""
        if self._current_state() != self._installed_state:
            self.close()
            self._install()

    def close(self) -> None:
        """Put the handlers and streams back that were there before."""
        self.end_all_lines()
        root = logging.getLogger()
        logging.captureWarnings(False)
        root.setLevel(self._level)
        root.removeHandler(self._handler)
        for other in self._others:
            other.removeFilter(_is_outside_run)
        sys.stdout, sys.stderr = self._real

    def show_partial_lines(self) -> None:
        """Log printed lines that were begun a second ago and have not ended; from any thread."""
        for stream in self._printed:
            stream.show()

    def end_lines(self) -> None:
        """Log the unfinished lines of the calling thread."""
        for stream in self._printed:
            stream.end_line(threading.get_ident())

    def end_all_lines(self) -> None:
        """Log the unfinished lines of all threads."""
        for stream in self._printed:
            stream.end_all()

    def _install(self) -> None:
        root = logging.getLogger()
        self._level, self._others = root.level, list(root.handlers)
        self._real = sys.stdout, sys.stderr
        self._printed = [_CapturedStream(stream, self._clock) for stream in self._real]
        for other in self._others:
            other.addFilter(_is_outside_run)
        root.addHandler(self._handler)
        # Without a level (0) the root would let every record through, down to debug.
        root.setLevel(min(self._level, logging.INFO) if self._level else logging.INFO)
        logging.disable(self._disabled_up_to)
        for logger in _disabled_loggers() - self._disabled_loggers:
            logger.disabled = False
        logging.captureWarnings(True)
        sys.stdout, sys.stderr = self._printed
        self._installed_state = self._current_state()

    def _current_state(self) -> tuple[object, ...]:
        root = logging.getLogger()
        disabled = root.manager.disable, _disabled_loggers()
        streams = sys.stdout, sys.stderr
        return (*disabled, root.level, *root.handlers, warnings.showwarning, *streams)


def _disabled_loggers() -> set[logging.Logger]:
    # `logging.config` disables all that there are, if not told otherwise.
    loggers = list(logging.root.manager.loggerDict.values())
    return {each for each in loggers if isinstance(each, logging.Logger) and each.disabled}


def _is_outside_run(_record: logging.LogRecord) -> bool:
    # The log of a run has its output; the worker's log need not repeat it.
    return current_channel() is None


def _handle_outside_run(record: logging.LogRecord) -> None:
    # Where ours is the only handler, logging has not used its last resort.
    last = logging.lastResort
    if last and record.levelno >= last.level and len(logging.getLogger().handlers) == 1:
        last.handle(record)


class _Handler(logging.Handler):
    """Turns log records into lines, with their tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        if (channel := current_channel()) is None:
            _handle_outside_run(record)
            return
        try:
            message = cut(self.format(record), MAX_MESSAGE)
        except Exception as error:  # the arguments are the user's
            message = f"{record.msg!r} could not be formatted: {error}"
        at = datetime.fromtimestamp(record.created, UTC)
        name = cut(record.name, MAX_NAME)
        channel.line(Line(at, level_of(record.levelno), message, name))


class _PrintedLine:
    """Collects what one thread prints until a line is complete."""

    def __init__(self, channel: RunChannel, clock: Clock) -> None:
        self.channel, self._clock = channel, clock
        self.line = PartialLine()

    def log(self, texts: Iterable[str]) -> None:
        """Log the texts that are not empty."""
        for text in texts:
            if text:
                self.channel.line(Line(self._clock(), LogLevel.INFO, clean(text)))


class _CapturedStream(io.TextIOBase):
    """A text stream whose lines go to the log; its buffer and descriptor are the real ones."""

    def __init__(self, real: TextIO, clock: Clock) -> None:
        self._real, self._clock = real, clock
        # Reentrant: a signal handler of the job may print while this thread does.
        self._lock = threading.RLock()
        # By thread, so that the output of two threads does not mix.
        self._open_lines: dict[int, _PrintedLine] = {}
        self._is_copy = False
        register_after_fork(self._after_fork)

    @property
    def buffer(self) -> object:
        """The real stream's buffer, to which bytes are written."""
        return self._real.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The real stream's encoding."""
        return self._real.encoding

    def fileno(self) -> int:
        """Return the real stream's descriptor, for processes that a job starts."""
        return self._real.fileno()

    def writable(self) -> bool:
        """Return True."""
        return True

    def reconfigure(self, **_: object) -> None:
        """Change nothing: lines go to the log as they are."""

    def flush(self) -> None:
        """Log the unfinished line; in a forked copy, which may end at any moment, end it."""
        with self._lock:
            if self._is_copy:
                self.end_all()
            elif printed := self._open_lines.get(threading.get_ident()):
                printed.log(printed.line.flush(monotonic()))
        self._real.flush()

    def show(self) -> None:
        """Log every line that was begun a second ago and has not ended."""
        with self._lock:
            for printed in self._open_lines.values():
                printed.log(printed.line.due(monotonic()))

    def write(self, text: str) -> int:
        """Add text; a line goes to the log when it ends."""
        if (channel := current_channel()) is None:
            return self._real.write(text)
        with self._lock:
            printed = self._line_of(channel)
            printed.log(printed.line.write(text, monotonic()))
        return len(text)

    def _after_fork(self) -> None:
        # The process that began a line before the fork logs it.
        self._lock, self._open_lines, self._is_copy = threading.RLock(), {}, True

    def _line_of(self, channel: RunChannel) -> _PrintedLine:
        """Return the line of the calling thread; a new one for a run other than the last."""
        thread = threading.get_ident()
        line = self._open_lines.get(thread)
        if line is None or line.channel is not channel:
            self.end_line(thread)
            line = self._open_lines[thread] = _PrintedLine(channel, self._clock)
        return line

    def end_line(self, thread: int) -> None:
        """Log the unfinished line of a thread, if there is one."""
        with self._lock:
            if printed := self._open_lines.pop(thread, None):
                printed.log(printed.line.end())

    def end_all(self) -> None:
        """Log every unfinished line."""
        for thread in list(self._open_lines):
            self.end_line(thread)
