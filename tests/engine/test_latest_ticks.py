"""Whether the scheduler ticks, as its own log of ticks tells."""

from datetime import UTC, datetime, timedelta

from tests.support.factories import World, a_schedule
from tick.engine.ledger.tick_log import read_tick_health
from tick.ops.queries.health import read_health, read_page_status
from tick.ops.queries.metrics import read_metrics
from tick.policy.tick_health import TickState

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, YEAR = timedelta(minutes=1), timedelta(days=365)


def test_ticks_of_a_clock_that_ran_ahead_hide_no_silence(world: World) -> None:
    world.define(a_schedule())
    for number in range(10):
        world.tick(TWO + number * MINUTE)
    world.tick(TWO + YEAR)
    now, last = TWO + 20 * MINUTE, TWO + 9 * MINUTE
    with world.database.read.connect() as connection:
        health = read_tick_health(connection, now)
        assert (health.state, health.last_at) == (TickState.AHEAD, last)
        health = read_health(connection, now, read_page_status(connection, now, 60))
        assert (health.ticks_are_late(now), health.last_tick_at) == (True, last)
    measured = read_metrics(world.database, now, 60).last_tick
    assert measured is not None
    assert measured.started_at == last
