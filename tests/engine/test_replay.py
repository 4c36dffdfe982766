"""Instants that did not fire are run as the instants that they are."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.engine.statistics.hours import ALL_TIME
from tick.errors import Refused
from tick.ops.actions import run_now
from tick.store.tables import audit_entry, occurrence, occurrence_hour

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def missed(world: World) -> World:
    """Hourly; the hours from 02:00 to 11:00 were missed, at 11:30 it is 11:30."""
    world.define(a_schedule("hourly", cron="0 * * * *"))
    world.enable("hourly")
    world.tick(TWO + 9 * HOUR + HOUR / 2)
    assert world.ledger("hourly") == [("MISSED", TWO, 10)]
    return world


def run(world: World, *wanted: datetime, schedule_id: str = "hourly") -> list[int]:
    return run_now.run_slots(world.database, Act(world.now, TESTER), schedule_id, wanted)


def row(world: World, occurrence_id: int) -> sa.Row[Any]:
    return world.rows(sa.select(occurrence).where(occurrence.c.id == occurrence_id))[0]


def test_a_missed_instant_runs_as_itself(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("a"), a_job("b", depends_on=["a"])])
    world.enable()
    world.tick(TWO + HOUR)
    (made,) = run(world, TWO, schedule_id="daily")
    assert world.ledger() == [("QUEUED", TWO, 1)]
    found = row(world, made)
    assert (found.late_seconds, found.blocked_by_id) == (3600, None)
    assert found.reason == (
        "run by tester (was MISSED: no tick came in time; the next one came "
        "2026-03-01 03:00:00 UTC)"
    )
    runs = world.runs()
    assert [run.job_name for run in runs] == ["a", "b"]
    assert {run.scheduled_for for run in runs} == {TWO}
    assert {run.trigger for run in runs} == {"MANUAL"}
    assert runs[0].run_metadata["scheduledFor"] == "2026-03-01T02:00:00Z"


def test_the_cursor_stays_where_it_is(missed: World) -> None:
    before = missed.schedule("hourly")
    run(missed, TWO)
    after = missed.schedule("hourly")
    assert (after.next_run_at, after.decided_to) == (before.next_run_at, before.decided_to)


@pytest.mark.parametrize("number", [0, 4, 9])
def test_an_instant_inside_a_range_is_split_off(missed: World, number: int) -> None:
    at = TWO + number * HOUR
    run(missed, at)
    ledger = missed.ledger("hourly")
    assert ("QUEUED", at, 1) in ledger
    assert [count for outcome, _, count in ledger if outcome == "MISSED"] == [
        count for count in (number, 9 - number) if count
    ]
    assert sum(count for _, _, count in ledger) == 10


def test_several_wait_for_one_another_and_the_first_for_what_runs(missed: World) -> None:
    live = missed.tick(TWO + 10 * HOUR).fired[0].id
    made = run(missed, TWO + 3 * HOUR, TWO + HOUR, TWO + 2 * HOUR)
    assert [row(missed, number).blocked_by_id for number in made] == [live, made[0], made[1]]
    assert [row(missed, number).scheduled_for for number in made] == [
        TWO + HOUR,
        TWO + 2 * HOUR,
        TWO + 3 * HOUR,
    ]


def test_where_overlap_is_allowed_nothing_waits(world: World) -> None:
    world.define(a_schedule(overlap="ALLOW"))
    world.now += 3 * DAY
    world.enable()
    made = run(world, TWO, TWO + DAY, schedule_id="daily")
    assert [row(world, number).blocked_by_id for number in made] == [None, None]


def test_the_same_slot_again_is_refused(missed: World) -> None:
    run(missed, TWO)
    with pytest.raises(Refused, match="fired already"):
        run(missed, TWO)
    missed.finish_runs()
    with pytest.raises(Refused, match="fired already"):
        run(missed, TWO)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (TWO + 20 * HOUR, "is still to come"),
        (TWO + MINUTE, "is no instant of its version 1"),
    ],
)
def test_what_was_not_due_is_refused(missed: World, at: datetime, said: str) -> None:
    with pytest.raises(Refused, match=said):
        run(missed, at)


def test_what_the_next_tick_decides_is_left_to_it(missed: World) -> None:
    missed.now = TWO + 10 * HOUR
    with pytest.raises(Refused, match="the next tick decides it"):
        run(missed, missed.now)
    assert missed.tick().fired_count == 1


def test_one_refused_slot_takes_back_the_others(missed: World) -> None:
    with pytest.raises(Refused):
        run(missed, TWO, TWO + MINUTE)
    assert missed.ledger("hourly") == [("MISSED", TWO, 10)]
    assert missed.runs() == []


def test_a_replayed_instant_of_a_disabled_schedule_stays_run_after_enabling(
    world: World,
) -> None:
    world.define(a_schedule())
    world.now = TWO + 2 * DAY + HOUR
    run(world, TWO + DAY, schedule_id="daily")
    world.now += DAY
    world.enable()
    assert world.ledger() == [
        ("SUPPRESSED", TWO, 1),
        ("QUEUED", TWO + DAY, 1),
        ("SUPPRESSED", TWO + 2 * DAY, 1),
        ("SUPPRESSED", TWO + 3 * DAY, 1),
    ]


def test_a_replayed_instant_counts_as_not_fired_and_as_run(world: World) -> None:
    world.define(a_schedule())
    world.now = TWO + 2 * DAY + HOUR
    run(world, TWO + DAY, schedule_id="daily")
    world.finish_runs()
    world.tick()
    hour = occurrence_hour.c
    sums = sa.select(hour.suppressed, hour.success, hour.late_seconds)
    assert world.rows(sums.where(hour.hour == ALL_TIME)) == [(3, 1, 0)]


def test_a_slot_runs_by_the_definition_in_force_then(world: World) -> None:
    world.define(a_schedule())
    world.enable()
    world.tick(TWO + HOUR)
    world.define(a_schedule(cron="0 5 * * *"), jobs=[a_job("new-job")])
    run(world, TWO, schedule_id="daily")
    assert [run.job_name for run in world.runs()] == ["match-scores"]


def test_an_instant_from_before_the_schedule_gets_a_row_of_its_own(world: World) -> None:
    world.define(a_schedule())
    (made,) = run(world, TWO - 7 * DAY, schedule_id="daily")
    assert (row(world, made).kind, row(world, made).outcome) == ("BACKFILL", "QUEUED")


def test_a_decided_instant_whose_row_is_gone_may_have_run_and_is_refused(missed: World) -> None:
    with missed.database.write.begin() as connection:
        connection.execute(sa.delete(occurrence))
    with pytest.raises(Refused, match="no longer in the ledger"):
        run(missed, TWO)


def test_slots_and_runs_of_a_removed_schedule_are_refused(missed: World) -> None:
    missed.define(a_schedule("other"))
    with pytest.raises(Refused, match="removed"):
        run(missed, TWO)
    with pytest.raises(Refused, match="removed"):
        run_now.run_schedule(missed.database, Act(missed.now, TESTER), "hourly")


def test_a_thousand_at_once_are_the_most(missed: World) -> None:
    with pytest.raises(Refused, match="too many"):
        run(missed, *(TWO + number * HOUR for number in range(1001)))


def test_who_ran_which_slots_is_in_the_audit(missed: World) -> None:
    made = run(missed, TWO)
    a = audit_entry.c
    found = missed.rows(sa.select(a.actor, a.after).where(a.action == "schedule.run_slots"))
    assert tuple(found[0]) == (
        "tester",
        {"instants": ["2026-03-01T02:00:00+00:00"], "occurrences": made},
    )
