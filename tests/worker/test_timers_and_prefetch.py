"""Timers, the cached clock, and how many runs are claimed ahead."""

from datetime import UTC, datetime, timedelta

import pytest

from tick.executors.prefetch import PrefetchController
from tick.timers import CachedClock, PeriodicTimer

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


class Hand:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_a_timer_is_due_at_first_and_then_once_in_each_span(hand: Hand) -> None:
    timer = PeriodicTimer(10, hand)
    assert timer.due
    timer.restart()
    assert not timer.due
    hand.seconds += 10
    assert timer.due


def test_a_timer_can_be_hurried_and_put_off(hand: Hand) -> None:
    timer = PeriodicTimer(10, hand)
    timer.restart()
    timer.make_due()
    assert timer.due
    timer.restart(after=1)
    hand.seconds += 1
    assert timer.due


@pytest.mark.parametrize(("trip", "asked"), [(0.001, 2), (0.1, 3)])
def test_a_shared_clock_that_answers_quickly_is_carried_on_for_a_span(
    hand: Hand, trip: float, asked: int
) -> None:
    answers: list[datetime] = []

    def ask() -> datetime:
        answers.append(NOW + timedelta(seconds=hand.seconds - 1000))
        hand.seconds += trip
        return answers[-1]

    clock = CachedClock(ask, 10, hand)
    for seconds in (0, 3, 10):
        hand.seconds = 1000.0 + seconds
        assert clock.read() == (1000.0 + seconds, NOW + timedelta(seconds=seconds))
    assert len(answers) == asked


@pytest.mark.parametrize(
    ("took", "beyond"), [(0.5, 0), (0.25, 0), (0.125, 4), (0.0125, 40), (0.0, 1000)]
)
def test_a_worker_holds_as_many_runs_as_it_can_execute_in_a_quarter_second(
    hand: Hand, took: float, beyond: int
) -> None:
    prefetch = PrefetchController(2, hand)
    for _ in range(6):
        prefetch.note([took, took])
    assert prefetch.target == beyond


def test_more_runs_are_claimed_ahead_however_long_a_claim_takes(hand: Hand) -> None:
    prefetch = PrefetchController(2, hand)
    grown = []
    for _ in range(6):
        hand.seconds += 0.4
        prefetch.note([0.001, 0.001])
        grown.append(prefetch.target)
    assert grown == [20, 200, 500, 500, 500, 500]


def test_nothing_is_claimed_ahead_of_long_runs(hand: Hand) -> None:
    prefetch = PrefetchController(2, hand)
    prefetch.note([0.001] * 100)
    assert prefetch.target == 20
    hand.seconds += 0.3
    prefetch.note([])
    prefetch.note([2.0])
    assert prefetch.target == 0


def test_a_worker_whose_runs_do_not_end_claims_nothing_ahead(hand: Hand) -> None:
    prefetch = PrefetchController(2, hand)
    prefetch.note([0.001] * 100)
    for _ in range(2):
        hand.seconds += 0.3
        prefetch.note([])
    assert prefetch.target == 0
