"""Which jobs a firing runs, and in which order."""

from graphlib import CycleError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tick.policy.graph import Edge, find_cycle, select

DIAMOND = [Edge("left", "top"), Edge("right", "top"), Edge("end", "left"), Edge("end", "right")]


def test_jobs_come_after_what_they_depend_on() -> None:
    assert select(["end", "right", "left", "top"], DIAMOND).jobs == ("top", "right", "left", "end")


def test_jobs_that_may_run_side_by_side_keep_their_order() -> None:
    assert select(["c", "a", "b"], []).jobs == ("c", "a", "b")


def test_a_dependency_outside_the_selection_is_ignored_and_named() -> None:
    found = select(["end", "left"], DIAMOND)
    assert found.jobs == ("left", "end")
    assert found.edges == (Edge("end", "left"),)
    assert found.ignored == (Edge("end", "right"), Edge("left", "top"))


def test_a_dependency_outside_the_selection_is_included_on_request() -> None:
    found = select(["end"], DIAMOND, include=True)
    assert set(found.jobs) == {"top", "left", "right", "end"}
    assert found.ignored == ()


def test_a_job_wanted_twice_runs_once() -> None:
    assert select(["a", "a"], []).jobs == ("a",)


def test_a_cycle_is_named_in_the_direction_of_waiting() -> None:
    assert find_cycle([Edge("a", "b"), Edge("b", "c"), Edge("c", "a")]) in (
        "a → b → c → a",
        "b → c → a → b",
        "c → a → b → c",
    )
    assert find_cycle(DIAMOND) is None
    assert find_cycle([Edge("a", "a")]) == "a → a"


def test_a_cycle_gives_no_order() -> None:
    with pytest.raises(CycleError):
        select(["a", "b"], [Edge("a", "b"), Edge("b", "a")])


@settings(deadline=None)
@given(st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda p: p[0] > p[1])))
def test_every_order_respects_every_edge(pairs: set[tuple[int, int]]) -> None:
    edges = [Edge(f"j{job:02}", f"j{needed:02}") for job, needed in pairs]
    order = select([f"j{number:02}" for number in reversed(range(13))], edges).jobs
    place = {name: number for number, name in enumerate(order)}
    assert len(order) == 13
    assert all(place[edge.depends_on] < place[edge.job] for edge in edges)
