"""The first page, and what is read for it."""

import re
from datetime import datetime, timedelta

import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor
from tick.ops.queries import health
from tick.ops.reports.upcoming import list_upcoming
from tick.store.tables import tick_log


def _tick_at(world: World, *instants: datetime, **values: object) -> None:
    with world.database.write.begin() as connection:
        for at in instants:
            row = {"id": at.isoformat()[:32], "source": "test", "now": at, "started_at": at}
            connection.execute(sa.insert(tick_log), row | {"took_seconds": 0.1} | values)


def test_an_empty_system_says_what_to_do_next(ada: Visitor) -> None:
    page = ada.page("/")
    for words in (
        "tick loop",
        "tick worker",
        "Nothing runs.",
        "no schedule is on",
        "Nothing failed",
    ):
        assert words in page


def test_it_shows_what_runs_and_what_is_next(world: World, ada: Visitor) -> None:
    world.enable("hourly")
    ada.post("/schedules/daily/run")
    page = ada.page("/")
    assert "Daily Full Sync" in page
    assert "0 of 3" in page
    assert page.count('<a class="name" href="/schedules/hourly">') == 1
    assert '<a class="name" href="/schedules/daily">' not in page


def test_it_shows_what_failed_and_what_was_missed(world: World, ada: Visitor) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=5, minutes=1))
    ada.post("/schedules/daily/run")
    world.finish_runs("FAILED")
    page = ada.page("/")
    wrong = page[page.index("unwanted-title") :]
    assert "Missed" in wrong
    assert "Failed" in wrong


def test_what_went_wrong_before_yesterday_is_not_shown(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    world.finish_runs("FAILED")
    with world.database.write.begin() as connection:
        connection.execute(
            sa.text("UPDATE occurrence SET decided_at = :at").bindparams(
                sa.bindparam("at", world.now - timedelta(days=2), type_=tick_log.c.now.type)
            )
        )
    assert "Nothing failed" in ada.page("/")


def test_gaps_between_ticks_are_counted_over_a_day(world: World, now: datetime) -> None:
    minutes = [0, 1, 2, 3, 10, 11, 12, 40]
    _tick_at(world, *(now - timedelta(minutes=minute) for minute in minutes), late_seconds=2.0)
    _tick_at(world, now - timedelta(hours=25))
    with world.database.read.connect() as connection:
        day = health.day_of_ticks(connection, now, 60.0)
    assert day == health.DayOfTicks(8, 2, 28 * 60, 2.0)


def test_there_is_no_gap_without_ticks(world: World, now: datetime) -> None:
    with world.database.read.connect() as connection:
        assert health.day_of_ticks(connection, now, 60.0) == health.DayOfTicks(0, 0, 0.0, None)


def test_what_is_next_is_in_order_over_all_schedules(world: World, now: datetime) -> None:
    world.define(
        a_schedule("often", cron="*/20 * * * *"),
        a_schedule("spaced", cron=None, every=timedelta(seconds=90)),
        a_schedule("off"),
        jobs=JOBS,
    )
    world.enable("often")
    world.enable("spaced")
    with world.database.read.connect() as connection:
        found = list_upcoming(connection, now, 200)
    times = [instant.at for instant in found]
    assert times == sorted(times)
    assert times[0] > now
    assert (times[0] - now) <= timedelta(seconds=90)
    assert {instant.schedule_id for instant in found} == {"often", "spaced"}


def test_what_went_wrong_again_and_again_is_one_line(world: World, ada: Visitor) -> None:
    for hour in range(1, 5):
        world.now += timedelta(hours=hour)
        ada.post("/schedules/daily/run", key=f"key-{hour:02}-of-a-button")
        world.finish_runs("FAILED")
    page = ada.page("/")
    wrong = page[page.index("unwanted-title") : page.index("next-title")]
    assert wrong.count("Daily Full Sync") == 1
    assert ">4 times</strong>" in wrong


def test_a_missed_time_counts_its_instants(world: World, ada: Visitor) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=5, minutes=1))
    page = ada.page("/")
    wrong = page[page.index("unwanted-title") : page.index("next-title")]
    assert wrong.count("Hourly Matching") == 1
    assert re.search(r">[45] times</strong>", wrong)
