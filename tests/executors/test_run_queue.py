"""In which order runs leave a backlog, and how many at once."""

from dataclasses import replace
from math import inf

from tests.worker.test_process_pool import RUN
from tick.executors.run_queue import Backlog, Order


def backlog(runs: int) -> Backlog:
    """Runs 1, 2, …, each of ten bytes."""
    waiting = Backlog()
    for number in range(1, runs + 1):
        waiting.add(Order(replace(RUN, run_id=number), 60, since=0, packed=b"x" * 10))
    return waiting


def ids(waiting: Backlog) -> list[int]:
    """The runs that wait, in order."""
    return [run.run_id for run in waiting.runs]


def test_what_is_put_back_comes_first_and_in_the_order_that_it_had() -> None:
    waiting = backlog(4)
    waiting.put_back(waiting.take(3, inf))
    assert ids(waiting) == [1, 2, 3, 4]


def test_a_portion_is_as_large_as_there_is_room_for() -> None:
    waiting = backlog(4)
    assert len(waiting.take(4, room=29)) == 2
    assert ids(waiting) == [3, 4]
