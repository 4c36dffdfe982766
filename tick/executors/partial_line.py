"""Collects a line that is being written, and shows it as a terminal does. Pure.

A carriage return begins a new state of the line, and only the newest counts, as with a progress
bar. A line that nothing has ended yet is shown at most once a second.
"""

import codecs
import re

from tick.executors.bounds import MAX_MESSAGE, cut

SHOW_SECONDS = 1.0
# A log has no cursor to be moved, as several bars at once do.
_CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-HJKSTfhlsu]")


class PartialLine:
    """Turns text into texts to be logged. Its instants are `time.monotonic` seconds.

    A line that is too long keeps its head and its tail, or comes in pieces if `in_pieces`.
    """

    def __init__(self, *, in_pieces: bool = False) -> None:
        self._in_pieces = in_pieces
        self._since: float | None = None  # when the line began, or was last shown
        self._begin()

    def write(self, text: str, now: float) -> list[str]:
        """Add text; return the lines that it ends, and states that are due."""
        *ended, rest = text.split("\n")
        logged: list[str] = []
        for part in ended:
            logged += [*self._extend(part), *self.end()]
        logged += self._extend(rest)
        if self._since is None:
            self._since = now
        return logged + self.due(now) if self._moves else logged

    def due(self, now: float) -> list[str]:
        """Return the line, if nothing has ended it for a second."""
        waited = self._since is not None and now >= self._since + SHOW_SECONDS
        return self._show(now) if waited else []

    def flush(self, now: float) -> list[str]:
        """Return the line at once if nothing of it was shown before, else if it is due."""
        return self.due(now) if self._shown else self._show(now)

    def end(self) -> list[str]:
        """End the line; return it, or what has come since it was shown."""
        unseen = self._unseen()
        # An empty line is one as well, unless it only ends a line that was shown whole.
        is_blank = not self._visible and not self._shown
        self._begin()
        return unseen or ([""] if is_blank else [])

    @property
    def _visible(self) -> str:
        text = self._head
        if self._length > len(text):
            text = cut(text + self._tail, MAX_MESSAGE, self._length)
        if "\x1b" in text:
            text = _CURSOR.sub("", text)
        # A bar that clears itself leaves blanks: the state before them says more.
        return text if text.strip() else self._newest or text

    def _begin(self) -> None:
        self._newest, self._shown, self._moves = "", "", False
        self._since = None
        self._clear()

    def _clear(self) -> None:
        self._head, self._tail, self._length = "", "", 0

    def _extend(self, text: str) -> list[str]:
        if "\r" not in text:
            return self._add(text)
        *states, rest = text.split("\r")
        pieces: list[str] = []
        for state in states:
            pieces += self._add(state)
            self._newest = self._visible
            self._clear()
        self._moves = True
        return pieces + self._add(rest)

    def _add(self, text: str) -> list[str]:
        pieces: list[str] = []
        while self._in_pieces and len(self._head) + len(text) >= MAX_MESSAGE:
            room = MAX_MESSAGE - len(self._head)
            self._head, text = self._head + text[:room], text[room:]
            pieces += self._unseen()
            self._shown = ""
            self._clear()
        room = MAX_MESSAGE - len(self._head)
        self._head += text[:room]
        self._tail = (self._tail + text[room:])[-MAX_MESSAGE:]
        self._length += len(text)
        return pieces

    def _show(self, now: float) -> list[str]:
        unseen = self._unseen()
        if unseen:
            self._shown, self._since = self._visible, now
        return unseen

    def _unseen(self) -> list[str]:
        visible = self._visible
        if visible == self._shown:
            return []
        return [visible.removeprefix(self._shown)] if visible else []


class LineBuffer:
    """Turns bytes into lines. A line that is too long comes in pieces."""

    def __init__(self) -> None:
        # A character may arrive in two chunks, and a program may write what is no UTF-8 at all.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = PartialLine(in_pieces=True)
        self._has_begun = False

    def feed(self, chunk: bytes, now: float) -> list[str]:
        """Return the lines that the bytes complete, and states of the last one that are due."""
        if chunk:
            self._has_begun = not chunk.endswith(b"\n")
        return self._line.write(self._decoder.decode(chunk), now)

    def due(self, now: float) -> list[str]:
        """Return the last line, if nothing has ended it for a second."""
        return self._line.due(now)

    def end(self) -> list[str]:
        """Return the last line, if nothing ended it."""
        rest = self._line.write(self._decoder.decode(b"", final=True), 0)
        self._decoder.reset()
        has_begun, self._has_begun = self._has_begun, False
        return [*rest, *(text for text in self._line.end() if text)] if has_begun else rest
