"""Lengths counted in fixed buckets, which add up over hours, jobs and machines. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from math import ceil

# Each bound is about 1.5 times the one before: by as much may a quantile be wrong.
TOOK_BOUNDS = (
    *(0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 45.0),
    *(60.0, 90.0, 120.0, 180.0, 300.0, 450.0, 600.0, 900.0, 1200.0, 1800.0, 2700.0, 3600.0),
    *(5400.0, 7200.0, 10800.0, 14400.0, 21600.0, 28800.0, 43200.0, 86400.0),
)
"""Seconds that a run or an occurrence took."""
WAITED_BOUNDS = (
    *(0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0),
)
"""Seconds that a run was ready before it began."""
LATE_BOUNDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 14400.0)
"""Seconds between the instant at which something was due and the tick that fired it."""
PER_SECOND = 2**20
# The least grace that an instant has: later than that may count as missed.
ON_TIME_SECONDS = 120.0


def bucket_of(seconds: float, bounds: Sequence[float]) -> int:
    """Return the number of the first bucket whose bound is not less; beyond all, their number."""
    return bisect_left(bounds, seconds)


def exact(seconds: float) -> float:
    """Return the length to the nearest 2**-20 seconds, about a microsecond."""
    # Such numbers add up to the same sum in any order, for 272 years: sums by row, by hour and in
    # SQL agree to the last bit, and a counter made of them never goes back.
    return round(seconds * PER_SECOND) / PER_SECOND


def quantile(counts: Sequence[int], bounds: Sequence[float], part: float) -> float | None:
    """Return the value below which `part` (0 to 1) of the values lie; None without values.

    `counts` has one number more than `bounds`: what is beyond the last. Within its bucket a value
    is placed in proportion; what is beyond the last bound is told as that bound.
    """
    rank, below = _rank(counts, part), 0
    for number, count in enumerate(counts):
        if count and below + count >= rank:
            if number == len(bounds):
                return bounds[-1]
            start = bounds[number - 1] if number else 0.0
            return start + (bounds[number] - start) * (rank - below - 0.5) / count
        below += count
    return None


def is_beyond(counts: Sequence[int], part: float) -> bool:
    """Return whether that quantile is longer than the last bound, by which it is told."""
    return bool(counts[-1]) and _rank(counts, part) > sum(counts[:-1])


def _rank(counts: Sequence[int], part: float) -> int:
    return max(1, ceil(part * sum(counts)))


def count_up_to(counts: Sequence[int], bounds: Sequence[float], bound: float) -> int:
    """Return how many of the values are at most `bound`, which is one of the bounds."""
    return sum(counts[: bounds.index(bound) + 1])
