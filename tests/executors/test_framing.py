"""What many processes write to one pipe comes out whole, whatever it is mixed with."""

import random
from select import PIPE_BUF

import pytest

from tick.executors.protocol import FrameParser, Message, to_frames


def message(writer: int, size: int) -> Message:
    return {"claim": [writer, 1], "lines": [[0.0, "info", "\n\x1eä" + "x" * size, None]]}


@pytest.mark.parametrize("chunk", [1, 7, 100, 65536])
def test_pieces_of_several_writers_are_put_together_however_they_arrive(chunk: int) -> None:
    chance = random.Random(chunk)
    waiting = {n: to_frames(n, message(n, 3000 * n)) for n in range(1, 5)}
    stream, expected = b"begun, ", b"begun, "
    while waiting:
        writer = chance.choice(list(waiting))
        stream += waiting[writer].pop(0) + b"said\n"
        expected += b"said\n"
        if not waiting[writer]:
            del waiting[writer]
    parser = FrameParser()
    others, messages = b"", []
    for start in range(0, len(stream), chunk):
        other, found = parser.feed(stream[start : start + chunk])
        others, messages = others + other, messages + found
    assert others + parser.end() == expected
    assert sorted(m["claim"][0] for m in messages) == [1, 2, 3, 4]
    assert all(m == message(m["claim"][0], 3000 * m["claim"][0]) for m in messages)


def test_no_piece_is_longer_than_a_pipe_takes_at_once() -> None:
    pieces = to_frames(2**31, message(1, 100_000))
    assert len(pieces) > 20
    assert max(map(len, pieces)) <= PIPE_BUF


def test_an_unfinished_write_of_a_killed_process_spoils_nothing() -> None:
    parser = FrameParser()
    parser.feed(to_frames(1, message(1, 10_000))[0])
    (again,) = parser.feed(b"".join(to_frames(1, message(1, 5_000))))[1]
    assert again == message(1, 5_000)


@pytest.mark.parametrize("text", [b"\x1e", b"\x1e{}\n", b"\x1e1:0:1:no JSON", b"a\x1eb\n", b"\xff"])
def test_what_only_looks_like_a_piece_is_left_as_it_is(text: bytes) -> None:
    parser = FrameParser()
    others, messages = parser.feed(text)
    assert (others + parser.end(), messages) == (text, [])
