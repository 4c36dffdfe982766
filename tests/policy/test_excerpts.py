"""Texts cut to fit."""

import pytest

from tick.policy.excerpts import excerpt


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
