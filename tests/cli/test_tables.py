"""Tables: for people on a terminal, for programs in a pipe."""

from io import StringIO

import pytest

from tick.cli.output import show_table

COLUMNS = {"id": "ID", "name": "NAME", "reason": "REASON"}
ROWS = [
    {"id": 1, "name": "a:bug:[red]b", "reason": None},
    {"id": 2, "name": "c", "reason": None},
]


class Terminal(StringIO):
    """Standard output in front of somebody."""

    def isatty(self) -> bool:
        return True


def shown(out: StringIO, rows: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setenv("TERM", "dumb")
    show_table(COLUMNS, rows, "Nothing.")
    return out.getvalue()


def test_a_terminal_has_no_room_for_a_column_that_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head, _, *rows = shown(Terminal(), ROWS, monkeypatch).strip().splitlines()
    assert head.split() == ["ID", "NAME"]
    assert [row.split() for row in rows] == [["1", "a:bug:[red]b"], ["2", "c"]]
    blocked = [*ROWS, {"id": 3, "name": None, "reason": "blocked"}]
    head, _, *rows = shown(Terminal(), blocked, monkeypatch).strip().splitlines()
    assert head.split() == ["ID", "NAME", "REASON"]
    assert rows[-1].split() == ["3", "-", "blocked"]


def test_a_pipe_gets_every_column_always(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(StringIO(), ROWS, monkeypatch).splitlines() == [
        "ID\tNAME\tREASON",
        "1\ta:bug:[red]b\t-",
        "2\tc\t-",
    ]


def test_with_standard_output_closed_nothing_is_shown_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout", None)  # as Python starts under `>&-`
    show_table(COLUMNS, ROWS, "Nothing.")
    show_table(COLUMNS, [], "Nothing.")
    assert capsys.readouterr().err == "Nothing.\n"
