"""What a worker and its child processes say to each other."""

import pytest

from tick.executors.protocol import MAX_MESSAGE_BYTES, BadMessage, Unpacker, pack


@pytest.mark.parametrize("text", ["Ångström", "half a character: \ud800", "a NUL: \0", "😀"])
def test_every_text_arrives_as_it_was_sent(text: str) -> None:
    unpacker = Unpacker()
    packed = pack({"text": text})
    assert list(unpacker.feed(packed[:7])) == []
    assert list(unpacker.feed(packed[7:])) == [{"text": text}]


def test_a_message_longer_than_any_is_refused_before_it_is_kept() -> None:
    length = (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big")
    with pytest.raises(BadMessage, match="at most 16,777,216"):
        list(Unpacker().feed(length))
