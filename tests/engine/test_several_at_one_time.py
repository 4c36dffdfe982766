"""A schedule of which several firings may be unfinished at one time, and what one more does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.engine.test_tick_policies import claimable, enabled, fired
from tests.engine.worker_steps import RETURNED, Hands, occurrence_rows
from tests.support.factories import TESTER, World, a_job
from tick.engine.ledger.audit import Act
from tick.errors import Busy
from tick.ops.actions import retries, run_now
from tick.ops.reports.verify import verify
from tick.policy.retry import AttemptEnd, AttemptOutcome

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STOPPED = AttemptEnd(AttemptOutcome.CANCELLED)


def two_at_once(world: World, overlap: str, **parts: Any) -> Hands:
    """A worker that is busy with two firings, as many as may be."""
    world.jobs = (a_job("a"),)
    enabled(world, max_concurrent=2, overlap=overlap, **parts)
    hands = Hands(world)
    hands.live_on()
    for number in range(2):
        assert fired(world, TWO + number * HOUR) == [TWO + number * HOUR]
    return hands


def outcomes(world: World) -> list[str]:
    return [row.outcome for row in occurrence_rows(world)]


def test_with_skip_the_third_is_skipped_and_says_how_many_ran(world: World) -> None:
    two_at_once(world, "SKIP")
    assert fired(world, TWO + 2 * HOUR) == []
    *_, skipped = occurrence_rows(world)
    assert (skipped.outcome, skipped.reason) == (
        "SKIPPED_OVERLAP",
        "2 earlier occurrences, as many as may run at one time, had not finished",
    )


def test_with_skip_there_is_room_once_one_has_ended(world: World) -> None:
    hands = two_at_once(world, "SKIP")
    hands.end(*hands.claim(limit=1))
    assert fired(world, TWO + 2 * HOUR) == [TWO + 2 * HOUR]


@pytest.mark.parametrize("first", [0, 1])
def test_one_that_is_queued_begins_when_either_has_ended(world: World, first: int) -> None:
    hands = two_at_once(world, "QUEUE_ONE")
    runs = hands.claim()
    assert fired(world, TWO + 2 * HOUR) == [TWO + 2 * HOUR]
    assert fired(world, TWO + 3 * HOUR) == []  # one waits already
    assert claimable(world) == []
    hands.end(runs[first])
    assert claimable(world) == [TWO + 2 * HOUR]
    assert outcomes(world)[3] == "SKIPPED_OVERLAP"


def test_replacing_stops_the_oldest_and_leaves_the_other(world: World) -> None:
    hands = two_at_once(world, "REPLACE")
    old, young = hands.claim()
    assert fired(world, TWO + 2 * HOUR) == [TWO + 2 * HOUR]
    asked = [run.cancel_requested_at for run in world.runs()]
    assert asked == [TWO + 2 * HOUR, None, None]
    assert claimable(world) == []
    hands.end(old, end=STOPPED)
    assert claimable(world) == [TWO + 2 * HOUR]
    hands.end(young)
    assert outcomes(world) == ["CANCELLED", "SUCCESS", "QUEUED"]


def test_replacing_what_waits_in_the_queue_begins_at_once(world: World) -> None:
    two_at_once(world, "REPLACE")
    fired(world, TWO + 2 * HOUR)
    world.tick()
    assert outcomes(world) == ["CANCELLED", "QUEUED", "QUEUED"]
    assert claimable(world) == [TWO + HOUR, TWO + 2 * HOUR]


def test_catching_up_on_each_waits_for_room_and_skips_none(world: World) -> None:
    hands = two_at_once(world, "SKIP", missed="CATCH_UP_ALL")
    runs = hands.claim()
    assert fired(world, TWO + 3 * HOUR) == []
    hands.end(runs[1])
    assert fired(world, TWO + 3 * HOUR + MINUTE) == [TWO + 2 * HOUR]
    assert outcomes(world) == ["RUNNING", "SUCCESS", "QUEUED"]


def test_a_person_may_run_one_more_while_there_is_room(world: World) -> None:
    world.jobs = (a_job("a"),)
    enabled(world, max_concurrent=2)
    fired(world, TWO)
    run_now.run_schedule(world.database, Act(world.now, TESTER), "hourly")
    with pytest.raises(Busy, match=r"still running \(occurrences 1 and 2\)"):
        run_now.run_schedule(world.database, Act(world.now, TESTER), "hourly")


def test_a_retry_by_hand_takes_a_place_as_well(world: World) -> None:
    hands = two_at_once(world, "SKIP")
    failed, _ = hands.claim()
    hands.end(failed, end=AttemptEnd(AttemptOutcome.RAISED, error_type="E", error_message="no"))
    fired(world, TWO + 2 * HOUR)
    act = Act(world.now, TESTER)
    with pytest.raises(Busy, match=r"occurrences 2 and 3"):
        retries.retry_run(world.database, act, failed.run_id, world.registry)
    hands.end(*hands.claim())
    assert retries.retry_run(world.database, act, failed.run_id, world.registry)


def test_instants_that_are_run_later_go_so_many_at_a_time(world: World) -> None:
    world.jobs = (a_job("a"),)
    enabled(world, max_concurrent=2)
    fired(world, TWO)
    wanted = [TWO - number * HOUR for number in (4, 3, 2)]
    run_now.run_slots(world.database, Act(world.now, TESTER), "hourly", wanted)
    hands = Hands(world)
    running, slot = hands.claim()
    assert [running.scheduled_for, slot.scheduled_for] == [TWO, wanted[0]]
    hands.end(slot)
    (following,) = hands.claim()
    hands.end(following)
    (last,) = hands.claim()
    hands.end(running, last)
    assert set(outcomes(world)) == {"SUCCESS"}
    assert not verify(world.database, TWO - 9 * HOUR, world.now).violations


def test_an_edit_to_fewer_holds_for_the_next_firing(world: World) -> None:
    hands = two_at_once(world, "SKIP")
    world.now += HOUR / 2
    enabled(world)
    assert fired(world, TWO + 2 * HOUR) == []
    hands.end(*hands.claim(), end=RETURNED)
    assert fired(world, TWO + 3 * HOUR) == [TWO + 3 * HOUR]
    assert outcomes(world) == ["SUCCESS", "SUCCESS", "SKIPPED_OVERLAP", "QUEUED"]
