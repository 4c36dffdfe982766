"""Lengths in buckets: what is counted, and how near a quantile comes."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tick.policy.histogram import (
    LATE_BOUNDS,
    ON_TIME_SECONDS,
    TOOK_BOUNDS,
    WAITED_BOUNDS,
    bucket_of,
    count_up_to,
    exact,
    quantile,
)


def counted(values: list[float], bounds: tuple[float, ...]) -> list[int]:
    places = Counter(bucket_of(value, bounds) for value in values)
    return [places[number] for number in range(len(bounds) + 1)]


@pytest.mark.parametrize("bounds", [TOOK_BOUNDS, WAITED_BOUNDS, LATE_BOUNDS])
def test_bounds_rise(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))


def test_a_value_on_a_bound_is_below_it() -> None:
    assert bucket_of(0.1, TOOK_BOUNDS) == 0
    assert bucket_of(0.11, TOOK_BOUNDS) == 1
    assert bucket_of(1e9, TOOK_BOUNDS) == len(TOOK_BOUNDS)


# The first bucket begins at 0: of a length in it, a share by proportion may be any fraction.
LENGTHS = st.floats(0.1, 86_400, exclude_min=True)


@given(st.lists(LENGTHS, min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], part: float) -> None:
    rank = max(1, -(-part * len(values) // 1))
    true = sorted(values)[int(rank) - 1]
    found = quantile(counted(values, TOOK_BOUNDS), TOOK_BOUNDS, part)
    assert found is not None
    assert bucket_of(found, TOOK_BOUNDS) == bucket_of(true, TOOK_BOUNDS)
    assert 1 / 2 <= found / true <= 2


def test_a_quantile_of_many_values_is_near() -> None:
    source = random.Random(7)
    values = [source.lognormvariate(3, 1) for _ in range(20_000)]
    for part in (0.5, 0.95):
        true = sorted(values)[int(part * len(values))]
        assert quantile(counted(values, TOOK_BOUNDS), TOOK_BOUNDS, part) == pytest.approx(
            true, rel=0.1
        )


def test_quantiles_of_nothing_are_none_and_of_overflow_the_last_bound() -> None:
    nothing = [0] * (len(TOOK_BOUNDS) + 1)
    assert quantile(nothing, TOOK_BOUNDS, 0.5) is None
    assert quantile([*nothing[1:], 3], TOOK_BOUNDS, 0.5) == TOOK_BOUNDS[-1]


def test_counting_up_to_a_bound() -> None:
    counts = counted([1, 119, 120, 121, 9000], LATE_BOUNDS)
    assert count_up_to(counts, LATE_BOUNDS, ON_TIME_SECONDS) == 3


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.randoms(use_true_random=False))
def test_exact_lengths_add_up_to_one_sum_in_any_order(
    lengths: list[float], order: random.Random
) -> None:
    exactly = [exact(seconds) for seconds in lengths]
    shuffled = order.sample(exactly, len(exactly))
    assert sum(shuffled) == sum(exactly) == pytest.approx(sum(lengths), abs=1e-6 * len(lengths))
