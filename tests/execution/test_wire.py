"""What a worker and its child processes say to each other."""

import pytest

from tick.execution.wire import Unpacker, pack


@pytest.mark.parametrize("text", ["Ångström", "half a character: \ud800", "a NUL: \0", "😀"])
def test_every_text_arrives_as_it_was_sent(text: str) -> None:
    unpacker = Unpacker()
    packed = pack({"text": text})
    assert list(unpacker.feed(packed[:7])) == []
    assert list(unpacker.feed(packed[7:])) == [{"text": text}]
