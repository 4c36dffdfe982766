"""When a worker does what, and how much it takes at a time."""

import pytest

from tick.pacing import Appetite, Every


class Hand:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_a_duty_is_due_at_first_and_then_once_in_each_span(hand: Hand) -> None:
    duty = Every(10, hand)
    assert duty.due
    duty.done()
    assert not duty.due
    hand.seconds += 10
    assert duty.due


def test_a_duty_can_be_hurried_and_put_off(hand: Hand) -> None:
    duty = Every(10, hand)
    duty.done()
    duty.hurry()
    assert duty.due
    duty.done(after=1)
    hand.seconds += 1
    assert duty.due


@pytest.mark.parametrize(("ended", "beyond"), [(0, 0), (2, 0), (3, 3), (80, 80), (10_000, 1000)])
def test_a_worker_holds_as_many_runs_as_end_in_a_quarter_second(
    hand: Hand, ended: int, beyond: int
) -> None:
    appetite = Appetite(hand)
    hand.seconds += 0.25
    appetite.note(ended)
    assert appetite.beyond(slots=2) == beyond


def test_the_appetite_grows_before_the_quarter_second_is_over(hand: Hand) -> None:
    appetite = Appetite(hand)
    hand.seconds += 0.01
    appetite.note(10)
    assert appetite.beyond(slots=2) == 10


def test_long_runs_take_the_appetite_away(hand: Hand) -> None:
    appetite = Appetite(hand)
    hand.seconds += 0.25
    appetite.note(100)
    hand.seconds += 5
    appetite.note(4)
    assert appetite.beyond(slots=2) == 0
