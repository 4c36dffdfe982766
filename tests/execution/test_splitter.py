"""What a program writes becomes lines, even if it never ends one."""

from tick.execution.splitter import LONGEST_LINE_BYTES, Splitter


def test_a_line_that_does_not_end_is_not_kept_until_it_does() -> None:
    splitter = Splitter()
    assert splitter.feed(b"x" * LONGEST_LINE_BYTES) == ["x" * LONGEST_LINE_BYTES]
    assert splitter.end() == []
