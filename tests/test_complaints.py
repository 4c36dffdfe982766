"""The ten things that users of other schedulers complain about most, each shown not to happen."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_schedule
from tick.engine.ledger.audit import Act
from tick.ops.actions import run_now, switches
from tick.ops.queries.health import read_health, read_page_status
from tick.ops.reports.verify import verify
from tick.store.tables import job_run, tick_log
from tick.syncing import ensure_synced

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def daily(world: World) -> World:
    """Daily at 02:00, enabled at 01:59."""
    world.define(a_schedule())
    world.enable()
    return world


def test_01_a_run_is_not_lost_because_a_restart_covered_its_minute(daily: World) -> None:
    daily.tick(TWO - MINUTE)
    ensure_synced(daily.runtime, TWO + MINUTE)  # the new release starts a minute late
    assert daily.tick(TWO + 2 * MINUTE).fired_count == 1


def test_01_a_minute_that_nobody_saw_is_on_record_and_one_click_from_running(daily: World) -> None:
    daily.tick(TWO + HOUR)
    assert daily.ledger() == [("MISSED", TWO, 1)]
    run_now.run_slots(daily.database, Act(daily.now, TESTER), "daily", [TWO])
    assert {run.scheduled_for for run in daily.runs()} == {TWO}


def test_02_the_same_occurrence_is_not_enqueued_twice_whoever_ticks(daily: World) -> None:
    for seconds in (0, 0, 1, 30, 59):
        daily.tick(TWO + timedelta(seconds=seconds))
    daily.tick(TWO - 5 * MINUTE)  # a second machine whose clock is behind
    daily.tick(TWO)
    assert daily.ledger() == [("QUEUED", TWO, 1)]
    assert len(daily.runs()) == 1


def test_03_a_scheduler_that_is_silent_is_noticed_by_everybody_who_looks(daily: World) -> None:
    for number in range(10):
        daily.tick(TWO + number * MINUTE)

    def ticks_are_late(now: datetime) -> bool:
        with daily.database.read.connect() as connection:
            signs = read_page_status(connection, now, dead_after_seconds=90)
            return read_health(connection, now, signs).ticks_are_late(now)

    assert not ticks_are_late(TWO + 11 * MINUTE)
    assert ticks_are_late(TWO + 20 * MINUTE)


def test_03_one_schedule_that_cannot_fire_does_not_silence_the_others(world: World) -> None:
    world.define(a_schedule("good"), a_schedule("broken"))
    world.enable("good")
    world.enable("broken")
    with world.database.write.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE schedule_version SET rule = '{\"kind\":\"LUNAR\"}', rule_key = 'broken' "
                "WHERE schedule_id = 'broken'"
            )
        )
    result = world.tick(TWO)
    assert [line.schedule_id for line in result.fired] == ["good"]
    assert "LUNAR" in result.errors["broken"]
    assert "LUNAR" in world.rows(sa.select(tick_log.c.error))[0].error


def test_04_daylight_saving_neither_skips_nor_doubles_a_daily_run(world: World) -> None:
    world.define(a_schedule(cron="30 1 * * *", timezone="America/New_York"))
    spring = a_schedule("spring", cron="30 2 * * *", timezone="America/New_York")
    world.define(*world.schedules, spring)
    world.enable()
    world.enable("spring")
    for night in (datetime(2026, 3, 8, 4, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)):
        world.tick(night)
        for minute in range(0, 300, 5):
            world.tick(night + minute * MINUTE)
            world.finish_runs()
    fired = [at for outcome, at, _ in world.ledger() if outcome == "SUCCESS"]
    assert fired == [
        datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    ]
    fired = [at for outcome, at, _ in world.ledger("spring") if outcome == "SUCCESS"]
    assert fired == [
        datetime(2026, 3, 8, 7, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 7, 30, tzinfo=UTC),
    ]


def test_05_a_recurring_job_can_be_paused_without_a_deploy_and_the_pause_ends(
    daily: World,
) -> None:
    switches.pause_schedule(
        daily.database,
        Act(daily.now, TESTER, reason="database is moving"),
        "daily",
        until=TWO + DAY + HOUR,
    )
    daily.define(a_schedule())  # a deploy does not lift it
    assert daily.tick(TWO).fired == []
    assert daily.tick(TWO + DAY).fired == []
    assert daily.tick(TWO + 2 * DAY).fired_count == 1


def test_06_enabling_fires_nothing_that_nobody_wanted(world: World) -> None:
    world.define(a_schedule(missed="CATCH_UP_ALL"))
    world.now = TWO + 21 * DAY + HOUR
    world.enable()
    assert world.tick().fired == []
    assert world.ledger() == [("SUPPRESSED", TWO, 22)]


def test_06_resuming_fires_nothing_that_nobody_wanted(daily: World) -> None:
    switches.pause_schedule(daily.database, Act(daily.now, TESTER, reason="why not"), "daily")
    daily.now = TWO + 3 * DAY + HOUR
    switches.resume_schedule(daily.database, Act(daily.now, TESTER), "daily")
    assert daily.tick().fired == []


@pytest.mark.parametrize("cron", ["0 1 * * *", "29 2 * * *", "30 2 * * *", "*/30 * * * *"])
def test_07_editing_the_cron_fires_neither_at_once_nor_yesterdays_slot(
    daily: World, cron: str
) -> None:
    daily.tick(TWO)
    daily.finish_runs()
    daily.now = TWO + HOUR / 2
    daily.define(a_schedule(cron=cron, missed="CATCH_UP_ALL"))
    assert daily.tick().fired == []
    assert daily.tick(TWO + HOUR / 2 + MINUTE).fired == []
    assert daily.schedule().next_run_at > TWO + HOUR / 2


@pytest.mark.parametrize(("missed", "fired"), [("SKIP", 0), ("CATCH_UP", 1), ("CATCH_UP_ALL", 10)])
def test_08_catching_up_is_chosen_and_is_no_storm(world: World, missed: str, fired: int) -> None:
    world.define(a_schedule("hourly", cron="30 * * * *", missed=missed))
    world.enable("hourly")
    most = 0
    for minute in range(20):
        most = max(most, world.tick(TWO + 20 * HOUR + minute * MINUTE).fired_count)
        world.finish_runs()
    assert len(world.runs()) == fired
    assert most <= 1
    assert verify(world.database, TWO, world.now).ok


def test_08_after_any_number_of_misses_a_schedule_goes_on(world: World) -> None:
    world.define(a_schedule("often", cron="* * * * *"))
    world.enable("often")
    assert world.tick(TWO + 700 * DAY).fired_count == 1
    assert len(world.ledger("often")) == 3


@pytest.mark.parametrize("seconds", [1, 59, 119])
def test_09_being_a_little_late_drops_nothing(daily: World, seconds: int) -> None:
    assert daily.tick(TWO + timedelta(seconds=seconds)).fired[0].late_seconds == seconds


def test_09_being_too_late_is_never_silent(daily: World) -> None:
    result = daily.tick(TWO + 3 * MINUTE)
    assert [line.outcome for line in result.not_fired] == ["MISSED"]


def test_10_a_removed_schedule_stops_and_a_new_one_is_picked_up(daily: World) -> None:
    daily.schedules = [a_schedule("nightly", cron="0 3 * * *")]
    ensure_synced(daily.runtime, daily.now)
    daily.enable("nightly")
    assert daily.tick(TWO).fired == []
    assert [line.schedule_id for line in daily.tick(TWO + HOUR).fired] == ["nightly"]


def test_10_a_renamed_schedule_does_not_run_under_both_names(daily: World) -> None:
    daily.define(a_schedule("nightly", renamed_from="daily"))
    assert [line.schedule_id for line in daily.tick(TWO).fired] == ["nightly"]


def test_10_during_a_rolling_deploy_old_and_new_processes_tick_one_set_of_definitions(
    daily: World,
) -> None:
    old, new = daily.schedules, [a_schedule(cron="0 3 * * *")]
    for minute in range(-1, 75):
        daily.schedules = new if minute % 2 else old
        now = TWO + minute * MINUTE
        ensure_synced(daily.runtime, now)
        daily.tick(now)
        daily.finish_runs()
    fired = daily.rows(sa.select(job_run.c.scheduled_for))
    assert fired == [(TWO + HOUR,)]
    assert verify(daily.database, TWO - HOUR, daily.now).ok
