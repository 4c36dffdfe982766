"""A schedule whose calendar moves instants, from its sync to the ledger, and over its changes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick import Calendar
from tick.engine.ledger.audit import Act
from tick.engine.schedules.pause import end_pauses
from tick.engine.schedules.replay import replay_instants
from tick.errors import Refused
from tick.ops.actions.backfill import plan_backfill
from tick.ops.actions.switches import pause_schedule, resume_schedule
from tick.ops.queries.occurrences import get_occurrence
from tick.ops.queries.schedules import get_schedule
from tick.ops.reports.deploy_plan import plan_deploy
from tick.ops.reports.upcoming import list_next
from tick.ops.reports.verify import Proof, verify
from tick.ops.reports.why import explain
from tick.store.tables import job_schedule, occurrence, schedule_version

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SATURDAYS = {"cron": "0 2 * * 6"}
ACT = "tester"


def plant(**dates: str) -> Calendar:
    """A calendar with these holidays of March: `plant(d9="Fair")`."""
    holidays = {f"2026-03-{int(day[1:]):02}": name for day, name in dates.items()}
    return Calendar("plant", dates={"2026-12-25": "Christmas"} | holidays, until="2026-12-31")


def march(day: int, hour: int = 2) -> datetime:
    """1 March 2026 is a Sunday."""
    return datetime(2026, 3, 1, hour, tzinfo=UTC) + (day - 1) * DAY


def define(world: World, *calendars: Calendar, **parts: Any) -> None:
    """A schedule that the plant's calendar moves to the next business day."""
    world.calendars = calendars or [plant()]
    given = {"calendar": "plant", "day_rule": "NEXT_BUSINESS_DAY", "overlap": "ALLOW"} | SATURDAYS
    world.define(a_schedule(**(given | parts)), jobs=[a_job("a")])


@pytest.fixture
def moving(world: World) -> World:
    """Saturdays at 02:00, or the next business day; enabled on Sunday, 1 March, at noon."""
    world.now = march(1, 12)
    define(world)
    world.enable()
    return world


def through(world: World, *days: int) -> None:
    for day in days:
        world.tick(march(day) + MINUTE)


def rows(world: World) -> list[tuple[str, int, int | None]]:
    """(outcome, day, day of the nominal instant where it is another)."""
    o = occurrence.c
    found = world.rows(
        sa.select(o.outcome, o.scheduled_for, o.nominal_for).order_by(o.scheduled_for)
    )
    return [(each[0], each[1].day, each[2] and each[2].day) for each in found]


def reasons(world: World) -> list[str]:
    o = occurrence.c
    return [row[0] or "" for row in world.rows(sa.select(o.reason).order_by(o.scheduled_for))]


def why(world: World, at: datetime) -> str:
    with world.database.read.connect() as connection:
        return explain(connection, "daily", at, world.now).sentence


def proof(world: World) -> Proof:
    return verify(world.database, march(1, 12), world.now)


def is_proven(world: World) -> bool:
    found = proof(world)
    assert found.violations == ()
    return found.ok


def test_a_saturday_fires_on_monday_as_the_saturday_that_it_is(moving: World) -> None:
    through(moving, 2, 7, 8, 9, 10)
    # Saturday, 28 February, was before the schedule.
    assert rows(moving) == [("QUEUED", 9, 7)]
    assert reasons(moving) == ["moved from 2026-03-07 02:00 UTC by calendar plant: weekend"]
    assert is_proven(moving)
    ((id,),) = moving.rows(sa.select(occurrence.c.id))
    with moving.database.read.connect() as connection:
        assert get_occurrence(connection, id).nominal_for == march(7)


def test_why_answers_for_both_instants(moving: World) -> None:
    moving.tick(march(6))
    assert why(moving, march(7)) == (
        "daily at 2026-03-07 02:00:00 UTC is moved by its calendar. daily at 2026-03-09 02:00:00 "
        "UTC, moved there from 2026-03-07 02:00:00 UTC, is still to come."
    )
    through(moving, 9)
    assert why(moving, march(9)) == (
        "daily at 2026-03-09 02:00:00 UTC, moved there from 2026-03-07 02:00:00 UTC, fired, "
        "1 min late, and is QUEUED."
    )
    assert why(moving, march(7)).endswith(why(moving, march(9)))
    assert why(moving, march(8)).startswith("daily was not due at 2026-03-08")


