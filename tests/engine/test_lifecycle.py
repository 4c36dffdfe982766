"""Switching on and off, pausing and resuming: nothing surprising, and everything accounted for."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.schedules import lifecycle
from tick.errors import NotFound, Refused
from tick.ops.actions import run_now, switches
from tick.store.tables import audit_entry, occurrence

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def daily(world: World) -> World:
    """Daily at 02:00, enabled at 01:59."""
    world.define(a_schedule())
    world.enable()
    return world


def pause(world: World, reason: str = "moving house", until: datetime | None = None) -> None:
    switches.pause_schedule(
        world.database, Act(world.now, TESTER, reason=reason), "daily", until=until
    )


def resume(world: World, **how: object) -> list[int]:
    return switches.resume_schedule(world.database, Act(world.now, TESTER), "daily", **how)


def reasons(world: World) -> list[str | None]:
    o = occurrence.c
    return [row.reason for row in world.rows(sa.select(o.reason).order_by(o.scheduled_for))]


# --- the switch ---


def test_enabling_after_three_weeks_fires_nothing_and_leaves_one_row(
    world: World,
) -> None:
    world.define(a_schedule())
    world.now += timedelta(weeks=3)
    world.enable()
    assert world.tick().fired == []
    assert world.ledger() == [("SUPPRESSED", TWO, 21)]
    assert reasons(world) == ["it had not been switched on yet"]
    assert world.schedule().next_run_at == TWO + 21 * DAY


def test_enabling_says_who_had_switched_it_off(daily: World) -> None:
    daily.disable()
    daily.now += 2 * DAY
    daily.enable()
    assert daily.ledger() == [("SUPPRESSED", TWO, 2)]
    assert reasons(daily) == ["switched off by tester at 2026-03-01 01:59 UTC"]


def test_enabling_at_the_very_instant_fires_the_next_one(world: World) -> None:
    world.define(a_schedule())
    world.now = TWO
    world.enable()
    assert world.tick().fired == []
    assert world.ledger() == [("SUPPRESSED", TWO, 1)]
    assert world.schedule().next_run_at == TWO + DAY


def test_enabling_after_the_clock_was_set_back_decides_nothing_again(daily: World) -> None:
    daily.tick(TWO)
    daily.now = TWO - 3 * MINUTE
    daily.disable()
    daily.enable()
    assert daily.schedule().next_run_at == TWO + DAY
    assert daily.tick(TWO + MINUTE).fired == []


def test_a_switch_that_is_there_already_changes_nothing(daily: World) -> None:
    assert not switches.enable_schedule(daily.database, Act(TWO, TESTER), "daily")
    assert daily.schedule().next_run_at == TWO
    daily.disable()
    assert not switches.disable_schedule(daily.database, Act(TWO, TESTER), "daily")


def test_an_unknown_schedule_is_named(world: World) -> None:
    with pytest.raises(NotFound, match="'nightly'"):
        switches.enable_schedule(world.database, Act(TWO, TESTER), "nightly")


def test_a_removed_schedule_cannot_be_enabled(daily: World) -> None:
    daily.disable()
    daily.define(a_schedule("other"))
    with pytest.raises(Refused, match="removed from the definitions"):
        daily.enable()


def test_the_latest_instant_is_not_fired_twice_by_enabling_twice(world: World) -> None:
    world.now = TWO + HOUR
    world.define(a_schedule())
    world.enable(catch_up_latest=True)
    world.tick()
    world.finish_runs()
    world.disable()
    world.enable(catch_up_latest=True)
    assert world.tick(TWO + 2 * HOUR).fired == []
    assert world.ledger() == [("SUCCESS", TWO, 1)]


def test_the_latest_instant_is_not_fired_again_when_its_row_was_pruned(daily: World) -> None:
    daily.tick(TWO)
    daily.disable()
    with daily.database.write.begin() as connection:
        connection.execute(sa.text("DELETE FROM occurrence"))
    daily.now = TWO + HOUR
    daily.enable(catch_up_latest=True)
    assert daily.tick().fired == []


def test_a_single_instant_in_the_future_has_no_latest_one(world: World) -> None:
    world.define(a_schedule(at=TWO + DAY))
    world.enable(catch_up_latest=True)
    assert world.schedule().next_run_at == TWO + DAY


def test_of_two_people_at_one_switch_the_second_is_told(daily: World) -> None:
    with daily.database.write.begin() as connection:
        known = lifecycle.find_schedule(connection, "daily")
        connection.execute(sa.text("UPDATE job_schedule SET enabled = false"))
        with pytest.raises(Refused, match="somebody else"):
            lifecycle.switch(connection, known, {"enabled": True}, daily.now)


# --- failing again and again ---


def test_a_schedule_that_keeps_failing_ends_in_error(
    daily: World,
) -> None:
    now = TWO
    for _ in range(lifecycle.MAX_FIRE_ERRORS):
        with daily.database.write.begin() as connection:
            lifecycle.back_off(connection, "daily", now=now, error="no such thing")
        now += 2 * HOUR
    row = daily.schedule()
    assert (row.state, row.enabled, row.next_run_at) == ("ERROR", True, None)
    assert daily.ledger() == [("FIRE_FAILED", TWO, 1)]
    assert (row.failure_count, row.consecutive_failures) == (1, 1)
    assert daily.tick(TWO + DAY).due == 0
    daily.now = TWO + DAY + HOUR
    resume(daily)
    assert daily.schedule().next_run_at == TWO + 2 * DAY
    assert daily.schedule().fire_errors == 0
    assert daily.ledger() == [("FIRE_FAILED", TWO, 1), ("SUPPRESSED", TWO + DAY, 1)]


def test_the_pause_between_failures_grows_until_the_fifth(daily: World) -> None:
    waits = []
    for _ in range(4):
        with daily.database.write.begin() as connection:
            lifecycle.back_off(connection, "daily", now=TWO, error="no such thing")
        waits.append(daily.schedule().retry_after - TWO)
    assert waits == [2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 16 * MINUTE]
    with daily.database.write.begin() as connection:
        lifecycle.back_off(connection, "daily", now=TWO, error="no such thing")
    assert (daily.schedule().state, daily.schedule().retry_after) == ("ERROR", None)


def test_a_back_off_ends_with_a_retry_and_success_resets_it(
    daily: World,
) -> None:
    with daily.database.write.begin() as connection:
        lifecycle.back_off(connection, "daily", now=TWO, error="no such thing")
    assert daily.tick(TWO + MINUTE).due == 0
    assert daily.tick(TWO + 2 * MINUTE).fired_count == 1
    row = daily.schedule()
    assert (row.fire_errors, row.last_error, row.retry_after) == (0, None, None)


@pytest.fixture
def backing_off(daily: World) -> World:
    """It failed twice, and is not tried again until three minutes after two."""
    for _ in range(2):
        with daily.database.write.begin() as connection:
            lifecycle.back_off(connection, "daily", now=TWO - MINUTE, error="no such thing")
    return daily


def test_switched_off_and_on_it_is_tried_again_at_once(backing_off: World) -> None:
    backing_off.disable()
    backing_off.enable()
    assert backing_off.tick(TWO).fired_count == 1


def test_after_a_pause_it_is_tried_again_at_once(backing_off: World) -> None:
    pause(backing_off, until=TWO)
    assert backing_off.tick(TWO).fired_count == 1


def test_giving_up_after_the_clock_was_set_back_leaves_what_was_decided(daily: World) -> None:
    daily.tick(TWO)
    with daily.database.write.begin() as connection:
        known = lifecycle.find_schedule(connection, "daily")
        lifecycle.give_up(connection, known, now=TWO - HOUR, error="no such thing")
    assert daily.schedule().decided_to == TWO


def test_what_was_read_before_a_firing_is_not_written_after_it(daily: World) -> None:
    with daily.database.write.begin() as connection:
        known = lifecycle.find_schedule(connection, "daily")
    daily.tick(TWO)
    with daily.database.write.begin() as connection, pytest.raises(Refused, match="somebody else"):
        lifecycle.switch(connection, known, {"next_run_at": TWO}, daily.now)


# --- pausing ---


def test_a_paused_schedule_does_not_fire_and_says_why(daily: World) -> None:
    pause(daily)
    assert daily.tick(TWO).due == 0
    row = daily.schedule()
    assert (row.enabled, row.state, row.state_reason, row.state_by) == (
        True,
        "PAUSED",
        "moving house",
        "tester",
    )
    assert row.next_run_at is None


def test_a_pause_needs_a_reason_and_an_end_that_is_to_come(daily: World) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        pause(daily, reason="  ")
    with pytest.raises(Refused, match="has passed"):
        pause(daily, until=daily.now)


def test_what_was_removed_cannot_be_paused(daily: World) -> None:
    daily.define(a_schedule("other"))
    with pytest.raises(Refused, match="is REMOVED"):
        pause(daily)


def test_resuming_fires_nothing_and_leaves_one_suppressed_row(daily: World) -> None:
    pause(daily)
    daily.now = TWO + 2 * DAY + HOUR
    resume(daily)
    assert daily.tick().fired == []
    assert daily.ledger() == [("SUPPRESSED", TWO, 3)]
    assert reasons(daily) == ["paused by tester: moving house"]
    assert daily.schedule().next_run_at == TWO + 3 * DAY


def test_resuming_with_the_latest_fires_that_one_with_the_next_tick(daily: World) -> None:
    pause(daily)
    daily.now = TWO + 2 * DAY + HOUR
    resume(daily, catch_up_latest=True)
    assert [line.scheduled_for for line in daily.tick().fired] == [TWO + 2 * DAY]
    assert daily.ledger() == [("SUPPRESSED", TWO, 2), ("QUEUED", TWO + 2 * DAY, 1)]


def test_resuming_with_chosen_instants_runs_those_one_after_the_other(daily: World) -> None:
    pause(daily)
    daily.now = TWO + 5 * DAY + HOUR
    first, second = resume(daily, run=[TWO + 3 * DAY, TWO + DAY])
    assert daily.ledger() == [
        ("SUPPRESSED", TWO, 1),
        ("QUEUED", TWO + DAY, 1),
        ("SUPPRESSED", TWO + 2 * DAY, 1),
        ("QUEUED", TWO + 3 * DAY, 1),
        ("SUPPRESSED", TWO + 4 * DAY, 2),
    ]
    blockers = dict(
        tuple(row) for row in daily.rows(sa.select(occurrence.c.id, occurrence.c.blocked_by_id))
    )
    assert (blockers[first], blockers[second]) == (None, first)
    assert daily.tick().fired == []


def test_a_pause_ends_by_itself_and_what_follows_fires(daily: World) -> None:
    pause(daily, until=TWO + DAY + HOUR)
    assert daily.tick(TWO + DAY).due == 0
    result = daily.tick(TWO + DAY + 2 * HOUR)
    assert result.fired == []
    row = daily.schedule()
    assert (row.state, row.state_until, row.next_run_at) == ("ACTIVE", None, TWO + 2 * DAY)
    assert daily.ledger() == [("SUPPRESSED", TWO, 2)]
    assert daily.tick(TWO + 2 * DAY).fired_count == 1


def test_an_instant_at_the_end_of_a_pause_fires_with_the_tick_that_sees_it(daily: World) -> None:
    pause(daily, until=TWO)
    result = daily.tick(TWO + MINUTE)
    assert [line.scheduled_for for line in result.fired] == [TWO]
    assert daily.ledger() == [("QUEUED", TWO, 1)]


def test_resuming_after_a_pause_ended_suppresses_nothing_due_since(
    daily: World,
) -> None:
    pause(daily, until=TWO)
    daily.now = TWO + MINUTE / 3
    resume(daily)
    assert daily.ledger() == []
    assert [line.scheduled_for for line in daily.tick().fired] == [TWO]


def test_resuming_at_the_end_of_a_pause_leaves_its_instant_to_the_tick(daily: World) -> None:
    pause(daily, until=TWO)
    daily.now = TWO
    resume(daily)
    assert daily.tick().fired_count == 1


def test_resuming_late_with_the_latest_leaves_later_instants_to_the_rule(
    daily: World,
) -> None:
    pause(daily, until=TWO + HOUR)
    daily.now = TWO + 3 * DAY + HOUR
    resume(daily, catch_up_latest=True)
    assert [line.scheduled_for for line in daily.tick().fired] == [TWO + 3 * DAY]
    assert daily.ledger() == [
        ("SUPPRESSED", TWO, 1),
        ("COALESCED", TWO + DAY, 2),
        ("QUEUED", TWO + 3 * DAY, 1),
    ]


def test_running_an_instant_after_the_end_of_a_pause_leaves_it_to_the_tick(daily: World) -> None:
    pause(daily, until=TWO + DAY)
    daily.now = TWO + DAY + MINUTE
    run_now.run_slots(daily.database, Act(daily.now, TESTER), "daily", [TWO])
    assert daily.ledger() == [("QUEUED", TWO, 1)]
    daily.finish_runs()
    assert [line.scheduled_for for line in daily.tick().fired] == [TWO + DAY]


def test_many_pauses_end_in_one_tick(world: World) -> None:
    names = [f"s{number:03}" for number in range(120)]
    world.define(*(a_schedule(name) for name in names))
    for name in names:
        world.enable(name)
    with world.database.write.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE job_schedule SET state = 'PAUSED', next_run_at = NULL, state_until = :until"
            ).bindparams(
                sa.bindparam("until", TWO - MINUTE / 2, type_=occurrence.c.decided_at.type)
            )
        )
    world.settings = world.settings.model_copy(update={"chunk_schedules": 50})
    assert world.tick(TWO).fired_count == 120


def test_a_pause_that_ends_while_the_schedule_is_off_leaves_it_off(daily: World) -> None:
    pause(daily, until=TWO + HOUR)
    daily.disable()
    daily.tick(TWO + DAY)
    row = daily.schedule()
    assert (row.state, row.enabled, row.next_run_at) == ("ACTIVE", False, None)


def test_instants_passed_while_disabled_do_not_fire_after_a_pause(
    daily: World,
) -> None:
    pause(daily, until=TWO - MINUTE / 2)
    daily.now = TWO - MINUTE / 3
    daily.disable()
    daily.now = TWO + MINUTE / 2
    daily.enable()
    assert daily.tick(TWO + MINUTE).fired == []
    assert daily.ledger() == [("SUPPRESSED", TWO, 1)]
    assert daily.schedule().next_run_at == TWO + DAY


def test_the_end_of_a_pause_undoes_no_decision_after_a_clock_step(
    daily: World,
) -> None:
    daily.tick(TWO)
    daily.now = TWO - HOUR
    pause(daily, until=TWO - MINUTE)
    daily.tick(TWO - MINUTE / 2)
    row = daily.schedule()
    assert (row.state, row.decided_to, row.next_run_at) == ("ACTIVE", TWO, TWO + DAY)


def test_what_is_off_stays_off_when_its_pause_is_ended(daily: World) -> None:
    pause(daily)
    daily.disable()
    resume(daily)
    assert (daily.schedule().state, daily.schedule().next_run_at) == ("ACTIVE", None)


def test_a_pause_outlives_the_switch(daily: World) -> None:
    pause(daily)
    daily.disable()
    daily.enable()
    assert daily.schedule().state == "PAUSED"
    assert daily.tick(TWO).due == 0


def test_what_is_not_paused_cannot_be_resumed(daily: World) -> None:
    with pytest.raises(Refused, match="nothing to resume"):
        resume(daily)


def test_a_pause_and_its_end_are_in_the_audit(daily: World) -> None:
    pause(daily, until=TWO + DAY)
    daily.now = TWO
    resume(daily)
    a = audit_entry.c
    found = daily.rows(sa.select(a.action, a.reason, a.after).order_by(a.id))
    assert [tuple(row) for row in found][-2:] == [
        (
            "schedule.pause",
            "moving house",
            {"state": "PAUSED", "until": "2026-03-02T02:00:00+00:00"},
        ),
        ("schedule.resume", None, {"state": "ACTIVE"}),
    ]


def test_the_switch_is_in_the_audit(daily: World) -> None:
    daily.disable()
    a = audit_entry.c
    found = daily.rows(sa.select(a.action, a.before, a.after).order_by(a.id))
    assert [tuple(row) for row in found][-2:] == [
        ("schedule.enable", {"enabled": False}, {"enabled": True}),
        ("schedule.disable", {"enabled": True}, {"enabled": False}),
    ]
