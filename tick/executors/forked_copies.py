"""Carries the output of forks, and of interpreters that `multiprocessing` starts, by a pipe.

They inherit the channels of the process that they are copies of, but must not write into them.
"""

import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from tick.executors.capture import Capture, Clock
from tick.executors.claimed_run import Claim
from tick.executors.context import RunChannel, current_channel, current_run, use_channel
from tick.executors.log_lines import Line
from tick.executors.protocol import FrameParser, Message, to_frames
from tick.forks import register_after_fork

_READ_BYTES = 64 * 1024
_STDOUT = 1


class CopyChannel(RunChannel):
    """Sends each line of a copy at once, because the copy may end at any moment.

    No cancellation comes: a copy is killed together with the process that it was made from.
    """

    def __init__(self, pipe: int, claim: Claim | None) -> None:
        self._pipe, self._claim = pipe, claim
        self._known_as = _identity(pipe)
        self._lock = threading.Lock()

    def line(self, line: Line) -> None:
        """Pass a line of the run's log on."""
        self._send({"lines": [line.to_json()], "lost": 0})

    def progress(self, fraction: float, text: str) -> None:
        """Pass the run's progress on."""
        self._send({"progress": (fraction, text)})

    def _send(self, message: Message) -> None:
        with self._lock:
            for piece in to_frames(os.getpid(), {"claim": self._claim} | message):
                # The copy's code may have closed the pipe, and opened something under its number.
                if _identity(self._pipe) != self._known_as or not _write(self._pipe, piece):
                    break


def send_through(pipe: int) -> None:
    """In a copy: send the output of the current run, of all threads, through the pipe."""
    if current_channel() is not None:
        run = current_run()
        use_channel(CopyChannel(pipe, (run.run_id, run.fencing_token)))


def send_through_stdout(clock: Clock) -> None:
    """In an interpreter that `multiprocessing` started: send everything through its stdout."""
    use_channel(CopyChannel(_STDOUT, None))
    # Nobody else holds it: the logging handler and the streams that it put in place live on.
    Capture(clock)


def _identity(pipe: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(pipe)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _write(pipe: int, piece: bytes) -> bool:
    """Write the piece; return False when nobody reads any longer."""
    with suppress(OSError):
        while True:
            try:
                os.write(pipe, piece)
            except BlockingIOError:  # some program that shares it asked not to wait
                select.select([], [pipe], [])
            else:
                return True
    return False


class CopyPipe:
    """The pipe by which copies of this process send their output; a thread reads it."""

    def __init__(self, take: Callable[[Message], None]) -> None:
        self._take, self._frames = take, FrameParser()
        self._lock = threading.Lock()
        self._closed = False
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        register_after_fork(self._after_fork)
        threading.Thread(target=self._serve, name="copies", daemon=True).start()

    def read_all(self) -> None:
        """Pass on everything that copies have sent up to here."""
        with self._lock, suppress(BlockingIOError):
            while not self._closed and (chunk := os.read(self._reading, _READ_BYTES)):
                for message in self._frames.feed(chunk)[1]:
                    self._take(message)

    def close(self) -> None:
        """Stop reading and close the pipe."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.write(self._writing, b"\n")  # wakes the thread, which alone closes the pipe

    def _serve(self) -> None:
        while not self._closed:
            select.select([self._reading], [], [])
            self.read_all()
        os.close(self._reading)
        os.close(self._writing)

    def _after_fork(self) -> None:
        if not self._closed:
            send_through(self._writing)


def exit_copy(error: BaseException) -> NoReturn:
    """End a copy whose job function was left by this error, as a program ends by it."""
    status = 1
    if isinstance(error, SystemExit) and isinstance(error.code, int | None):
        status = error.code or 0
    else:
        sys.excepthook(type(error), error, error.__traceback__)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status)
