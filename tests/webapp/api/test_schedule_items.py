"""The item of a schedule: what it is, what is in effect, and how well it went."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import FAILED, Hands
from tests.support.factories import World, a_schedule
from tests.webapp.api.client import Program
from tests.webapp.conftest import JOBS
from tick.store.tables import schedule_version

SECOND_NAMES = {
    "scheduleType": "CRON",
    "cronExpression": "0 * * * *",
    "intervalMs": None,
    "executionMode": "GROUP",
}
FIGURES = {
    "nextRunAt": "next_run_at",
    "lastRunAt": "last_run_at",
    "lastRunId": "last_run_id",
    "runCount": "run_count",
    "failureCount": "failure_count",
}


@pytest.fixture
def fired(world: World, admin: Program) -> Program:
    """A program, after the hourly schedule fired well once, and failed once by hand."""
    world.enable("hourly")
    world.tick(world.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
    hands = Hands(world)
    hands.work_off()
    admin.post("/schedules/hourly/trigger")
    hands.work_off(compatibility=FAILED)
    world.tick(world.now + timedelta(minutes=1))
    return admin


def test_an_item_has_the_names_of_the_proposal_as_well(fired: Program) -> None:
    item = fired.get("/schedules/hourly")["schedule"]
    assert {name: item[name] for name in SECOND_NAMES} == SECOND_NAMES
    assert {second: item[second] for second in FIGURES} == {
        second: item[first] for second, first in FIGURES.items()
    }
    assert (item["runCount"], item["failureCount"]) == (1, 0)
    assert item["lastRunAt"] is not None
    assert item["lastRunId"] is not None


def test_a_failure_by_hand_is_no_part_of_the_success_rate_of_an_item(fired: Program) -> None:
    items = {item["id"]: item for item in fired.get("/schedules")["items"]}
    assert (items["hourly"]["success_rate"], items["daily"]["success_rate"]) == (1.0, None)
    assert fired.get("/schedules/hourly")["schedule"] == items["hourly"]
    assert fired.post("/schedules/hourly/disable")["success_rate"] == 1.0


def test_an_item_says_which_policy_is_in_effect(world: World, viewer: Program) -> None:
    patient = a_schedule("patient", missed="CATCH_UP", overlap="ALLOW", grace=900.0)
    world.define(patient, a_schedule("plain"), jobs=JOBS)
    items = {item["id"]: item for item in viewer.get("/schedules")["items"]}
    policies = {
        name: (items[name]["missed"], items[name]["overlap"], items[name]["grace_seconds"])
        for name in ("patient", "plain")
    }
    assert policies == {"patient": ("CATCH_UP", "ALLOW", 900.0), "plain": ("SKIP", "SKIP", 120.0)}
    found = viewer.get("/schedules/patient")
    assert found["policy"]["grace_seconds"] == found["schedule"]["grace_seconds"]


def test_an_item_whose_rule_cannot_be_read_has_no_policy(world: World, viewer: Program) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.update(schedule_version).values(rule='{"kind": "LUNAR"}'))
    found = viewer.get("/schedules/daily")
    item = found["schedule"]
    assert (item["missed"], item["overlap"], item["grace_seconds"]) == (None, None, None)
    assert found["policy"] is None
