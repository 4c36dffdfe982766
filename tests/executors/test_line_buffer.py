"""What a program writes becomes lines, even if it never ends one."""

from tick.executors.bounds import MAX_MESSAGE
from tick.executors.line_buffer import LineBuffer


def test_a_line_that_does_not_end_is_not_kept_until_it_does() -> None:
    buffer = LineBuffer()
    assert buffer.feed(b"x" * MAX_MESSAGE, 0) == ["x" * MAX_MESSAGE]
    assert buffer.end() == []
