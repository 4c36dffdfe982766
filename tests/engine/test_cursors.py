"""What is due is decided from the cursor, whatever next instant was stored."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tick.policy.planner import due_since
from tick.policy.rule import Rule
from tick.states import ScheduleKind
from tick.store.tables import job_schedule

HOUR = timedelta(hours=1)
TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def stored(world: World, schedule_id: str, next_run_at: datetime) -> None:
    """Let the stored next instant be another than the rule says now."""
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(job_schedule)
            .where(job_schedule.c.id == schedule_id)
            .values(next_run_at=next_run_at)
        )


@pytest.mark.parametrize(
    ("policy", "outcome"), [("SKIP", "MISSED"), ("CATCH_UP", "QUEUED"), ("CATCH_UP_ALL", "QUEUED")]
)
def test_an_instant_before_the_stored_next_one_is_accounted_for(
    world: World, policy: str, outcome: str
) -> None:
    world.define(a_schedule(missed=policy))
    world.enable()
    stored(world, "daily", TWO + HOUR)
    world.tick(TWO + HOUR)
    assert world.ledger() == [(outcome, TWO, 1)]
    assert world.schedule().next_run_at == TWO + 24 * HOUR


def test_an_instant_before_a_stored_one_that_is_due_too_is_accounted_for(world: World) -> None:
    world.define(a_schedule(cron="0 2,3 * * *", missed="CATCH_UP_ALL", overlap="ALLOW"))
    world.enable()
    stored(world, "daily", TWO + HOUR)
    world.tick(TWO + HOUR)
    assert world.ledger() == [("QUEUED", TWO, 1), ("QUEUED", TWO + HOUR, 1)]


def test_a_schedule_woken_before_its_instant_keeps_it(world: World) -> None:
    world.define(a_schedule(cron="0 3 * * *"))
    world.enable()
    stored(world, "daily", TWO)
    world.tick(TWO)
    assert world.ledger() == []
    world.tick(TWO + HOUR)
    assert world.ledger() == [("QUEUED", TWO + HOUR, 1)]


def test_schedules_sharing_a_rule_are_decided_from_their_own_cursors(world: World) -> None:
    world.define(a_schedule("old"), a_schedule("new"), a_schedule("newer"))
    world.enable("old")
    world.now = TWO + timedelta(minutes=1)
    world.enable("new")
    world.enable("newer")
    for schedule_id in ("old", "new", "newer"):
        stored(world, schedule_id, TWO + 24 * HOUR)
    world.tick(TWO + 24 * HOUR)
    assert world.ledger("old") == [("MISSED", TWO, 1), ("QUEUED", TWO + 24 * HOUR, 1)]
    for schedule_id in ("new", "newer"):
        assert world.ledger(schedule_id)[1:] == [("QUEUED", TWO + 24 * HOUR, 1)]


def test_a_mark_counts_only_where_no_instant_lies_before_it() -> None:
    rule = Rule(kind=ScheduleKind.CRON, cron="0 2 * * *")
    assert due_since(rule, TWO - HOUR, TWO + HOUR) == TWO
    assert due_since(rule, TWO - HOUR, TWO) == TWO
    assert due_since(rule, TWO, TWO + HOUR) == TWO + HOUR
    once = Rule(kind=ScheduleKind.ONCE, at=TWO)
    assert due_since(once, TWO, TWO + HOUR) == TWO + HOUR
