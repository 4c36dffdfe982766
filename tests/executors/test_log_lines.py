"""How much of what an attempt logs is kept."""

from datetime import UTC, datetime

import pytest

from tick.executors.log_lines import HEAD, TAIL, BoundedLines, Line, LogTruncator, head_and_tail
from tick.states import LogLevel

AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def lines(count: int, size: int = 0) -> list[Line]:
    return [Line(AT, LogLevel.INFO, str(number).ljust(size)) for number in range(count)]


def test_few_lines_are_all_written_at_once() -> None:
    truncator = LogTruncator()
    assert truncator.head(lines(10)) == lines(10)
    assert truncator.tail() == []


def test_lines_beyond_the_head_wait_for_the_end() -> None:
    truncator = LogTruncator()
    assert len(truncator.head(lines(HEAD.lines + 5))) == HEAD.lines
    assert [line.message for line in truncator.tail()] == [
        str(number) for number in range(HEAD.lines, HEAD.lines + 5)
    ]


def test_what_falls_out_between_head_and_tail_is_counted() -> None:
    truncator = LogTruncator()
    truncator.head(lines(HEAD.lines + TAIL.lines + 3))
    cut, *tail = truncator.tail()
    assert (cut.message, cut.level) == ("3 lines cut", LogLevel.WARNING)
    assert len(tail) == TAIL.lines


def test_lines_lost_on_the_way_are_counted_too() -> None:
    truncator = LogTruncator()
    truncator.head(lines(HEAD.lines + 1), lost=1)
    assert truncator.tail()[0].message == "1 line cut"


def test_few_but_huge_lines_are_cut_as_well() -> None:
    truncator = LogTruncator()
    size = HEAD.characters // 4
    assert len(truncator.head(lines(100, size))) == 4
    cut, *tail = truncator.tail()
    assert (cut.message, len(tail)) == ("95 lines cut", 1)


def of_level(level: LogLevel, count: int) -> list[Line]:
    return [Line(AT, level, f"{level} {number}") for number in range(count)]


@pytest.mark.parametrize("level", [LogLevel.WARNING, LogLevel.ERROR, LogLevel.MILESTONE])
def test_important_lines_are_kept_although_others_are_cut(level: LogLevel) -> None:
    truncator = LogTruncator(100)
    important = of_level(level, 20)
    truncator.head(lines(80))
    assert truncator.head([*lines(500), *important, *lines(500)]) == important
    cut, *tail = truncator.tail()
    assert (cut.message, cut.stands_for, len(tail)) == ("980 lines cut", 980, 20)


def test_important_lines_beyond_their_own_room_are_lines_like_others() -> None:
    truncator = LogTruncator(100)
    truncator.head(lines(80))
    assert len(truncator.head(of_level(LogLevel.ERROR, 1000))) == 20
    cut, *tail = truncator.tail()
    assert (cut.stands_for, tail[-1].message) == (960, "error 999")


def test_lines_lost_before_the_head_was_full_are_counted() -> None:
    truncator = LogTruncator()
    truncator.head(lines(5), lost=7)
    assert [line.message for line in truncator.tail()] == ["7 lines cut"]


def test_a_window_gives_important_lines_back_in_their_place() -> None:
    _, tail = head_and_tail(100)
    newest = BoundedLines(tail, tail)
    first, second = of_level(LogLevel.ERROR, 2)
    for line in [first, *lines(30), second, *lines(5)]:
        newest.push(line)
    taken, dropped = newest.drain()
    assert ([taken.index(first), taken.index(second), len(taken)], dropped) == ([0, 16, 22], 15)
    assert not newest


def test_a_line_survives_its_way_through_a_socket() -> None:
    line = Line(AT, LogLevel.MILESTONE, "half way", "a.logger")
    assert Line.from_json(line.to_json()) == line
