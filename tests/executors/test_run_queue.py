"""In which order runs leave the queue, and how many at once."""

from dataclasses import replace
from math import inf

from tests.worker.test_process_pool import RUN
from tick.executors.run_queue import Order, RunQueue


def queue_of(runs: int) -> RunQueue:
    """Runs 1, 2, …, each of ten bytes."""
    waiting = RunQueue()
    for number in range(1, runs + 1):
        waiting.add(Order(replace(RUN, run_id=number), 60, since=0, packed=b"x" * 10))
    return waiting


def ids(waiting: RunQueue) -> list[int]:
    """The runs that wait, in order."""
    return [run.run_id for run in waiting.runs]


def test_orders_put_back_come_first_in_their_old_order() -> None:
    waiting = queue_of(4)
    waiting.put_back(waiting.take(3, inf))
    assert ids(waiting) == [1, 2, 3, 4]


def test_the_queue_gives_as_many_runs_as_fit_the_room() -> None:
    waiting = queue_of(4)
    assert len(waiting.take(4, room=29)) == 2
    assert ids(waiting) == [3, 4]
