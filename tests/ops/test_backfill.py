"""A backfill counts first, skips what is done, and runs by the definition in force then."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.errors import NotFound, Refused
from tick.ops.actions import backfill, run_now
from tick.ops.actions.backfill import BackfillPlan, plan_backfill
from tick.ops.reports.verify import verify

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def week(world: World) -> World:
    """Daily at 02:00: fired for two days, missed for three, then edited to 05:00."""
    world.define(a_schedule())
    world.enable()
    for day in range(2):
        world.tick(TWO + day * DAY)
        world.finish_runs()
    world.tick(TWO + 4 * DAY + HOUR)
    world.now = TWO + 5 * DAY - HOUR
    world.define(a_schedule(cron="0 5 * * *"), jobs=[a_job("new-job")])
    world.tick(TWO + 5 * DAY + 9 * HOUR)
    return world


def planned(world: World, start: datetime, end: datetime) -> BackfillPlan:
    return plan_backfill(world.database, "daily", start, end, now=world.now)


def run_planned(world: World, plan: BackfillPlan) -> list[int]:
    return run_now.run_slots(world.database, Act(world.now, TESTER), "daily", plan.wanted)


def test_what_is_done_is_skipped_and_counted(week: World) -> None:
    plan = planned(week, TWO, TWO + 30 * DAY)
    assert plan.done == 2
    assert plan.wanted == (
        TWO + 2 * DAY,
        TWO + 3 * DAY,
        TWO + 4 * DAY,
        TWO + 5 * DAY + 3 * HOUR,
    )


def test_planning_writes_nothing(week: World) -> None:
    before = week.ledger()
    planned(week, TWO, TWO + 30 * DAY)
    assert week.ledger() == before


def test_each_instant_runs_by_the_definition_in_force_then(week: World) -> None:
    run_planned(week, planned(week, TWO, week.now))
    jobs = [run.job_name for run in week.runs()[2:]]
    assert jobs == ["match-scores"] * 3 + ["new-job"]
    assert planned(week, TWO, week.now).wanted == ()
    assert verify(week.database, TWO - DAY, week.now).ok


def test_time_before_the_schedule_was_known_can_be_filled(week: World) -> None:
    plan = planned(week, TWO - 3 * DAY, TWO - HOUR)
    assert plan.wanted == (TWO - 3 * DAY, TWO - 2 * DAY, TWO - DAY)
    assert len(run_planned(week, plan)) == 3


def test_what_fired_meanwhile_is_not_run_again(week: World) -> None:
    plan = planned(week, TWO, week.now)
    run_planned(week, plan)
    with pytest.raises(Refused, match="fired already"):
        run_planned(week, plan)


def test_too_many_instants_and_unknown_schedules_are_refused(week: World) -> None:
    with pytest.raises(Refused, match="narrow it"):
        planned(week, TWO - 2000 * DAY, week.now)
    with pytest.raises(NotFound):
        plan_backfill(week.database, "weekly", TWO, week.now, now=week.now)


def test_many_that_ran_hide_none_that_did_not(week: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "MOST_AT_ONCE", 1)
    with pytest.raises(Refused, match="4 instants of daily in that time have not run"):
        planned(week, TWO, TWO + 30 * DAY)


def test_only_so_many_instants_are_looked_at(week: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "MOST_LOOKED_AT", 5)
    with pytest.raises(Refused, match="More than 5 instants of daily lie in that time"):
        planned(week, TWO, TWO + 30 * DAY)