def test_what_is_next_is_where_it_will_fire(moving: World) -> None:
    with moving.database.read.connect() as connection:
        coming = list_next(connection, "daily", moving.now, 2)
        assert get_schedule(connection, "daily").next_run_at == march(9)
        words = get_schedule(connection, "daily").timing.words
    assert [(each.at, each.nominal_for) for each in coming] == [
        (march(9), march(7)),
        (march(16), march(14)),
    ]
    assert words == "At 02:00, on Saturday, or on the next business day of plant"


def test_what_is_next_passes_over_what_a_calendar_drops(world: World) -> None:
    world.now = march(6, 12)
    define(world, cron="0 2 * * *", day_rule="ONLY_BUSINESS_DAYS")
    world.enable()
    assert world.schedule().next_run_at == march(7)  # where the tick writes that it was dropped
    with world.database.read.connect() as connection:
        shown = get_schedule(connection, "daily")
    assert shown.next_run_at == march(9)
    assert shown.model_dump(by_alias=True)["nextRunAt"] == march(9)


def test_those_that_meet_are_one_firing_and_rows_that_name_it(world: World) -> None:
    world.now = march(6, 12)
    define(world, cron="0 2 * * *")
    world.enable()
    through(world, 7, 8, 9)
    assert rows(world) == [("COALESCED", 7, None), ("COALESCED", 8, None), ("QUEUED", 9, None)]
    named = "where the schedule's own instant fires for it as well"
    assert reasons(world)[0] == f"calendar plant: weekend; moved to 2026-03-09 02:00 UTC, {named}"
    assert is_proven(world)
    assert "did not fire (COALESCED): calendar plant: weekend; moved" in why(world, march(7))


def test_an_outage_over_the_weekend_leaves_nothing_out(world: World) -> None:
    world.now = march(6, 1)
    define(world, cron="0 2 * * *")
    world.enable()
    world.tick(march(10) + MINUTE)
    # Friday and Monday were missed; what lay between them meets on Monday.
    assert [(row[0], row[1]) for row in rows(world)] == [
        ("MISSED", 6),
        ("COALESCED", 7),
        ("MISSED", 9),
        ("QUEUED", 10),
    ]
    assert is_proven(world)


def test_a_missed_one_keeps_its_own_instant_and_can_be_run_as_it(moving: World) -> None:
    through(moving, 12)
    assert rows(moving) == [("MISSED", 9, 7)]
    with moving.database.write.begin() as connection:
        replay_instants(connection, "daily", [march(9)], Act(moving.now, TESTER))
    assert rows(moving) == [("QUEUED", 9, 7)]
    assert is_proven(moving)


def test_a_range_that_is_split_keeps_where_each_was_moved_from(moving: World) -> None:
    moving.disable()
    moving.now = march(25)
    moving.enable()
    o = occurrence.c
    assert moving.ledger() == [("SUPPRESSED", march(9), 3)]
    with moving.database.write.begin() as connection:
        replay_instants(connection, "daily", [march(16)], Act(moving.now, TESTER))
    found = moving.rows(sa.select(o.outcome, o.nominal_for).order_by(o.scheduled_for))
    assert [(each[0], each[1]) for each in found] == [
        ("SUPPRESSED", march(7)),
        ("QUEUED", march(14)),
        ("SUPPRESSED", march(21)),
    ]
    assert is_proven(moving)


def test_a_backfill_runs_where_the_calendar_moved_and_no_holiday(world: World) -> None:
    world.now = march(20)
    define(world, cron="0 2 * * *")
    found = plan_backfill(world.database, "daily", march(6), march(10), now=world.now)
    assert found.wanted == (march(6), march(9), march(10))


def test_a_backfilled_instant_says_from_where_it_was_moved(world: World) -> None:
    world.now = march(20)
    define(world)
    found = plan_backfill(world.database, "daily", march(1), march(19), now=world.now)
    assert found.wanted == (march(2), march(9), march(16))
    with world.database.write.begin() as connection:
        replay_instants(connection, "daily", [march(2)], Act(world.now, TESTER))
    o = occurrence.c
    assert world.rows(sa.select(o.kind, o.nominal_for)) == [("BACKFILL", march(0))]


def test_a_pause_over_the_weekend_is_over_when_it_ends(moving: World) -> None:
    act = Act(march(6, 12), TESTER, reason="move")
    moving.now = act.now
    pause_schedule(moving.database, act, "daily", until=march(8, 12))
    moving.now = march(8, 13)
    with moving.database.write.begin() as connection:
        end_pauses(connection, moving.now, 10)
    assert moving.schedule().next_run_at == march(9)
    through(moving, 9)
    assert rows(moving) == [("QUEUED", 9, 7)]
    pause_schedule(moving.database, Act(march(13), TESTER, reason="move"), "daily")
    moving.now = march(17)
    resume_schedule(moving.database, Act(march(17), TESTER), "daily")
    assert rows(moving)[1:] == [("SUPPRESSED", 16, 14)]
    assert is_proven(moving)


