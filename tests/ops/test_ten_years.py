"""Years of everything that can go wrong, and not one instant lost or fired twice."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.ops.hostile import JOBS, START, Chaos, crash_at
from tests.support.factories import World, a_schedule
from tick.ops.reports.verify import verify
from tick.settings import Settings
from tick.store.tables import job_run, job_schedule, occurrence


@pytest.mark.parametrize("seed", [1, 2])
def test_weeks_of_chaos_leave_nothing_unexplained(world: World, seed: int) -> None:
    chaos = Chaos(world, seed)
    chaos.begin()
    for _ in range(3):
        chaos.live(steps=120)
        found = chaos.verified()
        assert found.violations == ()
    assert found.instants > 500
    assert found.outcomes["SUCCESS"] > 100
    assert found.outcomes["BLACKOUT"] > 10


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_ten_years_of_chaos_leave_nothing_unexplained(world: World) -> None:
    """Each quarter is proven before the ticks prune it, and no moment is left out."""
    world.settings = Settings(keep_days=120)
    chaos = Chaos(world, seed=2026)
    chaos.begin()
    proven_to = START
    for quarter in range(1, 41):
        chaos.live(until=START + quarter * timedelta(days=91.3125))
        found = verify(world.database, proven_to, chaos.latest)
        assert (found.violations, found.start) == ((), proven_to)
        proven_to = chaos.latest - timedelta(days=7)


def test_a_tick_may_die_at_any_of_its_statements(world: World) -> None:
    """Each hour a tick dies at another statement; the next tick repairs whatever it left."""
    world.now = START
    world.define(
        a_schedule("whole", cron="0 * * * *"),
        a_schedule("alike", cron="0 * * * *"),
        a_schedule("other", cron="*/30 * * * *", overlap="REPLACE"),
        jobs=JOBS,
    )
    for schedule in world.schedules:
        world.enable(schedule.id)
    fates = set()
    for number in range(1, 26):
        at = START + number * timedelta(hours=1)
        with crash_at(world.database.write, number):
            world.tick(at)
        fates.add(
            len(world.rows(sa.select(occurrence.c.id).where(occurrence.c.scheduled_for == at)))
        )
        assert (
            world.rows(sa.select(job_schedule.c.id).where(job_schedule.c.locked_by.is_not(None)))
            == []
        )
        world.tick(at + timedelta(seconds=30))
        fired = world.rows(sa.select(job_run.c.schedule_id).where(job_run.c.scheduled_for == at))
        assert len(fired) == 3 * len(JOBS)
        world.finish_runs()
    assert fates == {0, 3}
    assert verify(world.database, START, at).violations == ()
