"""The fallback loop: a tick at each full minute, whatever became of the one before."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tick.store.tables import worker_instance
from tick.ticks import loop as loops
from tick.ticks.loop import Loop
from tick.ticks.result import TickResult

HALF_PAST = datetime(2026, 3, 1, 1, 59, 30, tzinfo=UTC)


class Crank(threading.Event):
    """Lets the world's time pass where a loop waits, and stops it at the last of its waits."""

    def __init__(self, world: World, waits: int) -> None:
        super().__init__()
        self._world, self._most = world, waits
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Let the time pass."""
        self.waits.append(timeout or 0.0)
        self._world.now += timedelta(seconds=self.waits[-1])
        if len(self.waits) == self._most:
            self.set()
        return self.is_set()


@pytest.fixture
def make_loop(world: World) -> Callable[[Callable[[TickResult], object]], Loop]:
    """Makes loops in a world where it is half past, and the daily schedule is due in that time."""
    world.now = HALF_PAST
    world.define(*world.schedules)
    world.enable()
    runtime = world.runtime
    runtime.__dict__["now"] = lambda: world.now
    return lambda on_tick: Loop(runtime, on_tick)


def states(world: World) -> list[str]:
    """Of all loops that there have been."""
    found = world.rows(sa.select(worker_instance.c.status))
    return sorted(row.status for row in found)


def test_it_ticks_at_each_full_minute_beats_in_between_and_signs_off(
    world: World, make_loop: Callable[..., Loop]
) -> None:
    told: list[TickResult] = []
    crank = Crank(world, waits=6)
    make_loop(told.append).serve(crank)
    assert [result.now for result in told] == [HALF_PAST, HALF_PAST + timedelta(seconds=30)]
    assert [result.fired_count for result in told] == [0, 1]
    assert crank.waits == [15.0] * 6
    assert states(world) == ["STOPPED"]


@pytest.mark.parametrize(
    "error", [RuntimeError("broken"), sa.exc.OperationalError("SELECT", {}, Exception("away"))]
)
def test_a_tick_that_fails_is_tried_again_soon(
    world: World, make_loop: Callable[..., Loop], error: Exception
) -> None:
    told: list[TickResult] = []

    def tell(result: TickResult) -> None:
        told.append(result)
        if len(told) == 1:
            raise error

    crank = Crank(world, waits=2)
    make_loop(tell).serve(crank)
    assert [result.now for result in told] == [HALF_PAST, HALF_PAST + timedelta(seconds=5)]
    assert crank.waits == [5.0, 15.0]


def test_a_loop_that_was_declared_dead_goes_on_as_another(
    world: World, make_loop: Callable[..., Loop]
) -> None:
    def declare_dead(_result: TickResult) -> None:
        with world.database.write.begin() as connection:
            connection.execute(sa.update(worker_instance).values(status="DEAD"))

    make_loop(declare_dead).serve(Crank(world, waits=2))
    assert states(world) == ["DEAD", "STOPPED"]


def test_it_ticks_again_only_while_that_gets_somewhere(
    world: World, make_loop: Callable[..., Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [TickResult("tick", world.now, more=True, due=due) for due in (3, 0)]
    left = iter(results)
    monkeypatch.setattr(loops, "run_tick", lambda *_, **__: next(left))
    told: list[TickResult] = []
    crank = Crank(world, waits=1)
    make_loop(told.append).serve(crank)
    assert (told, crank.waits) == (results, [15.0])
