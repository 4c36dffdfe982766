"""Calendars by hand: their days travel into the versions of schedules by hand, as by a sync."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick import Calendar
from tick.engine.ledger.audit import Act
from tick.engine.schedules.calendars import MOST_CALENDARS
from tick.errors import DefinitionsInvalid, InvalidInput, NotFound, Refused, Stale
from tick.ops.actions import calendars, custom_schedules
from tick.ops.queries.calendars import calendar_names, get_calendar, list_calendars
from tick.ops.queries.versions import list_version_page
from tick.ops.reports.deploy_plan import plan_deploy
from tick.ops.reports.verify import verify
from tick.ops.reports.written_preview import preview_written
from tick.store.tables import audit_entry, calendar, schedule_version

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FOUNDERS = {"dates": {"2026-03-04": "Founders' Day"}}
# 1 March 2026 is a Sunday.
NIGHTLY = {"name": "Nightly", "cron": "0 2 * * *", "calendar": "plant", "job": "a"}


def march(day: int) -> datetime:
    """02:00 UTC."""
    return datetime(2026, 3, day, 2, tzinfo=UTC)


@pytest.fixture
def plant(world: World) -> World:
    """A calendar by hand, and a schedule by hand that goes by it, on since Sunday, 1 March."""
    world.define(a_schedule("other"), jobs=[a_job("a")])
    make(world, "plant", FOUNDERS)
    schedule(world, NIGHTLY)
    return world


def act(world: World, **parts: Any) -> Act:
    return Act(world.now, TESTER, **parts)


def make(world: World, name: str, written: dict[str, Any]) -> None:
    calendars.make_calendar(world.database, act(world), name, world.registry, written)


def edit(world: World, name: str, given: dict[str, Any], **parts: Any) -> list[str]:
    done = act(world, **parts)
    return calendars.edit_calendar(world.database, done, name, world.registry, given)


def delete(world: World, name: str) -> None:
    calendars.delete_calendar(world.database, act(world), name, world.registry)


def restore(world: World, name: str) -> None:
    calendars.restore_calendar(world.database, act(world), name, world.registry)


def schedule(world: World, written: dict[str, Any]) -> None:
    custom_schedules.create_schedule(
        world.database, act(world), world.registry, written, enabled=True
    )


def detail(world: World, name: str) -> Any:
    with world.database.read.connect() as connection:
        return get_calendar(connection, world.registry, name, 2026)


def versions(world: World, schedule_id: str = "nightly") -> list[tuple[int, Any]]:
    v = schedule_version.c
    found = sa.select(v.number, v.definition).where(v.schedule_id == schedule_id)
    return [(row.number, row.definition["calendar"]) for row in world.rows(found)]


def test_a_schedule_by_hand_fires_on_the_business_days_of_a_calendar_by_hand(plant: World) -> None:
    for day in range(2, 10):
        plant.tick(march(day) + MINUTE)
        plant.finish_runs()
    rows = [(outcome, at.day) for outcome, at, _ in plant.ledger("nightly") if at]
    off = [day for outcome, day in rows if outcome == "BLACKOUT"]
    assert off == [1, 4, 7, 8]
    assert verify(plant.database, march(1) - DAY, plant.now).violations == ()
    assert versions(plant) == [(1, {"name": "plant", "made_from": "its own dates"})]


def test_an_edit_gives_the_schedules_a_new_version_that_starts_after_it(plant: World) -> None:
    plant.tick(march(2) + MINUTE)
    plant.finish_runs()
    assert edit(plant, "plant", {"dates": {"2026-03-03": "Works council"}}) == ["nightly"]
    assert len(versions(plant)) == 2
    for day in (3, 4):
        plant.tick(march(day) + MINUTE)
        plant.finish_runs()
    rows = {at.day: outcome for outcome, at, _ in plant.ledger("nightly") if at}
    assert (rows[2], rows[3], rows[4]) == ("SUCCESS", "BLACKOUT", "SUCCESS")
    assert verify(plant.database, march(1) - DAY, plant.now).violations == ()
    a = audit_entry.c
    told = plant.rows(sa.select(a.action, a.subject, a.before, a.after).order_by(a.id))
    assert [tuple(row)[:2] for row in told][-2:] == [
        ("calendar.change", "plant"),
        ("schedule.change", "nightly"),
    ]
    assert (told[-2].before, told[-2].after) == (
        {"dates": {"2026-03-04": "Founders' Day"}},
        {"dates": {"2026-03-03": "Works council"}},
    )


def test_an_edit_that_changes_nothing_makes_no_version_and_no_entry(plant: World) -> None:
    entries = len(plant.rows(sa.select(audit_entry.c.id)))
    assert edit(plant, "plant", FOUNDERS) == []
    assert len(versions(plant)) == 1
    assert len(plant.rows(sa.select(audit_entry.c.id))) == entries


def test_calendars_by_hand_combine_those_in_code_and_each_other(plant: World) -> None:
    plant.calendars = [Calendar("gulf", weekend=["fri", "sat"])]
    plant.define(a_schedule("other"))
    make(plant, "both", {"all_of": ["gulf", "plant"]})
    schedule(plant, NIGHTLY | {"name": "Joint", "calendar": "both"})
    assert detail(plant, "both").weekend == ("Friday", "Saturday", "Sunday")
    # A member by hand changes, and then one in code.
    assert edit(plant, "plant", {"weekend": ["mon"]}) == ["joint", "nightly"]
    assert len(versions(plant, "joint")) == 2
    plant.calendars = [Calendar("gulf", weekend=["thu", "fri"])]
    plant.define(a_schedule("other"))
    assert detail(plant, "both").weekend == ("Monday", "Thursday", "Friday")
    assert len(versions(plant, "joint")) == 3


def test_one_whose_member_left_the_code_takes_its_schedules_to_error_and_back(
    plant: World,
) -> None:
    plant.calendars = [Calendar("gulf", weekend=["fri"])]
    plant.define(a_schedule("other"))
    make(plant, "both", {"all_of": ["gulf", "plant"]})
    schedule(plant, NIGHTLY | {"name": "Joint", "calendar": "both"})
    plant.calendars = []
    plant.define(a_schedule("other"))
    row = plant.schedule("joint")
    assert row.state == "ERROR"
    assert "calendar 'both', made by hand, combines unknown calendar 'gulf'" in row.state_reason
    assert "combines unknown calendar 'gulf'" in detail(plant, "both").mistake
    assert plant.schedule("nightly").state == "ACTIVE"
    plant.calendars = [Calendar("gulf", weekend=["fri"])]
    plant.define(a_schedule("other"))
    assert plant.schedule("joint").state == "ACTIVE"


def test_a_name_that_code_has_too_is_a_mistake_that_names_both(plant: World) -> None:
    plant.calendars = [Calendar("plant", weekend=["fri"])]
    with pytest.raises(DefinitionsInvalid, match="calendar 'plant' in the definitions: the cal"):
        plant.define(a_schedule("other"))
    with (
        plant.database.read.connect() as connection,
        pytest.raises(DefinitionsInvalid, match="made by hand has this name"),
    ):
        plan_deploy(connection, plant.registry, plant.now)
    plant.calendars = [Calendar("gulf", weekend=["fri"])]
    plant.define(a_schedule("other"))
    with pytest.raises(Refused, match="Calendar gulf is in the definitions"):
        make(plant, "gulf", FOUNDERS)
    with pytest.raises(Refused, match="Calendar gulf lives in code"):
        edit(plant, "gulf", FOUNDERS)


def test_a_schedule_in_code_can_not_go_by_a_calendar_by_hand(plant: World) -> None:
    with pytest.raises(DefinitionsInvalid, match="calendar 'plant' is not defined"):
        plant.define(a_schedule("in-code", calendar="plant"))


def test_what_uses_it_keeps_it_from_being_deleted_and_restoring_brings_it_back(
    plant: World,
) -> None:
    make(plant, "wider", {"any_of": ["plant"]})
    with pytest.raises(Refused, match="is used by schedule nightly, calendar wider"):
        delete(plant, "plant")
    delete(plant, "wider")
    custom_schedules.delete_schedule(plant.database, act(plant), "nightly", plant.registry)
    delete(plant, "plant")
    assert detail(plant, "plant").deleted is True
    with pytest.raises(InvalidInput, match="calendar 'plant' is not defined"):
        custom_schedules.restore_schedule(plant.database, act(plant), "nightly", plant.registry)
    with pytest.raises(InvalidInput, match="combines unknown calendar 'plant'"):
        restore(plant, "wider")
    with pytest.raises(Refused, match="was deleted; restore it, or choose another name"):
        make(plant, "plant", FOUNDERS)
    with pytest.raises(Refused, match="was deleted; restore it, then edit it"):
        edit(plant, "plant", {"weekend": ["sun"]})
    restore(plant, "plant")
    custom_schedules.restore_schedule(plant.database, act(plant), "nightly", plant.registry)
    assert plant.schedule("nightly").state == "ACTIVE"
    with pytest.raises(Refused, match="it was not deleted"):
        restore(plant, "plant")
    with pytest.raises(NotFound, match="No calendar 'none' was made by hand"):
        delete(plant, "none")


def test_an_edit_that_another_edit_overtook_is_refused(plant: World) -> None:
    read = detail(plant, "plant").revision
    edit(plant, "plant", {"weekend": ["sun"]}, revision=read)
    with pytest.raises(Stale, match="Calendar plant was changed by"):
        edit(plant, "plant", {"weekend": ["fri"]}, revision=read)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "names no days; give country, file, dates"),
        ({"country": "XX"}, "country 'XX' is not known"),
        ({"country": "DE"}, "choose a subdivision"),
        ({"all_of": ["plnt"]}, "combines unknown calendar 'plnt' (did you mean 'plant'?)"),
        ({"dates": {"2026-02-30": "x"}}, "'2026-02-30' is no date"),
        ({"weekend": ["someday"]}, "is no list of weekdays"),
        ({"dates": {"2026-03-01": "x"}, "half_days": {"2026-03-02": "25:00"}}, "no time of day"),
        (
            {
                "dates": {
                    f"{year}-01-{day:02}": "x" for year in range(1900, 1950) for day in range(1, 25)
                }
            },
            "has 1200 days; at most 1000 are kept",
        ),
        ({"all_of": ["plant"], "country": "US"}, "combines others, so country, file and weekend"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_kept(
    plant: World, written: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        make(plant, "new", written)
    assert said in str(refusal.value)
    assert [row.name for row in plant.rows(sa.select(calendar.c.name))] == ["plant"]


def test_two_that_combine_each_other_are_refused(plant: World) -> None:
    make(plant, "wider", {"any_of": ["plant"]})
    with pytest.raises(InvalidInput, match="combines itself, by way of others"):
        edit(plant, "plant", {"dates": None, "all_of": ["wider"]})


def test_days_with_which_a_schedule_could_never_fire_are_refused(plant: World) -> None:
    step = {"every": {"months": 1, "on": "business day 24", "at": "02:00"}, "cron": None}
    make(plant, "six-days", {"weekend": ["sun"]})
    schedule(plant, NIGHTLY | step | {"name": "Late", "calendar": "six-days"})
    with pytest.raises(Refused, match="With these days of six-days, late could not fire"):
        edit(plant, "six-days", {"weekend": ["sat", "sun"]})
    assert plant.schedule("late").state == "ACTIVE"
    assert detail(plant, "six-days").weekend == ("Sunday",)


def test_there_is_an_end_to_them(plant: World) -> None:
    row = {"written": FOUNDERS, "number": 1, "created_at": plant.now, "created_by": "x"}
    row |= {"updated_at": plant.now, "updated_by": "x"}
    with plant.database.write.begin() as connection:
        connection.execute(
            sa.insert(calendar), [row | {"name": f"c{n}"} for n in range(MOST_CALENDARS - 1)]
        )
    with pytest.raises(Refused, match=f"There are {MOST_CALENDARS} calendars"):
        make(plant, "one-more", FOUNDERS)


def test_the_list_the_names_and_the_preview_know_them(plant: World) -> None:
    plant.calendars = [Calendar("gulf", weekend=["fri"])]
    plant.define(a_schedule("other", calendar="gulf"))
    with plant.database.read.connect() as connection:
        found = list_calendars(connection, plant.registry, 2026).items
        assert [(each.name, each.source, each.used_by) for each in found] == [
            ("gulf", "CODE", ("other",)),
            ("plant", "CUSTOM", ("nightly",)),
        ]
        assert calendar_names(connection, plant.registry) == ["gulf", "plant"]
        shown = preview_written(connection, plant.registry, NIGHTLY, march(3))
    assert (shown.mistakes, shown.upcoming[0].at.day) == ((), 4)
    assert shown.upcoming[0].blackout == "calendar plant: Founders' Day"


def test_installations_without_them_are_not_asked_for_them(world: World) -> None:
    world.define(a_schedule("other"), jobs=[a_job("a")])
    asked: list[str] = []

    def note(*event: Any) -> None:
        asked.append(event[2])

    for engine in (world.database.write, world.database.read):
        sa.event.listen(engine, "before_cursor_execute", note)
    world.define(a_schedule("other", cron="5 5 * * *"))
    plain = {name: NIGHTLY[name] for name in ("name", "cron", "job")}
    schedule(world, plain)
    world.tick(world.now + DAY)
    assert asked
    assert not [text for text in asked if "FROM calendar" in text]


def test_the_rule_of_a_country_travels_with_the_version_of_its_library(plant: World) -> None:
    edit(plant, "plant", {"dates": None, "country": "US", "subdivision": "CA"})
    (_, made) = versions(plant)[-1]
    assert made["made_from"].startswith("holidays 0.")


def test_a_version_says_which_days_of_its_calendar_changed(plant: World) -> None:
    days = {f"2026-04-{day:02}": "Shutdown" for day in range(1, 13)}
    edit(plant, "plant", {"dates": {"2026-03-04": "Works council"}})
    edit(plant, "plant", {"dates": days, "weekend": ["sun"]})
    with plant.database.read.connect() as connection:
        newest, older, _ = list_version_page(connection, "nightly", before=None, size=3).items
    assert [(each.part, each.before, each.after) for each in older.changes or ()] == [
        ("calendar, 2026-03-04", "Founders' Day", "Works council")
    ]
    parts = [(each.part, each.after) for each in newest.changes or ()]
    assert parts[0] == ("calendar", "plant, weekend Sunday, known until 2035-12-31")
    assert parts[1] == ("calendar, 2026-04-01", "Shutdown")
    assert parts[-1] == ("calendar", "3 days more")
    assert len(parts) == 12
