"""What a worker and its child processes say to each other: JSON after its length, on a socket."""

import json
import struct
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
DISCONNECTED_STATUS = 76
"""The exit status of a child that can't be heard any longer: EX_PROTOCOL of sysexits.h."""
_LENGTH = struct.Struct(">I")
_encode = json.JSONEncoder(separators=(",", ":")).encode


class BadMessage(Exception):
    """The other side broke the protocol."""


def pack(message: Message) -> bytes:
    """The message as it travels."""
    body = _encode(message).encode()
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Bytes in, whole messages out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[Message]:
        """The messages that the received bytes complete. Raises BadMessage."""
        whole, start = self._rest + received, 0
        while len(whole) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(whole, start)
            if length > MAX_MESSAGE_BYTES:
                raise BadMessage(f"a message of {length:,} bytes; at most {MAX_MESSAGE_BYTES:,}")
            begin, end = start + _LENGTH.size, start + _LENGTH.size + length
            if len(whole) < end:
                break
            yield json.loads(whole[begin:end].decode())
            start = end
        self._rest = whole[start:]