# --- changes in between ---


def test_what_waits_to_be_fired_is_carried_over_a_change(moving: World) -> None:
    moving.tick(march(8))
    define(moving, plant(d9="Fair"))
    assert moving.schedule().next_run_at == march(10)
    through(moving, 9, 10)
    assert rows(moving) == [("QUEUED", 10, 7)]
    assert is_proven(moving)


def test_what_has_fired_does_not_fire_again_where_a_new_calendar_has_it(moving: World) -> None:
    through(moving, 9)
    moving.now = march(9, 12)
    define(moving, plant(d9="Fair"))
    # By the new one Saturday, 7 March, would fire on Tuesday.
    assert moving.schedule().next_run_at == march(16)
    through(moving, 10, 16)
    assert rows(moving) == [("QUEUED", 9, 7), ("QUEUED", 16, 14)]
    assert is_proven(moving)


def test_what_fired_early_does_not_fire_again_on_its_day(world: World) -> None:
    world.now = march(5)
    define(world, day_rule="PREVIOUS_BUSINESS_DAY")
    world.enable()
    through(world, 6)
    world.now = march(6, 12)
    for changed in ({"day_rule": "NEXT_BUSINESS_DAY"}, {"calendar": None, "day_rule": None}):
        define(world, **changed)
        assert world.schedule().next_run_at > march(9)
    through(world, 7, 9, 14)
    assert rows(world) == [("QUEUED", 6, 7), ("QUEUED", 14, None)]
    assert is_proven(world)


def test_a_move_never_goes_behind_what_is_decided(world: World) -> None:
    world.now = march(5)
    worked = Calendar("plant", working=["2026-03-07"], weekend=["sat", "sun"], until="2026-12-31")
    define(world, worked, day_rule="PREVIOUS_BUSINESS_DAY")
    world.enable()
    through(world, 6)
    world.now = march(6, 12)
    define(world, day_rule="PREVIOUS_BUSINESS_DAY")
    assert rows(world) == [("MISSED", 6, 7)]
    assert reasons(world) == [
        "its calendar was changed at 2026-03-06 12:00:00 UTC: it would now fire at 2026-03-06 "
        "02:00 UTC, and that time is decided already"
    ]
    world.tick(march(8))
    assert rows(world) == [("MISSED", 6, 7)]
    assert is_proven(world)
    assert "did not fire (MISSED): its calendar was changed" in why(world, march(7))
    with world.database.write.begin() as connection:
        replay_instants(connection, "daily", [march(6)], Act(world.now, TESTER))
    assert is_proven(world)


def test_a_waiting_one_whose_day_becomes_a_business_day_is_missed(moving: World) -> None:
    moving.tick(march(8))
    worked = Calendar("plant", working=["2026-03-07"], weekend=["sat", "sun"], until="2026-12-31")
    define(moving, worked)
    assert rows(moving) == [("MISSED", 7, None)]
    assert moving.schedule().next_run_at == march(16)
    assert is_proven(moving)


def test_a_waiting_one_that_meets_another_by_the_new_rule_is_coalesced(moving: World) -> None:
    moving.tick(march(8))
    define(moving, cron="0 2 * * *")
    assert rows(moving) == [("COALESCED", 7, None)]
    through(moving, 9)
    assert rows(moving) == [("COALESCED", 7, None), ("QUEUED", 9, None)]
    assert is_proven(moving)


def test_a_waiting_one_that_the_new_rule_does_not_have_is_missed(moving: World) -> None:
    moving.tick(march(8))
    define(moving, cron="0 5 * * 3")
    assert rows(moving) == [("MISSED", 7, None)]
    assert reasons(moving)[0].endswith("before it fired: the new one has no such instant")
    assert is_proven(moving)
    with moving.database.write.begin() as connection:
        replay_instants(connection, "daily", [march(7)], Act(moving.now, TESTER))
    assert is_proven(moving)


def test_without_its_calendar_what_waits_is_missed_and_of_a_schedule_that_is_off_suppressed(
    moving: World,
) -> None:
    moving.tick(march(8))
    moving.disable()
    define(moving, calendar=None, day_rule=None)
    assert [row[:2] for row in rows(moving)] == [("SUPPRESSED", 7)]
    assert is_proven(moving)


