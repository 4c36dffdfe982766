"""Lengths told as what they are: exact, estimated, or beyond what is counted."""

import pytest

from tick.engine.statistics.count import Sums
from tick.ops.reports.rates import Lengths, lengths
from tick.policy.histogram import LATE_BOUNDS, TOOK_BOUNDS, bucket_of


def _lengths(*values: float, kind: str = "took") -> Lengths:
    bounds = {"took": TOOK_BOUNDS, "late": LATE_BOUNDS}[kind]
    sums = Sums(int)
    for value in values:
        sums[f"{kind}_seconds"] += value
        sums[f"{kind}_{bucket_of(value, bounds)}"] += 1
    return lengths(sums, kind, bounds)


@pytest.mark.parametrize("seconds", [0.0, 0.7, 64.5, 80.3, 162.0, 50_400.0, 1e7])
@pytest.mark.parametrize("kind", ["took", "late"])
def test_a_single_value_is_told_exactly(seconds: float, kind: str) -> None:
    found = _lengths(seconds, kind=kind)
    assert (found.p50, found.p95, found.exact) == (seconds, seconds, True)
    assert found.hedge("p50") == found.hedge("p95") == ""


def test_of_several_values_quantiles_are_estimates_and_say_so() -> None:
    found = _lengths(0.7, 64.5, 80.3)
    assert not found.exact
    assert found.hedge("p50") == found.hedge("p95") == "≈ "


def test_what_is_beyond_the_last_bound_is_over_it() -> None:
    found = _lengths(1.0, 2.0, 50_400.0, kind="late")
    assert (found.hedge("p50"), found.hedge("p95")) == ("≈ ", "over ")
    assert (found.p95, found.p95_is_over) == (LATE_BOUNDS[-1], True)
    on_the_bound = _lengths(LATE_BOUNDS[-1], LATE_BOUNDS[-1], kind="late")
    assert on_the_bound.hedge("p95") == "≈ "


def test_of_nothing_there_is_nothing_to_hedge() -> None:
    assert _lengths().hedge("p50") == ""


def test_figures_of_a_release_that_did_not_say_so_count_as_estimates() -> None:
    old = Lengths.model_validate({"count": 2, "mean": 3.0, "p50": 3.0, "p95": 3.0})
    assert old.hedge("p50") == "≈ "
