"""How alike two things are: 0 for nothing in common, 1 for the same."""

from collections.abc import Mapping, Set

Vector = dict[str, float]
"""Term to weight; a term that is not there weighs nothing."""


def cosine(one: Vector, other: Vector) -> float:
    """Likeness of two vectors of length 1. Quickest with the shorter one first."""
    return sum(weight * other[term] for term, weight in one.items() if term in other)


def jaccard(one: Set[str], other: Set[str]) -> float:
    """What two sets have in common, of all that is in either."""
    together = one | other
    return len(one & other) / len(together) if together else 0.0


def closeness(one: float, other: float, within: float) -> float:
    """1 for equal numbers, falling evenly to 0 for numbers `within` or more apart."""
    return max(0.0, 1 - abs(one - other) / within)


def agreement(
    one: Mapping[int, int], other: Mapping[int, int], widest: int, at_least: int
) -> float | None:
    """How near two people's answers are, question to choice; `widest` is the farthest apart.

    None when they have fewer than `at_least` questions in common.
    """
    gaps = [abs(choice - other[question]) for question, choice in one.items() if question in other]
    if len(gaps) < at_least:
        return None
    return 1 - sum(gaps) / (len(gaps) * widest)
