"""What a job returns is kept in its structure, whatever JSON does not know of it."""

import json
from collections import Counter, namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from math import inf, nan
from typing import Any

import pytest
from pydantic import BaseModel

from tick.executors.results import DEEPEST, MAX_RESULT, bounded_json


class Colour(Enum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


class Model(BaseModel):
    at: date
    of: set[int]


@dataclass
class Point:
    x: float
    colour: Colour


class Scalar:
    """As NumPy's are: with a type of their own, and a way back to Python's."""

    dtype = "int64"
    size = 1

    def tolist(self) -> int:
        return 7


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


Pair = namedtuple("Pair", "a b")


def in_a_circle() -> list[object]:
    circle: list[object] = [1]
    circle.append(circle)
    return circle


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"rows": 42, "auc": nan}, {"rows": 42, "auc": "NaN"}),
        ([inf, -inf, 1.5], ["Infinity", "-Infinity", 1.5]),
        ({date(2026, 1, 1): 3, "b": nan}, {"2026-01-01": 3, "b": "NaN"}),
        ({(1, 2): 3}, {"(1, 2)": 3}),
        ({Colour.RED: 1}, {"red": 1}),
        ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
        (Model(at=date(2026, 1, 1), of={2, 1}), {"at": "2026-01-01", "of": [1, 2]}),
        ([Point(nan, Colour.RED)], [{"x": "NaN", "colour": "red"}]),
        ({3, 1, 2}, [1, 2, 3]),
        ({"a", 1}, None),
        (b"caf\xc3\xa9 \xff", "café \\xff"),
        ([Number.ONE, Colour.RED, Decimal("1.10")], [1, "red", "1.10"]),
        ((Pair(1, {2}),), [[1, [2]]]),
        (Counter("aab"), {"a": 2, "b": 1}),
        ({"n": Scalar()}, {"n": 7}),
        (in_a_circle(), [1, "…"]),
        ({"at": datetime(2026, 3, 1, tzinfo=UTC)}, {"at": "2026-03-01 00:00:00+00:00"}),
        ([1, Unspeakable()], [1, "<Unspeakable whose value raised RuntimeError>"]),
        ({"name\udcff": ["\ud800", "ü\0"]}, {"name?": ["?", "ü\0"]}),
    ],
)
def test_what_json_does_not_know_is_replaced_in_its_place(value: Any, kept: Any) -> None:
    said = json.loads(bounded_json(value))
    assert said == kept if kept is not None else sorted(map(str, said)) == ["1", "a"]


def test_what_is_nested_without_end_is_cut_off() -> None:
    deep: list[Any] = [nan]
    for _ in range(100_000):
        deep = [deep]
    said = bounded_json(deep)
    assert json.loads(said) and said.count("[") == DEEPEST


def test_a_result_that_is_too_large_says_so() -> None:
    said = json.loads(bounded_json("x" * MAX_RESULT))
    assert said["cut"].startswith("too large: ")
    assert len(said["head"]) <= MAX_RESULT // 16
