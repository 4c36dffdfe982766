"""What copies of a process say travels in pieces that a pipe takes whole, so that none mix. Pure.

POSIX promises that for up to PIPE_BUF bytes. Each piece is a line of its own and begins with the
record separator (as the texts of RFC 7464 do), so that it is told apart from what programs write.
"""

import json
import re
from select import PIPE_BUF

from tick.executors.protocol import Message

_MARK = b"\x1e"
_FRAME = re.compile(rb"\x1e(\d{1,10}):(\d{1,4}):([01]):([^\n\x1e]*)\n")
_ROOM = PIPE_BUF - len(b"\x1e1234567890:1234:1:\n")


def to_frames(writer: int, message: Message) -> list[bytes]:
    """The message as the process number `writer` sends it; each piece is one `write`."""
    body = json.dumps(message, separators=(",", ":")).encode()
    starts = range(0, len(body), _ROOM)
    return [
        b"%b%d:%d:%d:%b\n"
        % (_MARK, writer, number, start + _ROOM >= len(body), body[start : start + _ROOM])
        for number, start in enumerate(starts)
    ]


class FrameParser:
    """Takes messages out of what comes from a pipe, and leaves the rest as it is."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun: dict[bytes, list[bytes]] = {}

    def feed(self, chunk: bytes) -> tuple[bytes, list[Message]]:
        """What else there is among the bytes, and the messages that they complete."""
        if not self._rest and _MARK not in chunk:
            return chunk, []
        whole, self._rest = self._rest + chunk, b""
        others, messages, start = [], [], 0
        for piece in _FRAME.finditer(whole):
            others.append(whole[start : piece.start()])
            messages += self._take(*piece.groups())
            start = piece.end()
        begun = whole.find(_MARK, max(start, len(whole) - PIPE_BUF))
        if begun >= 0 and b"\n" not in whole[begun:]:
            whole, self._rest = whole[:begun], whole[begun:]
        return b"".join([*others, whole[start:]]), messages

    def end(self) -> bytes:
        """What looked like the beginning of a piece, and was none."""
        rest, self._rest = self._rest, b""
        self._begun.clear()
        return rest

    def _take(self, writer: bytes, number: bytes, last: bytes, body: bytes) -> list[Message]:
        """The message that a piece completes. Whoever was killed within one never ends it."""
        if int(number) == 0:
            self._begun[writer] = []
        pieces = self._begun.get(writer, [])
        if len(pieces) != int(number):
            return []
        pieces.append(body)
        if last == b"0":
            return []
        del self._begun[writer]
        try:
            message = json.loads(b"".join(pieces))
        except ValueError:  # some program's own records
            return []
        return [message] if isinstance(message, dict) else []
