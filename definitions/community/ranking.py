"""Scores that fade with time, and the best of many."""

from collections.abc import Iterable

HOUR = 3600
DAY = 24 * HOUR

INTERACTION_WEIGHTS = {"view": 0.1, "like": 1.0, "comment": 2.0, "share": 3.0}
"""What an interaction says about the interest behind it."""


def decay(age_seconds: float, half_life_seconds: float) -> float:
    """1 for what happened just now, one half after each half-life."""
    return float(0.5 ** (age_seconds / half_life_seconds))


def best(scores: Iterable[tuple[int, float]], limit: int) -> list[tuple[int, int, float]]:
    """The highest `limit` of (id, score) as (rank, id, score); of equal ones the lower id first.

    >>> best([(7, 0.2), (8, 0.9), (9, 0.9)], limit=2)
    [(1, 8, 0.9), (2, 9, 0.9)]
    """
    # Rounded before they are compared, so that noise in the last digit decides nothing.
    rounded = ((key, round(score, 6)) for key, score in scores)
    ordered = sorted(rounded, key=lambda item: (-item[1], item[0]))[:limit]
    return [(rank, key, score) for rank, (key, score) in enumerate(ordered, start=1)]
