"""What a schedule says of its runs in place of their jobs: timeout, retries and priority."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.test_tick_policies import enabled
from tests.engine.worker_steps import FAILED, Hands, statuses
from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.ops.actions import retries, run_now
from tick.ops.queries.runs import get_run
from tick.ops.queries.versions import changes_by_version, list_versions
from tick.store.tables import schedule_version

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
JOBS = (a_job("a", retries=4, priority=1, timeout_seconds=3600), a_job("b"))


def fired(world: World, **parts: Any) -> list[sa.Row[Any]]:
    """The runs of an hourly schedule that has fired at two."""
    world.jobs = JOBS
    enabled(world, **parts)
    world.tick(TWO)
    return world.runs()


def test_without_them_each_run_has_what_its_job_says(world: World) -> None:
    a, b = fired(world)
    assert (a.max_attempts, a.priority, a.timeout_seconds) == (5, 1, None)
    assert (b.max_attempts, b.priority, b.timeout_seconds) == (1, 0, None)


def test_they_hold_for_each_of_its_runs(world: World) -> None:
    for run in fired(world, retries=2, priority=7, timeout=90):
        assert (run.max_attempts, run.priority, run.timeout_seconds) == (3, 7, 90)
    claimed = Hands(world).claim()
    assert {run.deadline for run in claimed} == {TWO + 1.5 * MINUTE}
    assert [run.seconds(3600, world.now) for run in claimed] == [90, 90]


def test_no_retries_takes_those_of_the_job_away(world: World) -> None:
    fired(world, retries=0)
    Hands(world).work_off(a=FAILED)
    assert statuses(world)["a"] == "FAILED"


def test_they_hold_for_a_firing_by_hand_and_for_a_retry_of_it(world: World) -> None:
    world.jobs = JOBS
    enabled(world, retries=0, priority=3)
    run_now.run_schedule(world.database, Act(world.now, TESTER), "hourly")
    hands = Hands(world)
    hands.work_off(a=FAILED)
    run = world.runs()[0]
    assert (run.attempt, run.max_attempts, run.priority) == (1, 1, 3)
    retries.retry_run(world.database, Act(world.now, TESTER), run.id, world.registry)
    assert world.runs()[0].max_attempts == 2
    hands.work_off(a=FAILED)
    assert statuses(world)["a"] == "FAILED"


def test_its_priority_orders_what_waits_within_a_queue_and_leaves_queues_apart(
    world: World,
) -> None:
    world.jobs = (a_job("a"), a_job("m", queue="media"))
    world.define(
        a_schedule("plain", cron="0 * * * *"), a_schedule("urgent", cron="0 * * * *", priority=9)
    )
    for schedule_id in ("plain", "urgent"):
        world.enable(schedule_id)
    world.tick(TWO)
    hands = Hands(world)
    assert [run.schedule_id for run in hands.claim(queues=["default"])] == ["urgent", "plain"]
    (first,) = hands.claim(limit=1)
    assert (first.schedule_id, first.job_name) == ("urgent", "m")


def test_an_edit_makes_a_version_that_says_what_changed(world: World) -> None:
    fired(world, retries=2)
    world.now += MINUTE
    enabled(world, retries=3, timeout=60, max_concurrent=2, deadline=600, pause_after=4)
    assert world.runs()[0].max_attempts == 3  # it fired under the version before
    with world.database.read.connect() as connection:
        changes = changes_by_version(list_versions(connection, "hourly"))[2]
    said = {change.part: (change.before, change.after) for change in changes}
    assert said["retries"] == ("2", "3")
    assert said["timeout seconds"] == (None, "60")
    assert said["max concurrent"] == (None, "2")
    assert said["deadline seconds"] == (None, "600")
    assert said["pause after"] == (None, "4")


def test_a_run_tells_what_its_schedule_decided(world: World) -> None:
    run, _ = fired(world, priority=7, timeout=90)
    with world.database.read.connect() as connection:
        assert get_run(connection, run.id).overridden == ("priority", "timeout_seconds")


def test_a_schedule_without_limits_is_stored_as_releases_before_stored_it(world: World) -> None:
    fired(world)
    (version,) = world.rows(sa.select(schedule_version))
    assert version.rule == '{"cron":"0 * * * *","kind":"CRON"}'
    assert "overrides" not in version.target
    assert version.rule_format == 1


@pytest.mark.parametrize(
    ("limit", "rule_format"),
    [
        ({"max_concurrent": 2}, 3),
        ({"deadline": 60}, 3),
        ({"pause_after": 2}, 3),
        ({"timeout": 60}, 3),
        # These stand in each job of the target as well, where every release reads them.
        ({"retries": 2}, 1),
        ({"priority": 2}, 1),
    ],
)
def test_a_release_that_cannot_heed_a_limit_leaves_the_schedule_alone(
    world: World, limit: dict[str, Any], rule_format: int
) -> None:
    world.jobs = JOBS
    enabled(world, **limit)
    (version,) = world.rows(sa.select(schedule_version.c.rule_format))
    assert version.rule_format == rule_format
