"""A schedule that pauses itself after so many failed firings in a row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.engine.test_tick_policies import enabled, fired
from tests.engine.worker_steps import FAILED, RETURNED, Hands, occurrence_rows
from tests.support.factories import TESTER, World, a_job
from tick.engine.ledger.audit import Act
from tick.ops.actions import retries, run_now, switches
from tick.ops.queries.schedules import find_schedule
from tick.ops.reports.verify import verify
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.states import ScheduleState
from tick.store.tables import audit_entry

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def cautious(world: World, after: int = 2, **parts: Any) -> Hands:
    """A worker, and an hourly schedule that pauses itself."""
    world.jobs = (a_job("a"),)
    enabled(world, pause_after=after, **parts)
    return Hands(world)


def fire_and_end(world: World, hands: Hands, at: datetime, end: AttemptEnd = FAILED) -> None:
    """Fire what is due, and let its run end so."""
    assert fired(world, at)
    hands.end(*hands.claim(), end=end)


def state(world: World) -> str:
    return str(world.schedule("hourly").state)


def outcomes(world: World) -> list[str]:
    return [outcome for outcome, _, _ in world.ledger("hourly")]


def resume(world: World, **how: Any) -> list[int]:
    found: list[int] = switches.resume_schedule(
        world.database, Act(world.now, TESTER), "hourly", **how
    )
    return found


def test_it_pauses_after_so_many_and_says_why(world: World) -> None:
    hands = cautious(world)
    fire_and_end(world, hands, TWO)
    assert state(world) == ScheduleState.ACTIVE
    fire_and_end(world, hands, TWO + HOUR)
    row = world.schedule("hourly")
    assert (row.state, row.state_by, row.state_at) == ("PAUSED", "system", world.now)
    assert row.state_reason == "its last 2 firings failed, after which it pauses itself"
    assert (row.next_run_at, row.state_until, row.enabled) == (None, None, True)
    assert fired(world, TWO + 2 * HOUR) == []


def test_the_pause_stands_in_the_audit(world: World) -> None:
    fire_and_end(world, cautious(world, after=1), TWO)
    a = audit_entry.c
    (entry,) = world.rows(sa.select(audit_entry).where(a.action == "schedule.pause"))
    assert (entry.actor, entry.subject) == ("system", "hourly")
    assert entry.after == {"state": "PAUSED", "failures": 1}
    assert entry.reason == "its last firing failed, after which it pauses itself"


def test_a_success_ends_the_row(world: World) -> None:
    hands = cautious(world)
    for number, end in enumerate([FAILED, RETURNED, FAILED]):
        fire_and_end(world, hands, TWO + number * HOUR, end)
    assert state(world) == ScheduleState.ACTIVE


def test_a_cancelled_firing_neither_counts_nor_ends_it(world: World) -> None:
    hands = cautious(world)
    fire_and_end(world, hands, TWO)
    fire_and_end(world, hands, TWO + HOUR, AttemptEnd(AttemptOutcome.ASKED_CANCEL))
    assert state(world) == ScheduleState.ACTIVE
    fire_and_end(world, hands, TWO + 2 * HOUR)
    assert state(world) == ScheduleState.PAUSED


def test_what_a_person_asked_for_neither_counts_nor_ends_it(world: World) -> None:
    hands = cautious(world)
    fire_and_end(world, hands, TWO)
    act = Act(world.now, TESTER)
    run_now.run_schedule(world.database, act, "hourly")
    hands.end(*hands.claim(), end=FAILED)
    run_now.run_slots(world.database, act, "hourly", [TWO - 2 * HOUR, TWO - HOUR])
    hands.work_off(a=FAILED)
    assert state(world) == ScheduleState.ACTIVE
    run_now.run_schedule(world.database, act, "hourly")
    hands.work_off()
    fire_and_end(world, hands, TWO + HOUR)
    assert state(world) == ScheduleState.PAUSED


def test_a_failure_that_a_retry_mended_does_not_count(world: World) -> None:
    hands = cautious(world)
    fire_and_end(world, hands, TWO)
    run = world.runs()[0]
    retries.retry_run(world.database, Act(world.now, TESTER), run.id, world.registry)
    hands.work_off()
    fire_and_end(world, hands, TWO + HOUR)
    assert state(world) == ScheduleState.ACTIVE


def test_catching_up_on_several_stops_with_the_pause(world: World) -> None:
    hands = cautious(world, missed="CATCH_UP_ALL")
    now = TWO + 4 * HOUR + HOUR / 2
    for minute in range(2):
        fire_and_end(world, hands, now + minute * MINUTE)
    assert fired(world, now + 2 * MINUTE) == []
    assert outcomes(world) == ["FAILED", "FAILED"]
    with world.database.read.connect() as connection:
        offered = find_schedule(connection, "hourly").passed_in_pause(world.now)
    assert offered == [TWO + number * HOUR for number in (2, 3, 4)]
    resume(world)
    assert world.ledger("hourly")[2:] == [("SUPPRESSED", TWO + 2 * HOUR, 3)]
    assert fired(world, TWO + 5 * HOUR) == [TWO + 5 * HOUR]
    assert not verify(world.database, TWO - HOUR, world.now).violations


def test_who_resumes_it_chooses_what_runs_of_what_passed(world: World) -> None:
    hands = cautious(world)
    for number in range(2):
        fire_and_end(world, hands, TWO + number * HOUR)
    world.now = TWO + 4 * HOUR + HOUR / 2
    resume(world, run=[TWO + 3 * HOUR])
    hands.work_off()
    assert outcomes(world) == ["FAILED", "FAILED", "SUPPRESSED", "SUCCESS", "SUPPRESSED"]


def test_after_a_resume_the_count_begins_anew(world: World) -> None:
    hands = cautious(world)
    for number in range(2):
        fire_and_end(world, hands, TWO + number * HOUR)
    world.now += MINUTE
    resume(world)
    fire_and_end(world, hands, TWO + 2 * HOUR)
    assert state(world) == ScheduleState.ACTIVE
    fire_and_end(world, hands, TWO + 3 * HOUR)
    assert state(world) == ScheduleState.PAUSED


def test_firings_that_end_together_count_in_their_order(world: World) -> None:
    hands = cautious(world, overlap="ALLOW")
    for number in range(3):
        fired(world, TWO + number * HOUR)
    first, *others = hands.claim()
    hands.end(*others, end=FAILED)
    assert state(world) == ScheduleState.PAUSED
    hands.end(first)
    assert outcomes(world) == ["SUCCESS", "FAILED", "FAILED"]


def test_one_that_was_switched_off_meanwhile_stays_as_it_is(world: World) -> None:
    hands = cautious(world, after=1)
    fired(world, TWO)
    world.disable("hourly")
    hands.work_off(a=FAILED)
    assert state(world) == ScheduleState.ACTIVE
    assert not world.schedule("hourly").enabled


def test_the_reason_of_another_pause_stays(world: World) -> None:
    hands = cautious(world, after=1)
    fired(world, TWO)
    switches.pause_schedule(world.database, Act(world.now, TESTER, reason="new disks"), "hourly")
    hands.work_off(a=FAILED)
    assert world.schedule("hourly").state_reason == "new disks"


def test_a_deadline_that_was_over_is_a_failure(world: World) -> None:
    cautious(world, after=1, deadline=60)
    fired(world, TWO)
    world.tick(TWO + MINUTE)
    assert state(world) == ScheduleState.PAUSED
    assert [row.outcome for row in occurrence_rows(world)] == ["FAILED"]


def test_an_edit_that_drops_it_lets_the_schedule_fail_on(world: World) -> None:
    hands = cautious(world, after=1)
    fired(world, TWO)
    enabled(world)
    hands.work_off(a=FAILED)
    assert state(world) == ScheduleState.ACTIVE
