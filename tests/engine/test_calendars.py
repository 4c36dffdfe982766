"""A schedule with a calendar, from its sync to the ledger, and to what people are told of it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick import Calendar
from tick.engine.ledger.audit import Act
from tick.engine.schedules.diff import BY_DEFINITIONS
from tick.ops.actions.custom_schedules import create_schedule
from tick.ops.queries.occurrences import get_occurrence
from tick.ops.queries.schedules import get_schedule
from tick.ops.reports.deploy_plan import plan_deploy
from tick.ops.reports.upcoming import list_next, read_schedule
from tick.ops.reports.verify import verify
from tick.ops.reports.why import Why, explain
from tick.store.tables import job_schedule, occurrence, schedule_version

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PLANT = Calendar("plant", dates={"2026-03-04": "Founders' Day"}, until="2026-12-31")
OTHER = Calendar("plant", dates={"2026-03-05": "Works council"}, until="2026-12-31")


def march(day: int) -> datetime:
    """02:00 UTC; 1 March 2026 is a Sunday."""
    return datetime(2026, 3, day, 2, tzinfo=UTC)


@pytest.fixture
def plant(world: World) -> World:
    """Daily at 02:00 on the plant's business days, enabled on Sunday, 1 March, at 01:59."""
    world.calendars = [PLANT]
    world.define(a_schedule(calendar="plant"), jobs=[a_job("a")])
    world.enable()
    return world


def through(world: World, *days: int) -> None:
    for day in days:
        world.tick(march(day) + MINUTE)


def why(world: World, at: datetime) -> Why:
    with world.database.read.connect() as connection:
        return explain(connection, "daily", at, world.now)


def outcomes(world: World) -> list[tuple[str, int]]:
    return [(outcome, at.day if at else 0) for outcome, at, _ in world.ledger()]


def test_what_a_calendar_drops_is_blackout_and_named(plant: World) -> None:
    through(plant, *range(1, 8))
    assert outcomes(plant) == [
        ("BLACKOUT", 1),
        ("QUEUED", 2),
        ("SKIPPED_OVERLAP", 3),
        ("BLACKOUT", 4),
        ("SKIPPED_OVERLAP", 5),
        ("SKIPPED_OVERLAP", 6),
        ("BLACKOUT", 7),
    ]
    o = occurrence.c
    rows = plant.rows(sa.select(o.id, o.reason, o.reason_kind).order_by(o.scheduled_for))
    assert rows[0][1:] == ("calendar plant: weekend", "CALENDAR")
    assert rows[3][1:] == ("calendar plant: Founders' Day", "CALENDAR")
    assert rows[1].reason_kind is None
    with plant.database.read.connect() as connection:
        assert get_occurrence(connection, rows[3].id).reason_kind == "CALENDAR"


def test_the_proof_holds_also_over_an_outage(plant: World) -> None:
    through(plant, 1, 2, 9, 10)
    found = verify(plant.database, march(1) - MINUTE, plant.now)
    assert (found.ok, found.instants) == (True, 10)
    assert found.outcomes["BLACKOUT"] == 4


def test_why_names_the_holiday_before_and_after_it(plant: World) -> None:
    assert why(plant, march(4)).sentence == (
        "daily at 2026-03-04 02:00:00 UTC will not fire: calendar plant: Founders' Day."
    )
    through(plant, 1, 2, 3, 4)
    found = why(plant, march(4))
    assert found.sentence == (
        "daily at 2026-03-04 02:00:00 UTC did not fire (BLACKOUT): calendar plant: Founders' Day."
    )
    facts = {fact.name: fact.text for fact in found.facts}
    assert facts["calendar"] == "plant: its own dates; known from 2020-01-01 to 2026-12-31"


def test_what_is_to_come_names_holidays_and_fires_on_business_days(plant: World) -> None:
    with plant.database.read.connect() as connection:
        coming = list_next(connection, "daily", plant.now, 5)
        shown = read_schedule(connection, "daily", plant.now)
        words = get_schedule(connection, "daily").timing.words
    assert [(each.at.day, each.fires, each.blackout) for each in coming] == [
        (2, True, None),
        (3, True, None),
        (4, False, "calendar plant: Founders' Day"),
        (5, True, None),
        (6, True, None),
    ]
    assert [at.day for at in shown.upcoming] == [2, 3, 5, 6]
    assert words.endswith(", only on business days of plant")