def test_moves_begin_with_the_change_that_brings_them(world: World) -> None:
    world.now = march(6, 12)
    define(world, calendar=None, day_rule=None)
    world.enable()
    through(world, 7)
    world.now = march(8)
    define(world)
    # Saturday has fired: it is not moved to Monday afterwards.
    through(world, 9)
    assert rows(world) == [("QUEUED", 7, None)]
    define(world, plant(d9="Fair"))
    through(world, 10, 16)
    assert rows(world) == [("QUEUED", 7, None), ("QUEUED", 16, 14)]
    assert is_proven(world)


def test_other_jobs_change_nothing_of_what_waits(moving: World) -> None:
    moving.tick(march(8))
    define(moving, plant(d9="Fair"))
    moving.define(*moving.schedules, jobs=[a_job("a"), a_job("b")])
    numbers = sa.select(schedule_version.c.number, schedule_version.c.rule)
    assert len(moving.rows(numbers)) == 3
    through(moving, 10)
    assert rows(moving) == [("QUEUED", 10, 7)]
    moving.define(*moving.schedules)
    assert len(moving.rows(numbers)) == 3
    assert is_proven(moving)


def test_many_changes_between_two_ticks_lose_nothing(moving: World) -> None:
    moving.tick(march(6))
    steps: Sequence[tuple[int, Calendar]] = [
        (7, plant(d9="Fair")),
        (8, plant(d9="Fair", d10="Fair")),
        (9, plant(d10="Fair", d11="Fair")),
        (10, plant(d9="Fair")),
    ]
    for day, calendar in steps:
        moving.tick(march(day, 12))
        define(moving, calendar)
    moving.tick(march(12))
    found = [row for row in rows(moving) if row[2] == 7 or row[1] == 7]
    assert len(found) == 1
    assert is_proven(moving)


def test_a_plan_shows_where_a_new_calendar_moves(moving: World) -> None:
    moving.tick(march(8))
    moving.calendars = [plant(d9="Fair")]
    with moving.database.read.connect() as connection:
        (change,) = plan_deploy(connection, moving.registry, moving.now).changes
    assert change.next_before[0] == march(9)
    assert change.next_after[0] == march(10)


def test_a_window_where_it_moved_to_keeps_it_from_firing(moving: World) -> None:
    moving.plan_window(march(9, 0), march(9, 6))
    through(moving, 9)
    assert rows(moving) == [("BLACKOUT", 9, 7)]
    assert "did not fire (BLACKOUT): maintenance window" in why(moving, march(7))
    assert is_proven(moving)


def test_a_proof_finds_a_row_that_names_another_instant(moving: World) -> None:
    through(moving, 9)
    with moving.database.write.begin() as connection:
        connection.execute(sa.update(occurrence).values(nominal_for=march(8)))
    (found,) = proof(moving).violations
    assert found.message.endswith(
        "says that its own instant is 2026-03-08 02:00:00 UTC, and that is 2026-03-07 02:00:00 UTC"
    )


def test_a_proof_finds_a_lost_instant_without_its_row(moving: World) -> None:
    moving.tick(march(8))
    define(moving, cron="0 5 * * 3")
    with moving.database.write.begin() as connection:
        connection.execute(sa.delete(occurrence))
    (found,) = proof(moving).violations
    assert found.message == "version 2 lost this instant, and no row says so"


def test_a_proof_finds_a_version_that_does_not_go_on_where_the_last_ended(moving: World) -> None:
    through(moving, 9)
    moving.now = march(9, 12)
    define(moving, plant(d9="Fair"))
    v = schedule_version.c
    ((text,),) = moving.rows(sa.select(v.rule).where(v.number == 2))
    assert "counts_from" in text
    with moving.database.write.begin() as connection:
        fired_again = text.replace('"counts_from":"2026-03-09T12:00:00+00:00",', "")
        connection.execute(
            sa.update(schedule_version).where(v.number == 2).values(rule=fired_again)
        )
    messages = [each.message for each in proof(moving).violations]
    assert messages[0] == "version 2 does not go on where the last ended"


def test_an_older_release_leaves_a_moving_rule_alone(moving: World) -> None:
    v = schedule_version.c
    assert moving.rows(sa.select(v.rule_format)) == [(3,)]


def test_an_instant_that_was_never_due_can_not_be_run(moving: World) -> None:
    moving.tick(march(12))
    with moving.database.write.begin() as connection, pytest.raises(Refused, match="no instant"):
        replay_instants(connection, "daily", [march(7)], Act(moving.now, TESTER))
    assert moving.rows(sa.select(job_schedule.c.state)) == [("ACTIVE",)]
