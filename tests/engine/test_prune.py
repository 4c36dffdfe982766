"""Old rows go, what still matters stays, and what has gone is remembered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.support.factories import World, a_job, a_schedule
from tests.support.snapshots import fill_once
from tick.engine.runs.heartbeat import register_worker, stop_worker
from tick.engine.statistics import prune
from tick.engine.statistics.prune import Keep, count_prunable, prune_all
from tick.engine.statistics.prune_state import claim_prune, note_ledger, pruned_ticks, pruned_up_to
from tick.settings import Settings
from tick.states import WorkerType
from tick.store.tables import (
    audit_entry,
    job_log,
    job_run,
    job_run_dependency,
    occurrence,
    tick_log,
    worker_instance,
)
from tick.ticks.housekeeping import housekeeping

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FOREVER = Keep(days=36_500, log_days=36_500, tick_days=36_500, statistics_days=36_500)


@pytest.fixture
def month(world: World) -> World:
    """A run of two jobs and a log line each, on each of thirty nights."""
    fill_once(world, "thirty nights", _thirty_nights)
    return world


def _thirty_nights(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("a"), a_job("b", depends_on=["a"])])
    world.enable()
    for number in range(30):
        world.tick(TWO + number * DAY)
        world.finish_runs()
    lines = [
        {"run_id": run.id, "attempt": 1, "at": run.queued_at, "level": "info", "message": "hello"}
        for run in world.runs()
    ]
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(job_log), lines)


def count(world: World, table: sa.Table) -> int:
    return int(world.rows(sa.select(sa.func.count()).select_from(table))[0][0])


def prune_now(world: World, **keep: int) -> dict[str, int]:
    gone, done = prune_all(world.database.write, world.now, replace(FOREVER, **keep))
    assert done
    return {table: rows for table, rows in gone.items() if rows}


def test_runs_go_by_age_with_all_that_belongs_to_them(month: World) -> None:
    assert prune_now(month, days=10) == {"occurrence": 19, "job_run": 38, "job_log": 38}
    assert count(month, job_run_dependency) == 11
    assert min(row.decided_at for row in month.rows(sa.select(occurrence))) == TWO + 19 * DAY


def test_runs_go_by_number(month: World) -> None:
    assert prune_now(month, most_runs=6)["job_run"] == 54
    assert count(month, job_run) == 6


def test_log_lines_and_ticks_go_by_age_and_by_number(month: World) -> None:
    assert prune_now(month, log_days=10) == {"job_log": 38}
    assert prune_now(month, most_log_lines=5) == {"job_log": 17}
    assert prune_now(month, tick_days=10) == {"tick_log": 19}
    assert prune_now(month, most_ticks=4) == {"tick_log": 7}
    assert (count(month, job_log), count(month, tick_log)) == (5, 4)


@pytest.mark.parametrize(("slice_", "firings"), [(1, 1), (7, 2), (1000, 19)])
def test_a_prune_step_is_sized_by_rows_and_takes_at_least_one_firing(
    month: World, monkeypatch: pytest.MonkeyPatch, slice_: int, firings: int
) -> None:
    monkeypatch.setattr(prune, "SLICE", slice_)
    went: list[int] = []

    def note(_c: object, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("DELETE FROM occurrence "):
            went.append(cursor.rowcount)

    event.listen(month.database.write, "after_cursor_execute", note)
    prune_now(month, days=10)
    assert (max(went), sum(went)) == (firings, 19)


def test_the_last_firing_and_what_has_not_finished_stay_however_old(month: World) -> None:
    third, o = TWO + 2 * DAY, occurrence.c
    with month.database.write.begin() as connection:
        never_ended = sa.update(occurrence).where(o.scheduled_for == third)
        connection.execute(never_ended.values(outcome="RUNNING"))
    month.now += 400 * DAY
    prune_now(month, days=10)
    assert month.ledger() == [("RUNNING", third, 1), ("SUCCESS", TWO + 29 * DAY, 1)]


def test_the_audit_stays(month: World) -> None:
    before = count(month, audit_entry)
    month.now += 4000 * DAY
    prune_now(month, days=1, tick_days=1)
    assert before and count(month, audit_entry) == before


def test_processes_that_ended_long_ago_go(world: World) -> None:
    ids = []
    with world.database.write.begin() as connection:
        for _ in range(2):
            ids.append(
                register_worker(
                    connection, worker_type=WorkerType.JOB_WORKER, now=world.now, abilities={}
                )
            )
        stop_worker(connection, ids[0], world.now)
    world.now += 40 * DAY
    assert prune_now(world, days=30) == {"worker_instance": 1}
    assert [row.id for row in world.rows(sa.select(worker_instance))] == [ids[1]]


def test_a_dry_run_says_what_a_real_one_does_and_deletes_nothing(month: World) -> None:
    keep = replace(FOREVER, days=12, tick_days=3, most_log_lines=30)
    with month.database.read.connect() as connection:
        said = count_prunable(connection, month.now, keep)
    assert count(month, occurrence) == 30
    assert said == prune_all(month.database.write, month.now, keep)[0]


def test_how_far_the_ledger_was_pruned_is_remembered(month: World) -> None:
    with month.database.read.connect() as connection:
        assert pruned_up_to(connection) is None
    prune_now(month, days=10)
    with month.database.read.connect() as connection:
        assert pruned_up_to(connection) == TWO + 18 * DAY


def test_what_pruned_ticks_summed_up_to_is_remembered(month: World) -> None:
    prune_now(month, tick_days=10)
    prune_now(month, tick_days=5)
    with month.database.read.connect() as connection:
        found = pruned_ticks(connection)
    assert (found["ticks"], found["fired"], found["runs"]) == (24, 24, 48)


def test_ticks_prune_by_and_by_once_an_hour(month: World) -> None:
    month.settings = Settings(keep_days=10)
    month.tick(TWO + 29 * DAY + timedelta(minutes=30))
    assert count(month, occurrence) == 30  # not an hour since the tick that pruned last
    month.tick(TWO + 29 * DAY + timedelta(hours=1))
    assert count(month, occurrence) == 10


def test_a_pruning_without_time_goes_on_with_the_next_tick(month: World) -> None:
    moments = iter([True] * 4)
    gone, done = prune_all(
        month.database.write, month.now, replace(FOREVER, days=2), lambda: next(moments, False)
    )
    assert not done
    assert count(month, occurrence) > 3
    assert prune_now(month, days=2)["occurrence"] + gone["occurrence"] == 27


def test_a_tick_without_time_to_prune_leaves_that_to_the_next_one(month: World) -> None:
    engine, keep = month.database.write, replace(FOREVER, days=2)
    later = month.now + timedelta(hours=2)
    housekeeping(engine, later, keep, lambda: False)
    assert count(month, occurrence) == 30
    housekeeping(engine, later + timedelta(minutes=1), keep, lambda: True)
    assert count(month, occurrence) == 2


def test_how_far_the_ledger_was_pruned_is_never_taken_back(month: World) -> None:
    with month.database.write.begin() as connection:
        note_ledger(connection, TWO + 2 * DAY, month.now)
        note_ledger(connection, TWO + DAY, month.now)
        assert pruned_up_to(connection) == TWO + 2 * DAY


def test_of_two_ticks_at_one_moment_one_prunes(world: World) -> None:
    with world.database.write.begin() as connection:
        assert claim_prune(connection, world.now)
    with world.database.write.begin() as connection:
        assert not claim_prune(connection, world.now)
        assert claim_prune(connection, world.now + timedelta(hours=1))
