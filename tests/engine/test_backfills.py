"""Ticks work a backfill off, a portion at a time, within its limits."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.ops.hostile import crash_at
from tests.support.factories import TESTER, World, a_job, a_schedule, a_worker
from tick.engine.ledger.audit import Act
from tick.engine.runs.settle import settle_occurrences
from tick.engine.schedules import replay
from tick.errors import Busy, NotFound, Refused
from tick.ops.actions import backfill, run_now, switches, windows
from tick.ops.queries.backfills import Backfill, get_backfill
from tick.ops.reports.verify import verify
from tick.policy.backfills import AHEAD
from tick.states import BackfillOverlap, Outcome, RunStatus
from tick.store.tables import audit_entry, job_run, occurrence, worker_instance

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
YEARS = 3 * 365
_o, _r = occurrence.c, job_run.c


@pytest.fixture
def years(world: World) -> World:
    """Daily at 02:00, on since yesterday; three years before that are to be filled."""
    world.now = TWO - HOUR
    world.define(a_schedule())
    world.enable()
    world.tick(TWO)
    world.finish_runs()
    world.now = TWO + HOUR
    worker = a_worker(world.now + 90 * DAY)
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance).values(**worker))
    return world


def start(world: World, days: float = YEARS, **how: Any) -> int:
    how.setdefault("start", TWO - days * DAY)
    act = Act(world.now, TESTER, key=how.pop("key", None))
    return backfill.start_backfill(
        world.database, act, how.pop("of", "daily"), **{"end": world.now, **how}
    )


def seen(world: World, number: int) -> Backfill:
    with world.database.read.connect() as connection:
        return get_backfill(connection, number, world.now)


def act(world: World) -> Act:
    return Act(world.now, TESTER)


def live(world: World) -> list[Any]:
    query = sa.select(occurrence).where(_o.outcome.in_(["QUEUED", "RUNNING"])).order_by(_o.id)
    return world.rows(query)


def begin(world: World) -> list[int]:
    """Start what a worker would: each that waits for nothing; the occurrences that run."""
    waiting = {row.id for row in live(world)}
    ids = [row.id for row in live(world) if row.blocked_by_id not in waiting]
    with world.database.write.begin() as connection:
        runs = sa.update(job_run).where(_r.occurrence_id.in_(ids))
        at_work = {"status": "RUNNING", "started_at": world.now, "worker_id": "c0ffee"}
        connection.execute(runs.values(**at_work))
        mine = sa.update(occurrence).where(_o.id.in_(ids))
        connection.execute(mine.values(outcome="RUNNING", first_started_at=world.now))
    return ids


def finish(world: World, ids: list[int], took: timedelta = MINUTE) -> None:
    with world.database.write.begin() as connection:
        runs = sa.update(job_run).where(_r.occurrence_id.in_(ids))
        connection.execute(runs.values(status="SUCCESS", finished_at=world.now + took))
        mine = sa.update(occurrence).where(_o.id.in_(ids))
        ended = {"outcome": "SUCCESS", "last_finished_at": world.now + took}
        connection.execute(mine.values(succeeded=_o.runs, **ended))
    world.now += took


def work_off(world: World, number: int) -> Iterator[int]:
    """Tick and work until it has ended; how many ran at one time, each time."""
    for _ in range(90):
        world.tick(world.now + MINUTE)
        if not seen(world, number).is_unfinished:
            return
        ids = begin(world)
        yield len(ids)
        finish(world, ids)
    raise AssertionError("it does not come to its end")


def test_years_are_worked_off_without_flooding_the_queue(years: World) -> None:
    number = start(years, 60, max_parallel=4, overlap=BackfillOverlap.ALLOW)
    most = 0
    for at_once in work_off(years, number):
        most = max(most, len(live(years)))
        assert at_once <= 4
    found = seen(years, number)
    assert most <= 4 + AHEAD
    assert (found.state, found.total, found.done, found.left) == ("DONE", 60, 60, 0)
    assert verify(years.database, TWO - 70 * DAY, years.now).ok


def test_each_instant_runs_once_and_the_oldest_first(years: World) -> None:
    number = start(years, 5)
    at_once = list(work_off(years, number))
    assert at_once and set(at_once) == {1}
    instants = [run.scheduled_for for run in years.runs() if run.trigger == "MANUAL"]
    assert instants == [TWO - day * DAY for day in (5, 4, 3, 2, 1)]
    assert {run.triggered_by for run in years.runs()[1:]} == {"tester"}


def test_a_start_writes_no_run_and_a_tick_a_bounded_part(years: World) -> None:
    number = start(years)
    assert len(years.runs()) == 1
    assert seen(years, number).total == YEARS
    years.tick()
    assert len(live(years)) == 1  # how long one takes is not known yet
    finish(years, begin(years))
    years.tick()
    assert len(live(years)) == 1 + AHEAD
    years.tick()
    assert len(live(years)) == 1 + AHEAD


@pytest.mark.parametrize("statement", range(1, 40, 3))
def test_a_tick_that_dies_in_the_middle_neither_loses_nor_doubles_an_instant(
    years: World, statement: int
) -> None:
    number = start(years, 6, max_parallel=3, overlap=BackfillOverlap.ALLOW)
    with crash_at(years.database.write, statement):
        years.tick()
    years.tick()
    found = seen(years, number)
    instants = [run.scheduled_for for run in years.runs()[1:]]
    assert instants == [TWO - day * DAY for day in (6, 5, 4, 3, 2, 1)]
    assert (found.queued, found.left) == (6, 0)


def test_two_ticks_at_once_queue_a_portion_once(
    years: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = start(years, 6, max_parallel=6, overlap=BackfillOverlap.ALLOW)
    years.tick()
    years.tick()
    assert len(years.runs()) == 1 + 6
    assert seen(years, number).queued == 6


def test_another_request_with_the_same_key_is_the_same_backfill(years: World) -> None:
    number = start(years, 5, key="once")
    assert start(years, 5, key="once") == number
    list(work_off(years, number))
    assert start(years, 5, key="once") == number


def test_one_at_a_time_works_on_a_schedule(years: World) -> None:
    end = years.now
    number = start(years, 5, end=end)
    assert start(years, 5, end=end) == number
    with pytest.raises(Refused, match=f"`tick backfills cancel {number}`"):
        start(years, 9)


def test_what_cannot_be_begun_is_refused_with_the_reason(years: World) -> None:
    with pytest.raises(Refused, match="already done: 1 instant"):
        start(years, 0)
    with pytest.raises(Refused, match="At most"):
        start(years, 5, max_parallel=0)
    with pytest.raises(NotFound):
        start(years, of="weekly")
    years.define(a_schedule("other"))
    with pytest.raises(Refused, match="removed"):
        start(years, 5)


def test_paused_it_queues_nothing_more_and_goes_on_where_it_stood(years: World) -> None:
    number = start(years, 30, max_parallel=2, overlap=BackfillOverlap.ALLOW)
    years.tick()
    assert backfill.pause_backfill(years.database, act(years), number)
    assert not backfill.pause_backfill(years.database, act(years), number)
    ids = [row.id for row in live(years)]
    years.now += HOUR
    finish(years, ids)
    years.tick()
    assert live(years) == []
    assert (seen(years, number).state, seen(years, number).left) == ("PAUSED", 8)
    assert backfill.resume_backfill(years.database, act(years), number)
    list(work_off(years, number))
    assert seen(years, number).done == 30


def test_cancelled_what_has_not_begun_never_runs_and_what_runs_goes_on(years: World) -> None:
    number = start(years, 30, max_parallel=2, overlap=BackfillOverlap.ALLOW)
    years.tick()
    running = begin(years)
    assert backfill.cancel_backfill(years.database, act(years), number) == 20
    years.tick()
    assert [row.id for row in live(years)] == running
    finish(years, running)
    years.tick()
    found = seen(years, number)
    assert (found.state, found.done, found.cancelled, found.left) == ("CANCELLED", 22, 20, 8)
    with pytest.raises(Refused, match="has ended: it is CANCELLED"):
        backfill.resume_backfill(years.database, act(years), number)
    with pytest.raises(NotFound):
        backfill.cancel_backfill(years.database, act(years), 99)
    assert verify(years.database, TWO - 70 * DAY, years.now).ok


def test_after_a_cancel_the_rest_can_be_filled_by_another(years: World) -> None:
    number = start(years, 30, max_parallel=2, overlap=BackfillOverlap.ALLOW)
    years.tick()
    backfill.cancel_backfill(years.database, act(years), number)
    years.tick()
    assert seen(years, start(years, 30)).total == 8


def test_everything_that_people_do_to_it_is_in_the_audit(years: World) -> None:
    number = start(years, 30)
    backfill.pause_backfill(years.database, act(years), number)
    backfill.resume_backfill(years.database, act(years), number)
    backfill.cancel_backfill(years.database, act(years), number)
    a = audit_entry.c
    found = years.rows(sa.select(a.action, a.subject).where(a.action.like("backfill.%")))
    assert [tuple(row) for row in found] == [
        ("backfill.start", "daily"),
        ("backfill.pause", str(number)),
        ("backfill.resume", str(number)),
        ("backfill.cancel", str(number)),
    ]


def test_a_paused_schedule_holds_it_and_says_so(years: World) -> None:
    number = start(years, 5)
    switches.pause_schedule(years.database, Act(years.now, TESTER, reason="new disks"), "daily")
    years.tick()
    assert live(years) == []
    assert seen(years, number).waits_for == "its schedule is paused"
    switches.resume_schedule(years.database, act(years), "daily")
    list(work_off(years, number))
    assert seen(years, number).done == 5


def test_a_schedule_that_is_switched_off_does_not_hold_it(years: World) -> None:
    years.disable()
    years.now += DAY
    number = start(years, 5)
    list(work_off(years, number))
    assert seen(years, number).done == 6
    years.enable()
    assert verify(years.database, TWO - 9 * DAY, years.now).ok


def test_one_whose_schedule_leaves_the_code_waits_for_its_return(years: World) -> None:
    number = start(years, 5)
    years.define(a_schedule("other"))
    years.tick()
    assert "was removed" in (seen(years, number).waits_for or "")
    years.define(a_schedule())
    list(work_off(years, number))
    assert seen(years, number).done == 5


def test_an_edit_meanwhile_changes_nothing_of_the_past(years: World) -> None:
    number = start(years, 5)
    years.define(a_schedule(cron="0 5 * * *"), jobs=[a_job("new-job")])
    list(work_off(years, number))
    manual = [run for run in years.runs() if run.trigger == "MANUAL"]
    assert {(run.job_name, run.scheduled_for.hour) for run in manual} == {("match-scores", 2)}
    assert len(manual) == 5


def test_a_renamed_schedule_takes_it_along(years: World) -> None:
    number = start(years, 5)
    years.define(a_schedule("nightly", renamed_from="daily"))
    list(work_off(years, number))
    assert (seen(years, number).schedule_id, seen(years, number).done) == ("nightly", 5)


def test_the_brake_and_a_window_hold_it(years: World) -> None:
    number = start(years, 5)
    windows.stop_scheduler(years.database, Act(years.now, TESTER, reason="new disks"))
    years.tick()
    assert live(years) == [] and "stopped" in (seen(years, number).waits_for or "")
    windows.start_scheduler(years.database, act(years))
    years.plan_window(years.now, years.now + HOUR, "daily")
    years.tick()
    assert live(years) == [] and "maintenance window" in (seen(years, number).waits_for or "")
    years.tick(years.now + 2 * HOUR)
    assert len(live(years)) == 1


def test_it_counts_against_the_runs_that_a_tick_may_create(years: World) -> None:
    years.settings = years.settings.model_copy(update={"max_runs_per_tick": 3})
    start(years, 30, max_parallel=9, overlap=BackfillOverlap.ALLOW)
    years.tick()
    assert len(live(years)) == 3
    years.tick()
    assert len(live(years)) == 6


def test_where_firings_have_a_time_limit_nothing_is_queued_before_it_can_begin(
    years: World,
) -> None:
    years.define(a_schedule(deadline=3600.0))
    start(years, 30, max_parallel=3, overlap=BackfillOverlap.ALLOW)
    years.tick()
    assert len(live(years)) == 3


def test_room_for_several_own_firings_is_none_for_more_of_the_backfill(years: World) -> None:
    years.define(a_schedule(max_concurrent=3))
    start(years, 30, max_parallel=1, overlap=BackfillOverlap.ALLOW)
    years.tick()
    (running,) = begin(years)
    with years.database.write.begin() as connection:
        runs = sa.update(job_run).where(_r.occurrence_id == running)
        connection.execute(runs.values(status="SUCCESS", finished_at=years.now))
        settle_occurrences(connection, [running], years.now)
    assert len(begin(years)) == 1


def test_own_firings_come_first_where_it_waits(years: World) -> None:
    number = start(years, 5)
    years.tick(TWO + DAY)
    (own,) = live(years)
    assert (own.scheduled_for, own.kind) == (TWO + DAY, "CRON")
    assert seen(years, number).waits_for == f"occurrence {own.id} of its schedule is not finished"
    finish(years, [own.id])
    years.tick()
    assert len(live(years)) > 0


def test_it_makes_way_for_the_next_own_instant(years: World) -> None:
    number = start(years, 30)
    years.tick()
    finish(years, begin(years), took=2 * HOUR)
    years.now = TWO + DAY - 5 * HOUR
    years.tick()
    assert len(live(years)) == 2
    finish(years, [row.id for row in live(years)])
    years.now = TWO + DAY - HOUR
    years.tick()
    assert live(years) == []
    assert [row.outcome for row in years.tick(TWO + DAY).fired] == ["QUEUED"]
    assert seen(years, number).is_unfinished


def test_where_it_is_allowed_neither_waits_for_the_other(years: World) -> None:
    start(years, 30, overlap=BackfillOverlap.ALLOW)
    years.tick()
    begin(years)
    fired = years.tick(TWO + DAY).fired
    assert [line.outcome for line in fired] == [Outcome.QUEUED]


def test_replacing_own_firings_leave_it_alone_where_it_is_allowed(years: World) -> None:
    years.define(a_schedule(overlap="REPLACE"))
    start(years, 30, overlap=BackfillOverlap.ALLOW)
    years.tick()
    begin(years)
    years.tick(TWO + DAY)
    assert RunStatus.CANCELLED not in {row.status for row in years.runs()}
    assert not any(row.cancel_requested_at for row in years.runs())


def test_run_now_meets_it_only_where_it_waits(years: World) -> None:
    number = start(years, 30, overlap=BackfillOverlap.ALLOW)
    years.tick()
    begin(years)
    made = run_now.run_schedule(years.database, act(years), "daily")
    assert made
    years.finish_runs()
    backfill.cancel_backfill(years.database, act(years), number)
    start(years, 30)
    years.tick()
    with pytest.raises(Busy):
        run_now.run_schedule(years.database, act(years), "daily")


def test_an_instant_that_somebody_runs_meanwhile_is_passed_over(years: World) -> None:
    number = start(years, 5)
    run_now.run_slots(years.database, act(years), "daily", [TWO - 3 * DAY])
    years.finish_runs()
    list(work_off(years, number))
    found = seen(years, number)
    assert (found.state, found.done, found.passed_over, found.left) == ("DONE", 4, 1, 0)


def test_missed_ranges_are_split_as_they_are_filled(years: World) -> None:
    years.tick(TWO + 10 * DAY + 5 * HOUR)
    years.finish_runs()
    number = start(years, 2)
    list(work_off(years, number))
    assert seen(years, number).done == 2 + 10
    assert all(outcome != "MISSED" for outcome, _, _ in years.ledger())
    assert verify(years.database, TWO - 5 * DAY, years.now).ok


def test_what_is_due_is_left_to_the_schedules_own_tick(years: World) -> None:
    years.now = TWO + DAY + HOUR
    number = start(years, -1)
    years.tick()
    list(work_off(years, number))
    assert seen(years, number).done == 1
    (late,) = [row for row in years.ledger() if row[1] == TWO + DAY]
    assert late == ("SUCCESS", TWO + DAY, 1)


def test_one_that_fails_stops_no_other_and_is_told(
    years: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    years.define(a_schedule(), a_schedule("second"))
    first, second = start(years, 3), start(years, 3, of="second")
    run = replay.Replay.run_unless_refused

    def fail(self: replay.Replay, at: datetime, blocker: int | None) -> replay.Queued | None:
        if self.known.row.id == "daily":
            raise RuntimeError("the rule is on fire")
        return run(self, at, blocker)

    monkeypatch.setattr(replay.Replay, "run_unless_refused", fail)
    result = years.tick()
    assert list(result.errors) == [f"(backfill {first})"]
    assert (seen(years, first).queued, seen(years, second).queued) == (0, 4)


def test_its_pace_tells_when_it_may_be_over(years: World) -> None:
    number = start(years, 4)
    assert seen(years, number).expected_end is None
    years.tick()
    finish(years, begin(years), took=10 * MINUTE)
    assert seen(years, number).expected_end == years.now + 30 * MINUTE
    backfill.pause_backfill(years.database, act(years), number)
    assert seen(years, number).expected_end is None
    years.now += DAY
    backfill.resume_backfill(years.database, act(years), number)
    assert seen(years, number).expected_end == years.now + 30 * MINUTE
