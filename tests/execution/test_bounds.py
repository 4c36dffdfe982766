"""What a job leaves is bounded, storable, and honest about what was cut."""

import json
from datetime import UTC, datetime

import pytest

from tick.execution.bounds import MAX_RESULT, bounded_json, clean, cut


def test_what_a_database_refuses_is_replaced() -> None:
    assert clean("a\0b\ud800c") == "a\N{REPLACEMENT CHARACTER}b?c"


def test_a_long_text_keeps_its_head_and_its_tail() -> None:
    text = cut("a" * 1000 + "b" * 1000, 100)
    assert text == f"{'a' * 30} … 1,940 characters cut … {'b' * 30}"
    assert len(cut("x" * 10**9, 100)) <= 100


def test_a_short_text_stays_as_it_is() -> None:
    assert cut("short", 100) == "short"


def test_what_json_does_not_know_is_written_as_text() -> None:
    value = {"at": datetime(2026, 3, 1, tzinfo=UTC), "of": {1}}
    assert json.loads(bounded_json(value)) == {"at": "2026-03-01 00:00:00+00:00", "of": "{1}"}


def test_half_a_character_in_a_result_is_replaced() -> None:
    value = {"name\udcff": ["\ud800", "ü\0"]}
    assert json.loads(bounded_json(value)) == {"name?": ["?", "ü\0"]}


def in_a_circle() -> list[object]:
    circle: list[object] = []
    circle.append(circle)
    return circle


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value", [float("nan"), in_a_circle(), {(1, 2): 3}, Unspeakable(), "x" * MAX_RESULT]
)
def test_what_has_no_json_or_too_much_of_it_says_so(value: object) -> None:
    said = json.loads(bounded_json(value))
    assert said["cut"].startswith(("not JSON: ", "too large: "))
    assert len(said["head"]) <= MAX_RESULT // 16
