"""How a worker and the processes of its jobs talk: messages on a socket, frames on a pipe. Pure.

A message is JSON after its length. Copies of a job's process share one pipe, so what they send
travels in pieces that the pipe takes whole: none of them mix.
"""

import json
import re
import struct
from collections.abc import Iterator
from select import PIPE_BUF
from typing import Any

Message = dict[str, Any]
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
DISCONNECTED_STATUS = 76  # EX_PROTOCOL of sysexits.h: what a child ends with that nobody can hear
_LENGTH = struct.Struct(">I")
# The function `json.dumps` makes such an encoder anew for each call, as these are not its defaults.
_encode = json.JSONEncoder(separators=(",", ":")).encode
# The record separator, as RFC 7464 puts it before texts: programs hardly ever write one.
_MARK = b"\x1e"
_FRAME = re.compile(rb"\x1e(\d{1,10}):(\d{1,4}):([01]):([^\n\x1e]*)\n")
# POSIX promises that a write of up to PIPE_BUF bytes goes into a pipe in one piece.
_ROOM = PIPE_BUF - len(b"\x1e1234567890:1234:1:\n")


class BadMessage(Exception):
    """The other side broke the protocol."""


def pack(message: Message) -> bytes:
    """Return the message as it travels by the socket."""
    body = _encode(message).encode()
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Takes messages out of the bytes that a socket brings."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[Message]:
        """Yield the messages that the received bytes complete. Raises BadMessage."""
        whole, start = self._rest + received, 0
        while len(whole) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(whole, start)
            # A job that writes into the socket must not have the worker wait for 4 GB of it.
            if length > MAX_MESSAGE_BYTES:
                raise BadMessage(f"a message of {length:,} bytes; at most {MAX_MESSAGE_BYTES:,}")
            begin, end = start + _LENGTH.size, start + _LENGTH.size + length
            if len(whole) < end:
                break
            yield json.loads(whole[begin:end].decode())
            start = end
        self._rest = whole[start:]


def to_frames(writer: int, message: Message) -> list[bytes]:
    """Return the message of the process number `writer` in pieces; each is one `write`."""
    body = _encode(message).encode()
    starts = range(0, len(body), _ROOM)
    return [
        b"%b%d:%d:%d:%b\n"
        % (_MARK, writer, number, start + _ROOM >= len(body), body[start : start + _ROOM])
        for number, start in enumerate(starts)
    ]


class FrameParser:
    """Takes messages out of the bytes that a pipe brings, and leaves the rest as it is."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun: dict[bytes, list[bytes]] = {}

    def feed(self, chunk: bytes) -> tuple[bytes, list[Message]]:
        """Return the bytes beside the frames, and the messages that the frames complete."""
        if not self._rest and _MARK not in chunk:
            return chunk, []
        whole, self._rest = self._rest + chunk, b""
        others, messages, start = [], [], 0
        for piece in _FRAME.finditer(whole):
            others.append(whole[start : piece.start()])
            messages += self._take(*piece.groups())
            start = piece.end()
        # Hold back the beginning of a frame, but no longer than one can be: it may be none.
        begun = whole.find(_MARK, max(start, len(whole) - PIPE_BUF))
        if begun >= 0 and b"\n" not in whole[begun:]:
            whole, self._rest = whole[:begun], whole[begun:]
        return b"".join([*others, whole[start:]]), messages

    def end(self) -> bytes:
        """Return the bytes that looked like the beginning of a frame."""
        rest, self._rest = self._rest, b""
        self._begun.clear()
        return rest

    def _take(self, writer: bytes, number: bytes, last: bytes, body: bytes) -> list[Message]:
        """Return the message that a frame completes, if it completes one."""
        if int(number) == 0:
            self._begun[writer] = []
        pieces = self._begun.get(writer, [])
        # A process that was killed within a message leaves a gap: the rest is no message.
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
