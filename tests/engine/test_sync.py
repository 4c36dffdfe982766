"""Deploys: what a sync does to schedules, and that it fires nothing that nobody asked for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.define.schedules import Schedule
from tick.engine.ledger.audit import Act
from tick.engine.runs.settle import settle_occurrences
from tick.engine.schedules import generations, lifecycle, writer
from tick.engine.schedules.sync import sync
from tick.ops.actions import run_now, switches
from tick.store.tables import audit_entry, definition_set, job_run, schedule_version
from tick.syncing import ensure_synced, sync_definitions

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def daily(world: World) -> World:
    """Daily at 02:00, enabled at 01:59."""
    world.define(a_schedule())
    world.enable()
    return world


def deploy(world: World, at: datetime, *schedules: Schedule, **how: Any) -> None:
    """Put other definitions in place at an instant."""
    world.now = at
    world.define(*schedules, **how)


def versions(world: World, schedule_id: str = "daily") -> list[int]:
    v = schedule_version.c
    found = world.rows(sa.select(v.number).where(v.schedule_id == schedule_id).order_by(v.number))
    return [row.number for row in found]


def reasons(world: World, action: str) -> list[str | None]:
    a = audit_entry.c
    return [row.reason for row in world.rows(sa.select(a.reason).where(a.action == action))]


def actions(world: World) -> list[str]:
    return [row.action for row in world.rows(sa.select(audit_entry).order_by(audit_entry.c.id))]


def test_a_new_schedule_arrives_disabled_and_without_a_next_run(world: World) -> None:
    world.define(a_schedule())
    row = world.schedule()
    assert (row.enabled, row.state, row.next_run_at) == (False, "ACTIVE", None)
    assert world.tick(TWO + 30 * DAY).due == 0
    assert world.ledger() == []


def test_syncing_again_changes_nothing(daily: World) -> None:
    before = daily.schedule()
    report = sync_definitions(daily.runtime, daily.now + HOUR, author=TESTER)
    assert (report.generation, report.added, report.changed, report.removed) == (1, [], [], [])
    assert daily.schedule() == before


def test_an_edit_from_two_to_three_at_half_past_two_fires_at_three_only(daily: World) -> None:
    daily.tick(TWO)
    daily.finish_runs()
    deploy(daily, TWO + HOUR / 2, a_schedule(cron="0 3 * * *"))
    assert daily.schedule().next_run_at == TWO + HOUR
    assert daily.tick().fired == []
    daily.tick(TWO + HOUR)
    assert daily.ledger() == [("QUEUED", TWO + HOUR, 1)] or daily.ledger() == [
        ("SUCCESS", TWO, 1),
        ("QUEUED", TWO + HOUR, 1),
    ]


def test_an_interval_is_real_time_though_its_anchor_is_on_a_local_clock(daily: World) -> None:
    in_summer = datetime(2025, 7, 1, tzinfo=ZoneInfo("Europe/Paris"))
    deploy(daily, TWO + MINUTE, a_schedule(every=6 * HOUR, anchor=in_summer))
    assert daily.schedule().next_run_at == TWO + 2 * HOUR  # 22:00 UTC and every six hours


def test_an_edit_to_an_earlier_time_of_today_waits_for_tomorrow(daily: World) -> None:
    daily.tick(TWO)
    deploy(daily, TWO + HOUR, a_schedule(cron="0 1 * * *"))
    assert daily.tick().fired == []
    assert daily.schedule().next_run_at == TWO + DAY - HOUR


def test_what_was_due_at_the_edit_settles_under_the_old_rule(daily: World) -> None:
    deploy(daily, TWO + MINUTE, a_schedule(cron="0 3 * * *"), jobs=[a_job("new-job")])
    assert daily.ledger() == [("QUEUED", TWO, 1)]
    assert [run.job_name for run in daily.runs()] == ["match-scores"]
    assert daily.schedule().next_run_at == TWO + HOUR


def test_instants_missed_before_an_edit_are_missed_under_the_old_rule(daily: World) -> None:
    deploy(daily, TWO + HOUR, a_schedule(cron="0 3 * * *"))
    assert daily.ledger() == [("MISSED", TWO, 1)]
    assert daily.runs() == []
    assert daily.schedule().next_run_at == TWO + DAY + HOUR


def test_grace_at_a_deploy_is_learned_from_the_ticks_as_in_a_tick(daily: World) -> None:
    for number in range(8):
        daily.tick(TWO - 5 * MINUTE - number * 10 * MINUTE)
    deploy(daily, TWO + 9 * MINUTE, a_schedule(cron="0 3 * * *"))
    assert daily.ledger() == [("QUEUED", TWO, 1)]


def test_an_edit_while_disabled_says_that_it_was_disabled(world: World) -> None:
    world.define(a_schedule())
    deploy(world, TWO + 3 * DAY, a_schedule(cron="0 3 * * *"))
    assert world.schedule().next_run_at is None
    world.now += 3 * DAY
    world.enable()
    assert world.ledger() == [("SUPPRESSED", TWO, 4), ("SUPPRESSED", TWO + 3 * DAY + HOUR, 3)]


def test_an_edit_after_the_clock_was_set_back_decides_nothing_again(daily: World) -> None:
    daily.tick(TWO)
    daily.finish_runs()
    deploy(daily, TWO - 3 * MINUTE, a_schedule(cron="58 1 * * *"))
    assert daily.schedule().next_run_at == TWO + DAY - 2 * MINUTE
    for minute in range(-3, 5):
        assert daily.tick(TWO + minute * MINUTE).errors == {}
    assert daily.ledger() == [("SUCCESS", TWO, 1)]


def back_off(world: World, times: int) -> None:
    for _ in range(times):
        with world.database.write.begin() as connection:
            lifecycle.back_off(connection, "daily", now=world.now, error="no such thing")


def test_a_new_rule_does_not_wait_for_the_back_off_of_the_old_one(daily: World) -> None:
    daily.now = TWO
    back_off(daily, times=2)
    deploy(daily, TWO + MINUTE, a_schedule(cron="2 2 * * *"))
    assert daily.tick(TWO + 2 * MINUTE).fired_count == 1


def test_a_returned_schedule_does_not_wait_for_its_old_back_off(daily: World) -> None:
    deploy(daily, TWO, a_schedule(cron="* * * * *"))
    back_off(daily, times=2)
    deploy(daily, TWO + MINUTE / 2, a_schedule("other"))
    deploy(daily, TWO + MINUTE, a_schedule(cron="* * * * *"))
    assert daily.schedule().retry_after is None


def test_an_edit_of_a_paused_schedule_leaves_it_paused(daily: World) -> None:
    switches.pause_schedule(daily.database, Act(daily.now, TESTER, reason="moving house"), "daily")
    deploy(daily, TWO - MINUTE / 2, a_schedule(cron="0 3 * * *"))
    assert (daily.schedule().state, daily.schedule().next_run_at) == ("PAUSED", None)


def test_a_change_of_words_makes_no_version_and_is_stored(daily: World) -> None:
    deploy(daily, TWO - HOUR, a_schedule(name="Every night", description="Better said"))
    row = daily.schedule()
    assert (row.name, row.description) == ("Every night", "Better said")
    assert versions(daily) == [1]
    assert row.next_run_at == TWO


def test_a_change_of_words_alone_reaches_the_database_by_itself(daily: World) -> None:
    daily.schedules = [a_schedule(name="Every night")]
    ensure_synced(daily.runtime, daily.now)
    assert daily.schedule().name == "Every night"


def test_a_change_of_the_target_alone_makes_a_version_and_keeps_the_cursor(daily: World) -> None:
    before = daily.schedule()
    deploy(daily, TWO - MINUTE / 2, a_schedule(), jobs=[a_job("match-scores"), a_job("more")])
    after = daily.schedule()
    assert versions(daily) == [1, 2]
    assert (after.next_run_at, after.decided_to) == (before.next_run_at, before.decided_to)
    assert [run.job_name for run in [*daily.tick(TWO).fired, *daily.runs()][1:]] == [
        "match-scores",
        "more",
    ]


def test_a_removed_schedule_stops_at_once_and_keeps_its_history(daily: World) -> None:
    daily.tick(TWO)
    deploy(daily, TWO + HOUR, a_schedule("other"))
    row = daily.schedule()
    assert (row.state, row.enabled, row.next_run_at) == ("REMOVED", True, None)
    assert row.state_reason == "not in the definitions since generation 2"
    assert daily.tick(TWO + DAY).fired == []
    assert daily.ledger() == [("QUEUED", TWO, 1)]


def test_a_schedule_back_within_two_weeks_is_enabled_and_replays_nothing(
    daily: World,
) -> None:
    daily.tick(TWO)
    daily.finish_runs()
    deploy(daily, TWO + HOUR, a_schedule("other"))
    deploy(daily, TWO + 14 * DAY + HOUR, a_schedule())
    assert daily.schedule().enabled
    assert daily.schedule().next_run_at == TWO + 15 * DAY
    assert daily.tick().fired == []
    assert daily.ledger() == [("SUCCESS", TWO, 1), ("SUPPRESSED", TWO + DAY, 14)]


def test_a_schedule_that_returns_after_two_weeks_is_like_a_new_one(daily: World) -> None:
    deploy(daily, TWO - MINUTE, a_schedule("other"))
    deploy(daily, TWO + 14 * DAY, a_schedule())
    assert (daily.schedule().enabled, daily.schedule().next_run_at) == (False, None)
    assert daily.tick(TWO + 16 * DAY).fired == []


def test_a_schedule_that_returns_with_another_rule_goes_on_by_the_new_one(daily: World) -> None:
    deploy(daily, TWO - MINUTE, a_schedule("other"))
    deploy(daily, TWO + 2 * DAY + MINUTE, a_schedule(cron="0 5 * * *"))
    assert daily.ledger() == [("SUPPRESSED", TWO, 3)]
    assert daily.schedule().next_run_at == TWO + 2 * DAY + 3 * HOUR


def test_a_paused_schedule_that_is_removed_and_returns_is_still_paused(daily: World) -> None:
    until = TWO + 9 * DAY
    switches.pause_schedule(
        daily.database, Act(daily.now, TESTER, reason="moving house"), "daily", until=until
    )
    deploy(daily, TWO + HOUR, a_schedule("other"))
    assert daily.schedule().state_until is None
    deploy(daily, TWO + 5 * HOUR, a_schedule())
    row = daily.schedule()
    assert (row.state, row.state_reason, row.state_until) == ("PAUSED", "moving house", until)
    assert row.next_run_at is None


def test_a_pause_that_ended_before_the_latest_removal_does_not_come_back(daily: World) -> None:
    switches.pause_schedule(daily.database, Act(daily.now, TESTER, reason="moving house"), "daily")
    deploy(daily, TWO + HOUR, a_schedule("other"))
    deploy(daily, TWO + 2 * HOUR, a_schedule())
    switches.resume_schedule(daily.database, Act(daily.now, TESTER), "daily")
    deploy(daily, TWO + 3 * HOUR, a_schedule("other"))
    deploy(daily, TWO + 4 * HOUR, a_schedule())
    assert (daily.schedule().state, daily.schedule().next_run_at) == ("ACTIVE", TWO + DAY)


def test_a_database_that_fails_during_a_deploy_is_no_error_of_the_schedule(
    daily: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("the server is gone"))

    monkeypatch.setattr(writer, "fire_due", fail)
    with pytest.raises(sa.exc.OperationalError):
        deploy(daily, TWO, a_schedule(cron="0 3 * * *"))
    assert (daily.schedule().state, versions(daily)) == ("ACTIVE", [1])


def test_a_renamed_schedule_keeps_its_history_its_switch_and_its_cursor(daily: World) -> None:
    daily.tick(TWO)
    deploy(daily, TWO + HOUR, a_schedule("nightly", renamed_from="daily"))
    assert daily.rows(sa.select(job_run.c.schedule_id)) == [("nightly",)]
    assert daily.ledger("daily") == []
    assert daily.ledger("nightly") == [("QUEUED", TWO, 1)]
    row = daily.schedule("nightly")
    assert (row.enabled, row.next_run_at, row.run_count) == (True, TWO + DAY, 1)
    assert versions(daily, "nightly") == [1]


def test_a_rename_settles_what_was_due_under_the_old_name_once(daily: World) -> None:
    deploy(daily, TWO, a_schedule("nightly", renamed_from="daily"))
    daily.tick(TWO + MINUTE)
    assert daily.ledger("nightly") == [("QUEUED", TWO, 1)]
    assert len(daily.runs()) == 1


def test_a_rename_that_stays_in_the_code_is_done_once(daily: World) -> None:
    renamed = a_schedule("nightly", renamed_from="daily")
    deploy(daily, TWO - MINUTE, renamed)
    deploy(daily, TWO - MINUTE / 2, renamed, a_schedule("other"))
    assert (
        len(daily.rows(sa.select(audit_entry).where(audit_entry.c.action == "schedule.rename")))
        == 1
    )
    assert daily.schedule("nightly").enabled


def test_a_schedule_removed_in_one_deploy_can_be_renamed_in_the_next(daily: World) -> None:
    deploy(daily, TWO - MINUTE, a_schedule("other"))
    deploy(daily, TWO + HOUR, a_schedule("other"), a_schedule("nightly", renamed_from="daily"))
    row = daily.schedule("nightly")
    assert (row.state, row.enabled, row.next_run_at) == ("ACTIVE", True, TWO + DAY)
    assert daily.ledger("nightly") == [("SUPPRESSED", TWO, 1)]


def force(world: World) -> generations.DefinitionStatus:
    with world.database.read.connect() as connection:
        return generations.definition_status(connection, world.registry)


def test_an_older_release_cannot_bring_its_definitions_back(daily: World) -> None:
    old = daily.schedules
    deploy(daily, TWO + HOUR, a_schedule(cron="0 5 * * *"))
    assert force(daily) is generations.DefinitionStatus.IN_FORCE
    daily.schedules = old
    assert force(daily) is generations.DefinitionStatus.SUPERSEDED
    ensure_synced(daily.runtime, daily.now + MINUTE)
    assert daily.schedule().next_run_at == TWO + 3 * HOUR
    assert versions(daily) == [1, 2]


def test_definitions_without_a_schedule_remove_nothing_by_themselves(daily: World) -> None:
    daily.schedules = ()
    ensure_synced(daily.runtime, daily.now)
    assert daily.schedule().state == "ACTIVE"


def test_a_tick_of_an_older_release_fires_what_the_newest_sync_stored(daily: World) -> None:
    old = daily.schedules
    deploy(daily, TWO - MINUTE, a_schedule(cron="0 5 * * *"), jobs=[a_job("new-job")])
    daily.schedules, daily.jobs = old, [a_job("match-scores")]
    assert daily.tick(TWO).fired == []
    daily.tick(TWO + 3 * HOUR)
    assert [run.job_name for run in daily.runs()] == ["new-job"]


def test_rolling_back_a_deploy_fires_nothing_and_restores_the_old_rule(daily: World) -> None:
    old = daily.schedules
    deploy(daily, TWO + HOUR, a_schedule(cron="0 5 * * *"))
    deploy(daily, TWO + HOUR + MINUTE, *old)
    assert daily.schedule().next_run_at == TWO + DAY
    assert daily.tick().fired == []
    assert versions(daily) == [1, 2, 3]
    generations = daily.rows(sa.select(definition_set.c.generation))
    assert len(generations) == 3


def test_a_new_version_brings_a_schedule_out_of_error(daily: World) -> None:
    with daily.database.write.begin() as connection:
        connection.execute(
            sa.text("UPDATE job_schedule SET state = 'ERROR', next_run_at = NULL, fire_errors = 5")
        )
    deploy(daily, TWO + HOUR, a_schedule(), jobs=[a_job("mended")])
    row = daily.schedule()
    assert (row.state, row.fire_errors, row.next_run_at) == ("ACTIVE", 0, TWO + DAY)


def test_processes_that_start_together_sync_once(world: World) -> None:
    at_once, failures = Barrier(4), []

    def start() -> None:
        at_once.wait()
        try:
            ensure_synced(world.runtime, world.now)
        except Exception as error:
            failures.append(error)

    threads = [Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert versions(world) == [1]
    assert len(world.rows(sa.select(definition_set))) == 1


def test_every_change_is_in_the_audit(daily: World) -> None:
    deploy(daily, TWO + HOUR, a_schedule("other"))
    deploy(daily, TWO + 2 * HOUR, a_schedule(cron="0 4 * * *"))
    assert actions(daily) == [
        "environment.set",
        "schedule.add",
        "schedule.enable",
        "schedule.add",
        "schedule.remove",
        "schedule.return",
        "schedule.change",
        "schedule.remove",
    ]


def test_a_rule_that_this_release_cannot_read_can_be_replaced(daily: World) -> None:
    with daily.database.write.begin() as connection:
        connection.execute(
            sa.text("UPDATE schedule_version SET rule = '{\"kind\":\"LUNAR\"}', digest = 'x'")
        )
    for number in range(6):
        assert "LUNAR" in daily.tick(TWO + number * 3 * HOUR).errors.get("daily", "LUNAR")
    assert daily.schedule().state == "ERROR"
    deploy(daily, TWO + 20 * HOUR, a_schedule())
    assert daily.schedule().next_run_at == TWO + DAY
    assert daily.tick(TWO + DAY).fired_count == 1


def test_a_paused_schedule_that_returns_under_another_name_is_still_paused(daily: World) -> None:
    switches.pause_schedule(daily.database, Act(daily.now, TESTER, reason="moving house"), "daily")
    deploy(daily, TWO + HOUR, a_schedule("other"))
    deploy(daily, TWO + 2 * HOUR, a_schedule("nightly", renamed_from="daily"))
    row = daily.schedule("nightly")
    assert (row.state, row.state_reason, row.next_run_at) == ("PAUSED", "moving house", None)


def test_instants_due_after_a_pause_are_decided_by_the_old_rule(daily: World) -> None:
    switches.pause_schedule(
        daily.database,
        Act(daily.now, TESTER, reason="moving house"),
        "daily",
        until=TWO - timedelta(seconds=30),
    )
    deploy(daily, TWO + timedelta(seconds=30), a_schedule(cron="0 3 * * *"))
    assert daily.ledger() == [("QUEUED", TWO, 1)]
    assert (daily.schedule().state, daily.schedule().next_run_at) == ("ACTIVE", TWO + HOUR)


def test_sync_and_settle_of_the_same_schedules_do_not_deadlock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.database.write.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    world.define(a_schedule("a"), a_schedule("z"))
    made = [run_now.run_schedule(world.database, Act(world.now, TESTER), name) for name in "az"]
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).values(status="SUCCESS", finished_at=world.now))
    changing, failures = Event(), []

    def settle() -> None:
        changing.wait(10)
        try:
            with world.database.write.begin() as connection:
                settle_occurrences(connection, made, world.now)
        except Exception as error:
            failures.append(error)

    def find_slowly(connection: sa.Connection, schedule_id: str) -> lifecycle.LockedSchedule:
        found = find_schedule(connection, schedule_id)
        if not changing.is_set():
            changing.set()
            wait_until_blocked(connection)
        return found

    find_schedule = lifecycle.find_schedule
    monkeypatch.setattr(lifecycle, "find_schedule", find_slowly)
    rival = Thread(target=settle)
    rival.start()
    world.define(a_schedule("z", cron="5 2 * * *"), a_schedule("a", cron="5 2 * * *"))
    rival.join()
    assert failures == []


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("action", [switches.disable_schedule, run_now.run_schedule])
def test_an_action_that_waited_for_a_deploy_finds_its_schedule(
    daily: World, action: Callable[..., object]
) -> None:
    rival = Thread(target=action, args=(daily.database, Act(daily.now, TESTER), "daily"))
    daily.schedules = [a_schedule(cron="0 3 * * *")]
    with daily.database.write.begin() as connection:
        sync(connection, daily.registry, now=daily.now, author=TESTER, release="-")
        rival.start()
        wait_until_blocked(connection)
    rival.join()
    assert {"schedule.disable", "schedule.run"} & set(actions(daily))


def wait_until_blocked(connection: sa.Connection) -> None:
    """Until another transaction waits for this one; on PostgreSQL."""
    blocked = sa.text(
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    assert any(connection.execute(blocked).scalar() for _ in range(5000))