def test_a_day_beyond_what_is_known_fires_by_its_weekday_and_says_so(world: World) -> None:
    world.calendars = [Calendar("plant", dates={"2026-03-04": "x"}, until="2026-03-05")]
    world.define(a_schedule(calendar="plant"), jobs=[a_job("a")])
    world.enable()
    through(world, 6)
    (reason,) = world.rows(
        sa.select(occurrence.c.reason).where(occurrence.c.scheduled_for == march(6))
    )
    assert reason[0] == (
        "calendar plant is known from 2020-01-01 to 2026-03-05: only the weekday decided"
    )


def test_a_changed_calendar_is_a_new_version_that_a_plan_shows(plant: World) -> None:
    through(plant, 1, 2)
    plant.calendars = [OTHER]
    with plant.database.read.connect() as connection:
        (change,) = plan_deploy(connection, plant.registry, plant.now).changes
    assert "its rule changes" in change.what
    assert [at.day for at in change.next_before] == [3, 5, 6]
    assert [at.day for at in change.next_after] == [3, 4, 6]
    plant.define(a_schedule(calendar="plant"))
    through(plant, 3, 4, 5)
    assert [(outcome, day) for outcome, day in outcomes(plant) if outcome == "BLACKOUT"] == [
        ("BLACKOUT", 1),
        ("BLACKOUT", 5),
    ]
    assert verify(plant.database, march(1) - MINUTE, plant.now).ok


def test_the_same_days_make_no_new_version(plant: World) -> None:
    plant.calendars = [Calendar("plant", dates={"2026-03-04": "Founders' Day"}, until="2026-12-31")]
    plant.define(a_schedule(calendar="plant"))
    assert len(plant.rows(sa.select(schedule_version.c.id))) == 1


def test_the_version_remembers_what_its_days_were_made_from(world: World) -> None:
    world.calendars = [Calendar("de", country="DE", subdivision="BY")]
    world.define(a_schedule(calendar="de"), jobs=[a_job("a")])
    v = schedule_version.c
    ((definition, rule_format),) = world.rows(sa.select(v.definition, v.rule_format))
    assert definition["calendar"]["name"] == "de"
    assert definition["calendar"]["made_from"].startswith("holidays 0.")
    assert definition["calendar"]["made_from"].endswith(", DE BY without catholic")
    assert rule_format == 2


def test_the_newest_missed_one_that_is_asked_for_is_a_business_day(plant: World) -> None:
    plant.disable()
    plant.now = march(8)
    plant.enable(catch_up_latest=True)
    plant.tick(march(8) + MINUTE)
    assert ("QUEUED", 6) in outcomes(plant)
    assert verify(plant.database, march(1) - MINUTE, plant.now).ok


def test_a_schedule_by_hand_names_a_calendar_and_breaks_when_it_leaves_the_code(
    plant: World,
) -> None:
    written = {"name": "Mine", "cron": "0 3 * * *", "job": "a", "calendar": "plant"}
    act = Act(plant.now, TESTER)
    create_schedule(plant.database, act, plant.registry, written, schedule_id="mine")
    state = sa.select(job_schedule.c.state, job_schedule.c.state_reason, job_schedule.c.state_by)
    mine = state.where(job_schedule.c.id == "mine")
    with plant.database.read.connect() as connection:
        coming = list_next(connection, "mine", plant.now, 3)
    assert [(each.at.day, each.blackout) for each in coming][-1] == (
        4,
        "calendar plant: Founders' Day",
    )
    plant.calendars = []
    plant.define(a_schedule())
    ((found, reason, by),) = plant.rows(mine)
    assert (found, by) == ("ERROR", BY_DEFINITIONS)
    assert "calendar 'plant' is not defined" in reason
    plant.calendars = [PLANT]
    plant.define(a_schedule())
    assert plant.rows(mine)[0][0] == "ACTIVE"
