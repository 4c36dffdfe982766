"""A clock that was ahead: no tick decides by it, people are told, and schedules come back."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.runs.heartbeat import register_worker
from tick.errors import ClockError, Refused
from tick.ops.actions import clock_ahead
from tick.ops.queries.health import read_tick_health
from tick.ops.reports.verify import verify
from tick.policy.tick_health import TickState
from tick.states import WorkerType
from tick.store.tables import (
    audit_entry,
    job_schedule,
    occurrence,
    occurrence_hour,
    schedule_version,
    tick_log,
    worker_instance,
)
from tick.ticks.tick import run_tick

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ahead(world: World) -> World:
    """Schedules of several kinds, ticked once by a clock that was a day ahead."""
    world.define(
        a_schedule("minutely", cron="* * * * *", overlap="ALLOW"),
        a_schedule("hourly", cron="0 * * * *", overlap="ALLOW"),
        a_schedule("often", cron=None, every=timedelta(minutes=10), overlap="ALLOW"),
        a_schedule("off"),
    )
    for name in ("minutely", "hourly", "often"):
        world.enable(name)
    world.tick(TWO)
    world.tick(TWO + DAY)
    world.now = TWO + MINUTE
    return world


def state(world: World) -> TickState:
    with world.database.read.connect() as connection:
        return read_tick_health(connection, world.now).state


def bring_back(world: World) -> clock_ahead.BroughtBack:
    return clock_ahead.resume_all_from_now(world.database, Act(world.now, TESTER))


def test_a_tick_ahead_of_the_shared_clock_is_refused_and_decides_nothing(world: World) -> None:
    world.define(a_schedule())
    world.enable()
    far = world.runtime.now() + timedelta(minutes=6)
    with pytest.raises(ClockError, match="ahead of the clock that all processes share"):
        run_tick(world.runtime, far)
    assert world.rows(sa.select(tick_log.c.id)) == []
    assert world.ledger() == []


def test_a_tick_a_little_ahead_of_the_shared_clock_is_a_tick(world: World) -> None:
    run_tick(world.runtime, world.runtime.now() + timedelta(minutes=4))
    assert len(world.rows(sa.select(tick_log.c.id))) == 1


def test_a_simulated_tick_may_be_ahead_and_prunes_nothing(world: World) -> None:
    world.settings = world.settings.model_copy(update={"keep_days": 1, "keep_tick_days": 1})
    world.tick(TWO)
    for hours in range(3):
        at = datetime(2190, 1, 1, hours, tzinfo=UTC)
        run_tick(world.runtime, at, simulated=True)
    assert len(world.rows(sa.select(tick_log.c.id))) == 4


def test_the_first_turn_after_a_jump_of_the_clock_prunes_nothing(world: World) -> None:
    world.settings = world.settings.model_copy(update={"keep_days": 1, "keep_tick_days": 1})
    world.tick(TWO)
    world.tick(TWO + 100 * DAY)
    assert len(world.rows(sa.select(tick_log.c.id))) == 2
    world.tick(TWO + 100 * DAY + HOUR)
    assert len(world.rows(sa.select(tick_log.c.id))) == 2


def test_cursors_and_ticks_in_the_future_are_a_state_of_the_scheduler(ahead: World) -> None:
    assert state(ahead) is TickState.AHEAD


def test_a_cursor_in_the_future_alone_is_that_state(ahead: World) -> None:
    with ahead.database.write.begin() as connection:
        connection.execute(sa.delete(tick_log).where(tick_log.c.started_at > ahead.now))
    assert state(ahead) is TickState.AHEAD


def test_a_tick_in_the_future_alone_is_that_state(world: World) -> None:
    world.tick(TWO + DAY)
    world.now = TWO
    assert state(world) is TickState.AHEAD


def test_rewound_schedules_fire_next_instants_and_none_twice(
    ahead: World,
) -> None:
    found = bring_back(ahead)
    assert found.schedules == ("hourly", "minutely", "often")
    assert found.ticks == 1
    assert state(ahead) is TickState.OK
    for minute in range(2, 62):
        ahead.tick(TWO + minute * MINUTE)
    fired = [at for outcome, at, _ in ahead.ledger("minutely") if outcome == "QUEUED"]
    assert fired == [
        *(TWO + minute * MINUTE for minute in (0, *range(2, 62))),
        TWO + DAY,
    ]
    hourly = [at for outcome, at, _ in ahead.ledger("hourly") if outcome == "QUEUED"]
    assert hourly == [TWO, TWO + HOUR, TWO + DAY]


def test_an_instant_that_fired_by_a_clock_ahead_does_not_fire_again(ahead: World) -> None:
    bring_back(ahead)
    ahead.tick(TWO + DAY - MINUTE)
    before = len(ahead.runs())
    assert ahead.tick(TWO + DAY).fired == []
    assert len(ahead.runs()) == before


def test_the_proof_holds_after_the_return(ahead: World) -> None:
    bring_back(ahead)
    for minute in range(2, 10):
        ahead.tick(TWO + minute * MINUTE)
    verified = verify(ahead.database, TWO - MINUTE, TWO + 9 * MINUTE)
    assert verified.violations == ()


def test_instants_taken_back_leave_the_statistics_too(ahead: World) -> None:
    hour = occurrence_hour.c
    missed = sa.select(sa.func.sum(hour.missed)).where(hour.schedule_id == "minutely")
    assert ahead.rows(missed)[0][0] > 1000
    bring_back(ahead)
    kept = sa.select(sa.func.sum(occurrence.c.count)).where(
        occurrence.c.schedule_id == "minutely", occurrence.c.outcome == "MISSED"
    )
    # Each is counted in its hour and in the sum of all time.
    assert ahead.rows(missed)[0][0] == 2 * (ahead.rows(kept)[0][0] or 0)


def test_each_return_stands_in_the_audit(ahead: World) -> None:
    bring_back(ahead)
    a = audit_entry.c
    said = ahead.rows(
        sa.select(a.subject).where(a.action == "schedule.resume_from_now").order_by(a.subject)
    )
    assert [row.subject for row in said] == ["hourly", "minutely", "often"]


def test_one_schedule_comes_back_alone(ahead: World) -> None:
    clock_ahead.resume_from_now(ahead.database, Act(ahead.now, TESTER), "hourly")
    assert ahead.schedule("hourly").next_run_at == TWO + HOUR
    assert ahead.schedule("minutely").decided_to > ahead.now
    assert state(ahead) is TickState.AHEAD


def test_a_schedule_that_is_not_ahead_has_nothing_to_bring_back(ahead: World) -> None:
    with pytest.raises(Refused, match="is not ahead"):
        clock_ahead.resume_from_now(ahead.database, Act(ahead.now, TESTER), "off")


def test_a_process_that_beat_in_the_future_can_be_found_dead_again(ahead: World) -> None:
    with ahead.database.write.begin() as connection:
        register_worker(connection, worker_type=WorkerType.JOB_WORKER, now=TWO + DAY, abilities={})
    bring_back(ahead)
    (beat,) = ahead.rows(sa.select(worker_instance.c.last_heartbeat_at))
    assert beat.last_heartbeat_at == ahead.now


def test_a_cursor_that_newer_zone_data_put_ahead_is_no_fault_of_a_clock(world: World) -> None:
    world.define(a_schedule())
    world.enable()
    soon = world.now + HOUR
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_schedule).values(decided_to=soon))
        connection.execute(sa.update(schedule_version).values(since=soon))
    assert state(world) is not TickState.AHEAD
    assert bring_back(world).schedules == ()


def test_runs_queued_in_the_future_begin_after_a_rewind(
    world: World,
) -> None:
    world.define(a_schedule("hourly", cron="0 * * * *"))
    world.enable("hourly")
    world.tick(TWO + DAY)
    world.now = TWO + MINUTE
    bring_back(world)
    assert [run.available_at for run in world.runs()] == [world.now]
    world.finish_runs()
    world.tick(TWO + HOUR)
    assert ("QUEUED", TWO + HOUR, 1) in world.ledger("hourly")
