"""Two transactions step by step, in one thread: who passes over, who waits, who loses."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.concurrency.fleet import MINUTE, START, mistakes
from tests.engine.worker_steps import waits_for_a_lock
from tests.support.factories import World
from tests.worker.processes import eventually
from tick.engine.firing import claim_schedules, fire
from tick.engine.firing.claim_schedules import (
    TickClaim,
    claim_due_schedules,
    find_running,
    read_plan_groups,
)
from tick.engine.firing.write_plans import write_plans
from tick.errors import PlanFailed
from tick.policy.planner import plan
from tick.store import postgresql
from tick.store.database import Database
from tick.store.tables import job_schedule
from tick.ticks import firing_loop

NOW = START + MINUTE
S01 = sa.select(job_schedule.c.id).where(job_schedule.c.id == "s01")


def on_postgresql(test: Callable[..., None]) -> Callable[..., None]:
    """Only there do transactions share a table row by row."""
    only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
    return only(pytest.mark.postgres(test))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a lock end soon: nobody is going to release it."""
    begin = f"{postgresql.BEGIN}; SET LOCAL lock_timeout = '50ms'"
    monkeypatch.setattr(postgresql, "BEGIN", begin)


@pytest.fixture
def rival(database: Database) -> Iterator[sa.Connection]:
    """Another transaction, rolled back in the end."""
    with database.write.connect() as connection:
        yield connection


def due_now(world: World) -> int:
    return sum(row.next_run_at <= NOW for row in world.rows(sa.select(job_schedule)))


@on_postgresql
def test_a_chunk_passes_over_a_row_that_another_transaction_holds(
    ships: World, database: Database, rival: sa.Connection
) -> None:
    rival.execute(S01.with_for_update())
    due = due_now(ships)
    with database.write.begin() as connection:
        fired = fire.fire_due(
            connection,
            TickClaim("tick", "tick.1", NOW),
            limit=100,
            tick_seconds=60,
        )
    assert fired.schedules == due - 1
    assert ships.ledger("s01") == []


@on_postgresql
def test_schedules_passed_over_are_done_at_the_end_of_the_same_tick(
    ships: World, rival: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival.execute(S01.with_for_update())
    look_again = firing_loop.due_ids

    def release_and_look(*args: Any) -> Any:
        rival.rollback()
        return look_again(*args)

    monkeypatch.setattr(firing_loop, "due_ids", release_and_look)
    assert ships.tick(NOW).errors == {}
    assert mistakes(ships, until=NOW) == []


@on_postgresql
@pytest.mark.usefixtures("impatient")
def test_a_row_that_is_held_on_and_on_is_left_to_the_next_tick(
    ships: World, rival: sa.Connection
) -> None:
    rival.execute(S01.with_for_update())
    result = ships.tick(NOW)
    assert "lock timeout" in result.errors["s01"]
    assert result.more
    assert ships.schedule("s01").retry_after is None
    rival.rollback()
    assert [line.schedule_id for line in ships.tick(NOW).fired] == ["s01"]
    assert mistakes(ships, until=NOW) == []


@on_postgresql
@pytest.mark.parametrize(
    ("change", "claimed"),
    [
        ({"enabled": False}, 0),
        ({"next_run_at": NOW + MINUTE}, 0),
        ({"retry_after": NOW + MINUTE}, 0),
        ({"locked_by": "rival", "locked_at": NOW}, 0),
        ({"last_error": "of no concern"}, 1),
    ],
)
def test_a_claim_that_waited_for_a_row_judges_what_it_says_then(
    ships: World, database: Database, change: dict[str, Any], claimed: int
) -> None:
    def claim() -> int:
        with database.write.begin() as connection:
            late = TickClaim("late", "late.1", NOW)
            return claim_due_schedules(connection, late, limit=100, only="s01", wait=True)

    with ThreadPoolExecutor(1) as thread:
        with database.write.begin() as rival:
            rival.execute(sa.update(job_schedule).where(job_schedule.c.id == "s01").values(change))
            late = thread.submit(claim)
            eventually(lambda: waits_for_a_lock(ships))
        assert late.result() == claimed


def test_a_claim_that_was_taken_over_cannot_advance(
    ships: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock outlived its holder's patience; the holder comes back and writes."""
    stale = TickClaim("old", "old.1", NOW)
    with database.write.begin() as connection:
        claim_due_schedules(connection, stale, limit=100)
        busy = find_running(connection, stale.claim_id)
        groups, targets = read_plan_groups(connection, stale.claim_id, busy)
    assert ships.tick(NOW).due == 0
    monkeypatch.setattr(claim_schedules, "STALE_AFTER", timedelta(seconds=1))
    assert ships.tick(NOW + timedelta(seconds=2)).due > 0
    plans = [(group, plan(group.rule, group.cursor, NOW, 60)) for group in groups]
    taken_over = pytest.raises(PlanFailed, match="taken by another tick")
    with taken_over, database.write.begin() as connection:
        write_plans(connection, stale, plans, targets, busy)
    assert mistakes(ships, until=NOW) == []


@pytest.mark.parametrize(
    "error", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure]
)
def test_a_chunk_that_the_database_rolled_back_is_done_again(
    ships: World, monkeypatch: pytest.MonkeyPatch, error: type[psycopg.Error]
) -> None:
    done = []

    def fail_once(*args: Any, **limits: Any) -> Any:
        fired = fire.fire_due(*args, **limits)
        done.append(fired)
        if len(done) == 1:
            raise sa.exc.OperationalError("COMMIT", {}, error())
        return fired

    monkeypatch.setattr(firing_loop, "fire_due", fail_once)
    assert ships.tick(NOW).errors == {}
    assert done[0] == done[1]
    assert mistakes(ships, until=NOW) == []


@on_postgresql
@pytest.mark.parametrize("cuts", [1, 100])
def test_a_tick_whose_connection_is_cut_is_repaired(
    ships: World, rival: sa.Connection, monkeypatch: pytest.MonkeyPatch, cuts: int
) -> None:
    """By itself after one cut; by the next tick when it was cut again and again."""
    left, write = cuts, fire.write_plans

    def cut(connection: sa.Connection, *args: Any) -> int:
        nonlocal left
        left -= 1
        if left >= 0:
            driver = connection.connection.driver_connection
            assert driver is not None
            rival.execute(sa.select(sa.func.pg_terminate_backend(driver.info.backend_pid, 5000)))
        return write(connection, *args)

    monkeypatch.setattr(fire, "write_plans", cut)
    ships.settings = ships.settings.model_copy(update={"chunk_schedules": 5})
    result = ships.tick(NOW)
    assert bool(result.errors) is result.more is (cuts > 1)
    left = 0
    assert ships.tick(NOW).errors == {}
    assert mistakes(ships, until=NOW) == []
