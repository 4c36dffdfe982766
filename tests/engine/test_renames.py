"""Renames, and releases with renames that are taken back: same row, same switch, same instants."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_schedule
from tick.define.schedules import Schedule
from tick.engine.ledger.audit import Act
from tick.errors import DefinitionsInvalid
from tick.ops.actions import switches
from tick.ops.reports.deploy_plan import plan_deploy
from tick.store.tables import job_schedule
from tick.syncing import sync_definitions

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SPREAD = {"cron": "H H * * *"}


@pytest.fixture
def world(world: World) -> World:
    world.now = START
    return world


def deploy(world: World, *schedules: Schedule) -> None:
    world.now += MINUTE
    world.define(*schedules)


def ids(world: World) -> set[str]:
    return {row.id for row in world.rows(sa.select(job_schedule.c.id))}


@pytest.mark.parametrize("parts", [{}, SPREAD, {"jitter": 3600.0}], ids=["plain", "H", "jitter"])
def test_a_release_with_a_rename_that_is_taken_back_leaves_all_as_it_was(
    world: World, parts: dict[str, Any]
) -> None:
    old, new = a_schedule("a", **parts), a_schedule("b", renamed_from="a", **parts)
    deploy(world, old)
    world.enable("a")
    due = world.schedule("a").next_run_at
    world.tick(due)
    world.finish_runs()
    deploy(world, new)
    assert world.schedule("b").next_run_at == due + DAY
    deploy(world, old)
    row = world.schedule("a")
    assert ids(world) == {"a"}
    assert (row.enabled, row.state, row.next_run_at) == (True, "ACTIVE", due + DAY)
    assert world.ledger("a") == [("SUCCESS", due, 1)]
    deploy(world, new)
    assert world.schedule("b").next_run_at == due + DAY


def test_a_chain_of_renames_is_taken_back_one_by_one_or_at_once(world: World) -> None:
    a = a_schedule("a", **SPREAD)
    b = a_schedule("b", renamed_from="a", **SPREAD)
    c = a_schedule("c", renamed_from="b", **SPREAD)
    deploy(world, a)
    world.enable("a")
    due = world.schedule("a").next_run_at
    for schedule in (b, c, b, a, b, c, a):
        deploy(world, schedule)
        assert ids(world) == {schedule.id}
        assert (world.schedule(schedule.id).enabled, world.schedule(schedule.id).next_run_at) == (
            True,
            due,
        )


def test_what_a_rename_came_from_may_be_forgotten_in_the_code(world: World) -> None:
    deploy(world, a_schedule("a", **SPREAD))
    world.enable("a")
    due = world.schedule("a").next_run_at
    deploy(world, a_schedule("b", renamed_from="a", **SPREAD))
    deploy(world, a_schedule("b", **SPREAD))
    assert world.schedule("b").next_run_at == due


@pytest.mark.parametrize("how", ["disabled", "paused"])
def test_a_rename_of_what_is_off_is_taken_back_and_leaves_it_off(world: World, how: str) -> None:
    deploy(world, a_schedule("a"))
    if how == "paused":
        world.enable("a")
        switches.pause_schedule(world.database, Act(world.now, TESTER, reason="why not"), "a")
    before = world.schedule("a")
    deploy(world, a_schedule("b", renamed_from="a"))
    deploy(world, a_schedule("a"))
    after = world.schedule("a")
    assert (after.enabled, after.state, after.state_reason) == (
        before.enabled,
        before.state,
        before.state_reason,
    )
    assert after.next_run_at is None


def test_swapped_names_are_refused_before_anything_is_changed(world: World) -> None:
    deploy(world, a_schedule("a", **SPREAD), a_schedule("b", **SPREAD))
    world.enable("a")
    before = world.schedule("a")
    with pytest.raises(DefinitionsInvalid, match="renamed_from 'b' is still defined"):
        deploy(world, a_schedule("a", renamed_from="b"), a_schedule("b", renamed_from="a"))
    assert world.schedule("a") == before


def test_a_former_name_can_be_reused_while_the_renamed_schedule_lives(
    world: World,
) -> None:
    deploy(world, a_schedule("a"))
    world.enable("a")
    deploy(world, a_schedule("b", renamed_from="a"))
    deploy(world, a_schedule("b"), a_schedule("a"))
    assert (world.schedule("b").enabled, world.schedule("a").enabled) == (True, False)


def test_the_deploy_plan_explains_renames_and_their_reversal(
    world: World,
) -> None:
    deploy(world, a_schedule("a", **SPREAD))
    world.schedules = (a_schedule("b", renamed_from="a", name="A", **SPREAD),)
    with world.database.read.connect() as connection:
        (change,) = plan_deploy(connection, world.registry, world.now).changes
    assert change.what == (
        "renamed from a: history and switch stay, and so do its `H` and jitter, those of a",
    )
    assert change.next_before == change.next_after
    deploy(world, *world.schedules)
    world.schedules = (a_schedule("a", **SPREAD),)
    with world.database.read.connect() as connection:
        (change,) = plan_deploy(connection, world.registry, world.now).changes
    assert change.what[0].startswith("renamed back from b: history and switch stay")


def test_a_sync_of_the_same_definitions_after_a_rename_changes_nothing(world: World) -> None:
    deploy(world, a_schedule("a", **SPREAD))
    deploy(world, a_schedule("b", renamed_from="a", **SPREAD))
    report = sync_definitions(world.runtime, world.now, author=TESTER)
    assert (report.changed, report.renamed, report.added) == ([], [], [])
