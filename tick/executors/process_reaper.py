"""A small process that outlives its worker by a moment and kills what the worker's jobs started.

It reads process groups from a pipe; when the pipe closes, the worker is gone, and the groups go.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress


class ProcessReaper:
    """The worker's end of the pipe."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._process = self._start()

    def watch(self, group: int) -> None:
        """Kill this process group, should the worker die."""
        self._groups.add(group)
        self._send(f"+{group}\n")

    def forget(self, group: int) -> None:
        """Stop watching a group that is gone: its number may be used again."""
        self._groups.discard(group)
        self._send(f"-{group}\n")

    def close(self) -> None:
        """End the reaper, which kills every group that it still watches."""
        with suppress(BrokenPipeError):
            self._process.communicate()

    def close_in_copy(self) -> None:
        """In a forked copy: close the pipe, which must end with the worker."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _start(self) -> "subprocess.Popen[bytes]":
        # Its own session: what ends the worker's group must not end the reaper. No site packages:
        # it starts in milliseconds and weighs little.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )

    def _send(self, line: str) -> None:
        try:
            self._write(line)
        except BrokenPipeError:  # somebody killed the reaper
            self.close()
            self._process = self._start()
            self._write("".join(f"+{group}\n" for group in self._groups))

    def _write(self, text: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(text.encode())


def reap(lines: Iterable[str]) -> None:
    """Read the worker's messages to their end, then kill the groups that are left."""
    groups: set[int] = set()
    for line in lines:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    # The kernel kills a worker's children with it, but not what those had started.
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    reap(sys.stdin)
