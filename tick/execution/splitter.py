"""What a program writes, as lines of text. Pure."""

LONGEST_LINE_BYTES = 8 * 1024


class Splitter:
    """Bytes in, lines out. A line that is too long comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that the bytes complete."""
        *ended, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) >= LONGEST_LINE_BYTES:
            ended.append(self._rest)
            self._rest = b""
        return [piece for line in ended for piece in _pieces(line)]

    def end(self) -> list[str]:
        """The last line, if nothing ended it."""
        return self.feed(b"\n") if self._rest else []


def _pieces(line: bytes) -> list[str]:
    starts = range(0, len(line) or 1, LONGEST_LINE_BYTES)
    cut = (line[start : start + LONGEST_LINE_BYTES] for start in starts)
    return [piece.decode(errors="replace").rstrip("\r") for piece in cut]
