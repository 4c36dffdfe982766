"""How copies of a process that runs jobs are heard: by a pipe, not by the channels they inherit.

Copies are forks, and the interpreters that `multiprocessing` starts.
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
from tick.executors.context import current_channel, current_run, use_channel
from tick.executors.framing import FrameParser, to_frames
from tick.executors.log_lines import Line
from tick.executors.protocol import Message
from tick.forks import register_after_fork

_READ_BYTES = 64 * 1024
_STDOUT = 1


class CopyChannel:
    """Says at once what a copy has to say: nobody knows how it will end.

    A pipe that the copy's code closed is not written to, whatever has its number now.
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

    def cancelled(self) -> bool:
        """No: a copy is not told. It is killed with the process that it was made from."""
        return False

    def _send(self, message: Message) -> None:
        with self._lock:
            for piece in to_frames(os.getpid(), {"claim": self._claim} | message):
                if _identity(self._pipe) != self._known_as or not _write(self._pipe, piece):
                    break


def send_through(pipe: int) -> None:
    """In a copy: say what the current run says through the pipe, from every thread."""
    if current_channel() is not None:
        run = current_run()
        use_channel(CopyChannel(pipe, (run.run_id, run.fencing_token)))


def send_through_stdout(clock: Clock) -> None:
    """In an interpreter that `multiprocessing` started: say everything through its output."""
    use_channel(CopyChannel(_STDOUT, None))
    # Held by what it put in place: the logging handler and the standard streams.
    Capture(clock)


def _identity(pipe: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(pipe)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _write(pipe: int, piece: bytes) -> bool:
    """Write the piece; False when nobody reads any longer."""
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
    """A pipe of this process by which its copies are heard; a thread reads it as it fills."""

    def __init__(self, take: Callable[[Message], None]) -> None:
        self._take, self._frames = take, FrameParser()
        self._lock = threading.Lock()
        self._closed = False
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        register_after_fork(self._after_fork)
        threading.Thread(target=self._serve, name="copies", daemon=True).start()

    def read_all(self) -> None:
        """Hand everything on that copies have said up to here."""
        with self._lock, suppress(BlockingIOError):
            while not self._closed and (chunk := os.read(self._reading, _READ_BYTES)):
                for message in self._frames.feed(chunk)[1]:
                    self._take(message)

    def close(self) -> None:
        """Hear no copy any longer."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.write(self._writing, b"\n")

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
    """End a copy that came back to where its job was called: as a program ends by that error."""
    status = 1
    if isinstance(error, SystemExit) and isinstance(error.code, int | None):
        status = error.code or 0
    else:
        sys.excepthook(type(error), error, error.__traceback__)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status)
