"""What a deploy would do, told before it does it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.define.schedules import Schedule
from tick.engine.ledger.audit import Act
from tick.engine.schedules import lifecycle
from tick.ops.actions import windows
from tick.ops.reports.deploy_plan import Plan, PlannedChange, plan_deploy

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def daily(world: World) -> World:
    """Daily at 02:00, enabled at 01:59."""
    world.define(a_schedule())
    world.enable()
    return world


def planned(world: World, *schedules: Schedule) -> Plan:
    """The plan of deploying these schedules."""
    world.schedules = schedules
    with world.database.read.connect() as connection:
        return plan_deploy(connection, world.registry, world.now)


def only(plan: Plan) -> PlannedChange:
    (change,) = plan.changes
    return change


def test_an_unchanged_project_changes_nothing(daily: World) -> None:
    plan = planned(daily, a_schedule())
    assert plan.changes_nothing
    assert plan.as_dict() == {
        "environment": "production",
        "wrong_environment": None,
        "elsewhere": {},
        "changes": [],
        "pinned": [],
        "fires": [],
        "clock_changes": [],
        "collisions": [],
        "drift": [],
        "windows": [],
        "changes_nothing": True,
    }


def test_it_writes_nothing(daily: World) -> None:
    before = daily.schedule()
    planned(daily, a_schedule("other"))
    assert daily.schedule() == before


def test_an_added_schedule_is_off_until_somebody_switches_it_on(daily: World) -> None:
    change = only(planned(daily, a_schedule(), a_schedule("weekly", cron="0 3 * * 0")))
    assert change.what == ("added, and switched off until somebody switches it on",)
    assert (change.before, change.next_before) == (None, ())
    assert change.next_after[0] == TWO + HOUR


def test_an_edited_schedule_shows_its_next_instants_before_and_after(daily: World) -> None:
    change = only(planned(daily, a_schedule(cron="0 5 * * *")))
    assert change.what == ("its rule changes",)
    assert change.next_before == (TWO, TWO + DAY, TWO + 2 * DAY)
    assert change.next_after[0] == TWO + 3 * HOUR
    assert change.before is not None and "02:00" in change.before


def test_other_jobs_other_words_a_removal_and_a_rename_are_told_apart(daily: World) -> None:
    daily.jobs = [a_job("match-scores"), a_job("more")]
    assert only(planned(daily, a_schedule())).what == ("its jobs change",)
    daily.jobs = [a_job("match-scores")]
    assert only(planned(daily, a_schedule(name="Other"))).what == (
        "its name, description, alerts or environments change",
    )
    renamed = only(planned(daily, a_schedule("daily-2", name="Daily", renamed_from="daily")))
    assert renamed.what == ("renamed from daily: history and switch stay",)
    removed = planned(daily, a_schedule("other")).changes[-1]
    assert removed.what == ("removed: it stops firing, its history stays",)
    assert removed.next_after == ()


def test_a_schedule_that_comes_back_says_how(daily: World) -> None:
    daily.define(a_schedule("other"))
    change = only(planned(daily, a_schedule("other"), a_schedule()))
    assert change.what[0].startswith("defined again: as it was if")


def test_nothing_fires_on_deploy_but_what_is_due_already(daily: World) -> None:
    assert planned(daily, a_schedule(cron="0 5 * * *")).fires == ()
    daily.now = TWO + MINUTE
    (due,) = planned(daily, a_schedule(cron="0 5 * * *")).fires
    assert (due.schedule_id, due.at) == ("daily", TWO)
    assert planned(daily, a_schedule()).fires == ()
    daily.now = TWO + HOUR
    assert planned(daily, a_schedule(cron="0 5 * * *")).fires == ()


def test_nothing_fires_on_deploy_beside_what_still_runs(daily: World) -> None:
    daily.tick(TWO)
    daily.now = TWO + DAY
    assert planned(daily, a_schedule(cron="0 5 * * *")).fires == ()
    daily.define(a_schedule(cron="0 5 * * *"))
    assert daily.ledger() == [("QUEUED", TWO, 1), ("SKIPPED_OVERLAP", TWO + DAY, 1)]


def test_nothing_fires_on_deploy_while_the_scheduler_stands(daily: World) -> None:
    windows.stop_scheduler(daily.database, Act(TWO - HOUR, TESTER, reason="new disks"))
    daily.now = TWO
    assert planned(daily, a_schedule(cron="0 5 * * *")).fires == ()


@pytest.mark.parametrize(
    "deployed",
    [
        a_schedule(cron="0 5 * * *"),
        a_schedule("nightly", renamed_from="daily"),
        a_schedule("other"),
    ],
    ids=["edited", "renamed", "removed"],
)
def test_the_plan_of_what_fires_is_what_the_deploy_does(daily: World, deployed: Schedule) -> None:
    daily.now = TWO + MINUTE
    (due,) = planned(daily, deployed).fires
    daily.define(deployed)
    assert [run.scheduled_for for run in daily.runs()] == [due.at]


def test_nothing_fires_on_deploy_of_what_is_backing_off(daily: World) -> None:
    with daily.database.write.begin() as connection:
        lifecycle.back_off(connection, "daily", now=TWO, error="no such thing")
    daily.now = TWO + MINUTE
    assert planned(daily, a_schedule(cron="0 5 * * *")).fires == ()
    daily.define(a_schedule(cron="0 5 * * *"))
    assert daily.runs() == []


def test_clock_changes_of_the_coming_year_are_named(daily: World) -> None:
    plan = planned(
        daily, a_schedule(), a_schedule("berlin", cron="30 2 * * *", timezone="Europe/Berlin")
    )
    assert [(item.schedule_id, item.at) for item in plan.clock_changes] == [
        ("berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("parts", "note"),
    [
        (
            {"cron": "0 3 1 * *", "missed": "CATCH_UP", "max_catch_up_age": 86400},
            "caught up for 1 day (max_catch_up_age) of the 31 days until the next one",
        ),
        ({"cron": "0 3 1 * *", "missed": "CATCH_UP"}, None),
        ({"missed": "CATCH_UP", "max_catch_up_age": 90_000}, None),
        ({"cron": "0 9 1-7 * MON"}, "for the first Monday of the month write '0 9 * * 1#1'"),
        ({}, None),
    ],
    ids=str,
)
def test_what_may_not_be_meant_is_noted_before_it_is_deployed(
    daily: World, parts: dict[str, Any], note: str | None
) -> None:
    plan = planned(daily, a_schedule(), a_schedule("added", **parts))
    (change,) = plan.changes
    notes = [text for text in change.what if text.startswith("note: ")]
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_schedules_that_start_the_same_job_at_once_are_named(daily: World) -> None:
    plan = planned(daily, a_schedule(), a_schedule("hourly", cron="0 * * * *"))
    (collision,) = plan.collisions
    assert (collision.schedules, collision.jobs) == (("daily", "hourly"), ("match-scores",))
    assert (collision.first, collision.count) == (TWO, 7)
    assert planned(daily, a_schedule(), a_schedule("later", cron="5 4 * * *")).collisions == ()


def test_it_can_be_written_as_json(daily: World) -> None:
    plain = planned(daily, a_schedule(cron="0 5 * * *")).as_dict()
    assert plain["changes"][0]["next_after"][0] == "2026-03-01T05:00:00+00:00"


def test_a_rule_that_cannot_be_read_is_no_hindrance(daily: World) -> None:
    with daily.database.write.begin() as connection:
        connection.execute(
            sa.text("UPDATE schedule_version SET rule = '{\"kind\":\"LUNAR\"}', digest = 'x'")
        )
    daily.now = TWO
    plan = planned(daily, a_schedule())
    assert (only(plan).before, only(plan).next_before) == ("Cannot be read", ())
    assert only(plan).next_after[0] == TWO + DAY
    assert plan.fires == ()
