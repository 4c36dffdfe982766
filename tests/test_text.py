"""Lengths and numbers in words, and texts cut to fit."""

from datetime import timedelta

import pytest

from tick.text import counted, exact_length, excerpt, length


@pytest.mark.parametrize("most", range(40, 75))
def test_a_long_line_ends_after_a_whole_word(most: int) -> None:
    text = "the last tick came 7 min ago. Look after what calls the endpoint, or start the loop"
    cut = excerpt(text, most)
    assert cut.endswith("…")
    assert len(cut) <= most
    kept = cut[:-1]
    assert text.startswith(kept)
    assert text[len(kept)] in " ,"


def test_what_fits_stays_as_it_is_and_only_its_first_line() -> None:
    assert excerpt("whole\nand more", 5) == "whole"
    assert excerpt("", 5) == ""


def test_a_word_without_an_end_is_cut_where_the_limit_is() -> None:
    assert excerpt("see https://" + "x" * 100, 60) == "see https://" + "x" * 47 + "…"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0.44, "0.4 s"),
        (12.4, "12 s"),
        (59.6, "1 min"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_a_measured_length_has_two_units_at_most(seconds: float, words: str) -> None:
    assert length(seconds) == words
    assert length(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (timedelta(days=1), "1 day"),
        (timedelta(hours=26), "26 hours"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_a_chosen_length_is_rounded_by_nothing(chosen: timedelta, words: str) -> None:
    assert exact_length(chosen) == words


def test_a_number_says_one_run_and_many_runs() -> None:
    assert [counted(number, "run") for number in (0, 1, 1200)] == ["0 runs", "1 run", "1,200 runs"]
    assert counted(2, "process", "processes") == "2 processes"
