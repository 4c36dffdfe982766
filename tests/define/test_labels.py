"""The labels of a schedule, and what is wrong with them."""

from typing import Any

import pytest

from tests.support.factories import a_job, a_schedule
from tick.define.as_code import as_code
from tick.define.mistakes import find
from tick.define.written import from_plain, to_plain


def mistakes(labels: Any) -> list[str]:
    return find([a_job("match")], [a_schedule(labels=labels)])


def test_labels_are_names_in_the_order_of_their_author() -> None:
    assert mistakes(("nightly", "finance", "team-2")) == []
    assert list(a_schedule(labels=["b", "a"]).labels) == ["b", "a"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("finance", "labels is the text 'finance'; write a list of names"),
        (7, "labels must be a list of names, not 7"),
        (("a", 7), "labels holds 7, which is no name"),
        (("a", "a"), "labels names 'a' more than once"),
        ({"a"}, "labels must be a list or a tuple"),
        (("Much money",), "labels 'Much money': write a label in lower-case letters"),
        (("x" * 51,), "at most 50 characters"),
        (tuple(f"l{number}" for number in range(21)), "labels holds 21; leave at most 20"),
    ],
)
def test_a_mistake_in_labels_says_what_to_write(labels: Any, said: str) -> None:
    (found,) = mistakes(labels)
    assert said in found


def test_labels_survive_being_written_down_and_stand_in_the_code() -> None:
    written = to_plain(a_schedule(labels=("finance", "nightly")))
    assert written["labels"] == ["finance", "nightly"]
    assert list(from_plain("daily", written, source="x").labels) == ["finance", "nightly"]
    assert '    labels=["finance", "nightly"],' in as_code("daily", written)
