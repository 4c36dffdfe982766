"""What a tick decides, and that it decides it once."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tick.engine.firing.claim_schedules import TickClaim, due_ids
from tick.engine.firing.fire import fire_due
from tick.states import Outcome
from tick.store.tables import (
    job_run,
    job_run_dependency,
    job_schedule,
    occurrence,
    schedule_version,
    tick_log,
)
from tick.ticks.tick import run_tick

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
JOBS = (
    a_job("content-features", "search"),
    a_job("match-scores", depends_on=["content-features"]),
    a_job("trending", "feed"),
)


@pytest.fixture
def daily(world: World) -> World:
    """Daily at 02:00 over three jobs, enabled at 01:59."""
    world.define(a_schedule(), jobs=JOBS)
    world.enable()
    return world


def test_nothing_fires_before_its_minute(daily: World) -> None:
    result = daily.tick(TWO - MINUTE)
    assert (result.fired, result.not_fired, daily.ledger()) == ([], [], [])


def test_a_due_schedule_fires_once_with_all_its_runs(daily: World) -> None:
    result = daily.tick(TWO)
    assert [line.scheduled_for for line in result.fired] == [TWO]
    assert result.runs == 3
    assert daily.ledger() == [("QUEUED", TWO, 1)]
    runs = daily.runs()
    assert [run.job_name for run in runs] == ["content-features", "trending", "match-scores"]
    assert {run.trigger for run in runs} == {"CRON"}
    assert {run.schedule_id for run in runs} == {"daily"}
    assert runs[0].run_metadata == {
        "scheduleId": "daily",
        "scheduleName": "Daily",
        "executionMode": "ALL_JOBS",
        "scheduledFor": "2026-03-01T02:00:00Z",
    }


def test_the_schedule_remembers_what_it_fired(daily: World) -> None:
    daily.tick(TWO)
    row = daily.schedule()
    assert row.next_run_at == TWO + timedelta(days=1)
    assert row.last_run_at == TWO
    assert row.last_run_id == daily.runs()[0].id
    assert row.run_count == 1
    assert (row.locked_at, row.locked_by) == (None, None)
    assert row.decided_to == TWO


def test_the_same_minute_again_fires_nothing(daily: World) -> None:
    daily.tick(TWO)
    again = daily.tick(TWO)
    assert (again.fired, again.due) == ([], 0)
    assert len(daily.runs()) == 3


def move_cursor(world: World, **values: object) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_schedule).values(values))


def test_an_instant_that_stands_in_the_ledger_is_not_fired_again(daily: World) -> None:
    daily.tick(TWO)
    daily.finish_runs()
    move_cursor(daily, next_run_at=TWO, decided_to=TWO - MINUTE)
    again = daily.tick(TWO + MINUTE)
    assert (again.due, again.runs, again.errors) == (1, 0, {})
    assert (daily.schedule().run_count, len(daily.runs())) == (1, 3)


@pytest.mark.parametrize("table", [occurrence, job_run], ids=str)
def test_unique_keys_refuse_an_instant_and_its_jobs_a_second_time(
    daily: World, table: sa.Table
) -> None:
    daily.tick(TWO)
    columns = [column for column in table.c if column.name != "id"]
    copy = sa.insert(table).from_select(columns, sa.select(*columns).limit(1))
    with pytest.raises(sa.exc.IntegrityError), daily.database.write.begin() as connection:
        connection.execute(copy)


def test_nothing_fires_below_the_high_water_mark(
    daily: World,
) -> None:
    daily.tick(TWO)
    daily.tick(TWO + timedelta(days=1))
    with daily.database.write.begin() as connection:
        connection.execute(sa.delete(job_run))
        connection.execute(sa.delete(occurrence))
    move_cursor(daily, next_run_at=TWO)
    assert list(daily.tick(TWO + MINUTE).errors) == ["daily"]
    assert (daily.ledger(), daily.runs()) == ([], [])


@pytest.mark.parametrize(
    "off", [{"enabled": False}, {"state": "PAUSED"}, {"state": "REMOVED"}, {"state": "ERROR"}]
)
def test_what_is_off_does_not_fire_whatever_its_next_instant_says(
    daily: World, off: dict[str, object]
) -> None:
    move_cursor(daily, **off)
    assert daily.tick(TWO).due == 0
    assert daily.ledger() == []


def test_of_what_is_due_the_longest_due_is_decided_first(world: World) -> None:
    world.now = TWO - 5 * MINUTE
    world.define(a_schedule("a"), a_schedule("z", cron="59 1 * * *"))
    for name in "az":
        world.enable(name)
    with world.database.write.begin() as connection:
        connection.execute(sa.text("ANALYZE job_schedule"))  # no index for so few rows
        assert due_ids(connection, TWO, 2) == ["z", "a"]
        fire_due(connection, TickClaim("tick", "tick.1", TWO), limit=1, tick_seconds=60)
    assert (world.ledger("a"), len(world.ledger("z"))) == ([], 1)


def test_an_outage_over_the_minute_leaves_a_missed_row_and_no_run(daily: World) -> None:
    daily.tick(TWO - timedelta(minutes=10))
    result = daily.tick(TWO + timedelta(minutes=5))
    assert result.fired == []
    assert daily.ledger() == [("MISSED", TWO, 1)]
    assert daily.runs() == []
    assert "no tick came in time" in result.not_fired[0].reason
    assert daily.schedule().next_run_at == TWO + timedelta(days=1)


def test_a_tick_that_is_two_minutes_late_still_fires(daily: World) -> None:
    result = daily.tick(TWO + 2 * MINUTE)
    assert result.fired[0].late_seconds == 120


def test_a_disabled_schedule_never_fires(world: World) -> None:
    world.define(a_schedule())
    assert world.tick(TWO).due == 0
    world.enable()
    world.disable()
    assert world.tick(TWO + timedelta(days=1)).due == 0
    assert world.runs() == []


def test_the_dependencies_travel_with_the_runs(daily: World) -> None:
    daily.tick(TWO)
    names = {run.id: run.job_name for run in daily.runs()}
    edges = daily.rows(sa.select(job_run_dependency))
    assert [(names[edge.run_id], names[edge.depends_on_id]) for edge in edges] == [
        ("match-scores", "content-features")
    ]


def test_of_many_due_instants_the_newest_fires_and_the_rest_are_two_rows(world: World) -> None:
    world.define(a_schedule("often", cron="* * * * *"))
    world.enable("often")
    world.tick(TWO + timedelta(hours=16, minutes=40))
    ledger = world.ledger("often")
    assert [(outcome, count) for outcome, _, count in ledger] == [
        ("MISSED", 998),
        ("COALESCED", 2),
        ("QUEUED", 1),
    ]


def test_an_unfinished_occurrence_is_named_by_the_one_it_blocks(world: World) -> None:
    world.define(a_schedule("hourly", cron="0 * * * *"))
    world.enable("hourly")
    first = world.tick(TWO).fired[0]
    skipped = world.tick(TWO + timedelta(hours=1)).not_fired[0]
    assert skipped.outcome is Outcome.SKIPPED_OVERLAP
    row = world.rows(sa.select(occurrence).where(occurrence.c.id == skipped.id))[0]
    assert row.blocked_by_id == first.id
    world.finish_runs()
    assert world.tick(TWO + timedelta(hours=2)).fired


def test_schedules_with_equal_plans_share_it_and_get_their_own_rows(
    world: World,
) -> None:
    world.define(
        *(a_schedule(f"s{number:02}") for number in range(30)), a_schedule("odd", cron="1 2 * * *")
    )
    for schedule in world.schedules:
        world.enable(schedule.id)
    result = world.tick(TWO)
    assert result.fired_count == 30
    assert {run.schedule_id for run in world.runs()} == {f"s{number:02}" for number in range(30)}
    assert world.tick(TWO + MINUTE).fired[0].schedule_id == "odd"


def test_enabling_with_the_latest_instant_fires_it_and_it_is_not_late(
    world: World,
) -> None:
    world.now = TWO + timedelta(hours=9)
    world.define(a_schedule())
    world.enable(catch_up_latest=True)
    result = world.tick()
    assert result.fired[0].scheduled_for == TWO
    assert result.fired[0].late_seconds is None
    row = world.schedule()
    assert (row.next_run_at, row.asked_for) == (TWO + timedelta(days=1), None)
    assert row.decided_to == world.now
    world.finish_runs()
    assert world.tick(TWO + timedelta(days=1)).fired[0].scheduled_for == TWO + timedelta(days=1)


def test_the_name_of_whoever_ticks_is_cut_to_what_its_column_holds(world: World) -> None:
    run_tick(world.runtime, TWO, source="x" * 200)
    assert world.rows(sa.select(tick_log.c.source)) == [("x" * 100,)]


def test_a_broken_schedule_stops_only_itself(world: World) -> None:
    world.define(a_schedule("good"), a_schedule("broken"))
    world.enable("good")
    world.enable("broken")
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(schedule_version)
            .where(schedule_version.c.schedule_id == "broken")
            .values(rule='{"kind":"CRON","cron":"61 * * * *"}', rule_key="broken")
        )
    result = world.tick(TWO)
    assert [line.schedule_id for line in result.fired] == ["good"]
    assert "61" in result.errors["broken"]
    assert world.schedule("broken").retry_after == TWO + 2 * MINUTE
