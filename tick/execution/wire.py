"""What a worker and its child processes say to each other: JSON after its length, on a socket."""

import json
import struct
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
TICKET = struct.Struct(">qq")
"""The right to begin one claimed run: its id and fencing token."""
_LENGTH = struct.Struct(">I")


class BadMessage(Exception):
    """The other side broke the protocol."""


def pack(message: Message) -> bytes:
    """The message as it travels."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Bytes in, whole messages out."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, received: bytes) -> Iterator[Message]:
        """The messages that the received bytes complete. Raises BadMessage."""
        self._bytes += received
        while len(self._bytes) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes)
            if length > MAX_MESSAGE_BYTES:
                raise BadMessage(f"a message of {length:,} bytes; at most {MAX_MESSAGE_BYTES:,}")
            end = _LENGTH.size + length
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            yield json.loads(body)
