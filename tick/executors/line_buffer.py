"""What a program writes, as lines of text. Pure."""

import codecs

from tick.executors.partial_line import PartialLine


class LineBuffer:
    """Bytes in, lines out. A line that is too long comes in pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = PartialLine(in_pieces=True)
        self._has_begun = False

    def feed(self, chunk: bytes, now: float) -> list[str]:
        """The lines that the bytes complete, and states of the last one that are due."""
        if chunk:
            self._has_begun = not chunk.endswith(b"\n")
        return self._line.write(self._decoder.decode(chunk), now)

    def due(self, now: float) -> list[str]:
        """What nothing has ended for a second."""
        return self._line.due(now)

    def end(self) -> list[str]:
        """The last line, if nothing ended it."""
        rest = self._line.write(self._decoder.decode(b"", final=True), 0)
        self._decoder.reset()
        has_begun, self._has_begun = self._has_begun, False
        return [*rest, *(text for text in self._line.end() if text)] if has_begun else rest
