"""How much of what an attempt logs is kept."""

from datetime import UTC, datetime

from tick.execution.lines import HEAD_CHARACTERS, HEAD_LINES, TAIL_LINES, Line, Shortener
from tick.states import LogLevel

AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def lines(count: int, size: int = 0) -> list[Line]:
    return [Line(AT, LogLevel.INFO, str(number).ljust(size)) for number in range(count)]


def test_few_lines_are_all_written_at_once() -> None:
    shortener = Shortener()
    assert shortener.head(lines(10)) == lines(10)
    assert shortener.tail() == []


def test_lines_beyond_the_head_wait_for_the_end() -> None:
    shortener = Shortener()
    assert len(shortener.head(lines(HEAD_LINES + 5))) == HEAD_LINES
    assert [line.message for line in shortener.tail()] == [
        str(number) for number in range(HEAD_LINES, HEAD_LINES + 5)
    ]


def test_what_falls_out_between_head_and_tail_is_counted() -> None:
    shortener = Shortener()
    shortener.head(lines(HEAD_LINES + TAIL_LINES + 3))
    cut, *tail = shortener.tail()
    assert (cut.message, cut.level) == ("3 lines cut", LogLevel.WARNING)
    assert len(tail) == TAIL_LINES


def test_lines_lost_on_the_way_are_counted_too() -> None:
    shortener = Shortener()
    shortener.head(lines(HEAD_LINES + 1), lost=1)
    assert shortener.tail()[0].message == "1 line cut"


def test_few_but_huge_lines_are_cut_as_well() -> None:
    shortener = Shortener()
    size = HEAD_CHARACTERS // 4
    assert len(shortener.head(lines(100, size))) == 4
    cut, *tail = shortener.tail()
    assert (cut.message, len(tail)) == ("95 lines cut", 1)


def test_a_line_survives_its_way_through_a_socket() -> None:
    line = Line(AT, LogLevel.MILESTONE, "half way", "a.logger")
    assert Line.from_json(line.to_json()) == line
