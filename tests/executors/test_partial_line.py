"""A line that is being written is shown as a terminal shows it."""

from tick.executors.bounds import MAX_MESSAGE
from tick.executors.partial_line import LineBuffer, PartialLine


def test_of_a_progress_bar_the_newest_state_is_shown_at_most_once_a_second() -> None:
    line = PartialLine()
    shown = [line.write(f"\r{percent}%", percent / 10) for percent in range(100)]
    assert [text for texts in shown for text in texts] == [f"{10 * n}%" for n in range(1, 10)]
    assert line.write("\r100%\n", 9.95) == ["100%"]


def test_a_carriage_return_before_the_end_of_a_line_is_part_of_it() -> None:
    assert PartialLine().write("one\r\ntwo\r\n", 0) == ["one", "two"]


def test_a_state_that_only_wipes_the_line_leaves_the_one_before_it() -> None:
    assert PartialLine().write("\r99%\r100%\r    \r\n", 0) == ["100%"]


def test_an_unfinished_line_is_shown_after_a_second_and_then_only_its_rest() -> None:
    line = PartialLine()
    assert line.write("loading ... ", 0) == []
    assert (line.due(0.9), line.due(1.0), line.due(9)) == ([], ["loading ... "], [])
    assert line.write("done\n", 10) == ["done"]


def test_flushed_output_is_shown_at_once_at_most_once_a_second() -> None:
    line = PartialLine()
    shown = []
    for number in range(25):
        shown += [*line.write(".", number / 10), *line.flush(number / 10)]
    assert shown == [".", "." * 10, "." * 10]
    assert line.end() == ["...."]


def test_a_line_that_was_shown_whole_is_not_shown_again_when_it_ends() -> None:
    line = PartialLine()
    assert (line.write("ready", 0), line.flush(0), line.write("\n", 1)) == ([], ["ready"], [])


def test_a_line_that_is_too_long_keeps_its_head_and_its_tail() -> None:
    line = PartialLine()
    for _ in range(3):
        line.write("x" * MAX_MESSAGE, 0)
    (text,) = line.write("the end\n", 0)
    assert len(text) <= MAX_MESSAGE
    assert text.startswith("xxx")
    assert "characters cut" in text
    assert text.endswith("xthe end")


def test_what_a_program_writes_is_shown_likewise() -> None:
    buffer = LineBuffer()
    bars = b"".join(b"\r%d%%" % percent for percent in range(5000))
    assert buffer.feed(b"begun\n" + bars, 0) == ["begun"]
    assert buffer.due(1) == ["4999%"]
    assert buffer.feed("\rcafé"[:-1].encode() + b"\xc3", 1.5) == []
    assert buffer.feed(b"\xa9", 1.6) == []
    assert buffer.end() == ["café"]
    assert buffer.end() == []


def test_progress_bars_that_move_the_cursor_become_plain_lines() -> None:
    bars = LineBuffer()
    shown = []
    for percent in (0, 50, 100):
        for chunk in (f"\rone {percent}%", f"\n\r\x1b[Ktwo {percent}%\x1b[", "1A"):
            shown += bars.feed(chunk.encode(), percent / 1000)
    shown += [*bars.feed(b"\n", 1), *bars.end()]
    assert shown == ["one 0%", "one 50%", "one 100%", "two 100%"]


def test_a_line_without_an_end_comes_in_pieces() -> None:
    buffer = LineBuffer()
    assert buffer.feed(b"x" * MAX_MESSAGE, 0) == ["x" * MAX_MESSAGE]
    assert buffer.end() == []
