"""Schedules that fire as another scheduler does, from the definition to the proof."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tests.support.zones import fixed, released
from tick.cron.zone_data import using
from tick.define.as_code import as_code
from tick.define.written import from_plain, to_plain
from tick.ops.queries.descriptions import describe_timing
from tick.ops.reports.upcoming import list_next
from tick.ops.reports.verify import verify
from tick.policy import instants
from tick.policy.rule import Rule
from tick.store.tables import schedule_version

START = datetime(2026, 3, 27, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def start(world: World, dialect: str, cron: str, **parts: object) -> World:
    world.now = START
    schedule = a_schedule(cron=cron, dialect=dialect, timezone="Europe/Berlin", **parts)
    world.define(schedule)
    world.enable()
    return world


def fired(world: World) -> list[str]:
    return [f"{at:%m-%d %H:%M}" for _, at, _ in world.ledger() if at]


def test_celery_fires_a_skipped_time_an_hour_later_and_is_proven(world: World) -> None:
    start(world, "celery", "30 2 * * *")
    for _ in range(4):
        world.tick(world.schedule().next_run_at + MINUTE)
        world.finish_runs()
    assert fired(world) == ["03-27 01:30", "03-28 01:30", "03-29 01:30", "03-30 00:30"]
    assert verify(world.database, START, world.now).violations == ()


@pytest.mark.parametrize("missed", ["SKIP", "CATCH_UP", "CATCH_UP_ALL"])
def test_an_outage_over_the_change_is_accounted_for(world: World, missed: str) -> None:
    start(world, "quartz", "0 30 2 * * ?", missed=missed, jitter=600.0)
    world.tick(START + 5 * DAY)
    world.finish_runs()
    world.tick(START + 5 * DAY + 5 * MINUTE)
    assert verify(world.database, START, world.now).violations == ()


def test_an_edit_between_our_rule_and_a_dialect_decides_each_instant_once(world: World) -> None:
    start(world, "robfig-cron", "30 2 * * *")
    world.tick(START + DAY)
    world.finish_runs()
    world.define(a_schedule(cron="30 2 * * *", timezone="Europe/Berlin"))
    world.tick(START + 4 * DAY)
    at = [row for _, row, _ in world.ledger() if row]
    assert all(before < after for before, after in pairwise(sorted(at)))
    assert verify(world.database, START, world.now).violations == ()


def test_a_release_that_knows_no_dialects_leaves_the_version_alone(world: World) -> None:
    start(world, "celery", "30 2 * * *")
    formats = sa.select(schedule_version.c.rule_format)
    assert [row.rule_format for row in world.rows(formats)] == [4]


def test_it_is_said_in_words_and_written_and_stored_as_it_was_given(world: World) -> None:
    schedule = a_schedule(cron="Mon *-*-01..07 09:00", dialect="systemd")
    rule = schedule.rule()
    assert Rule.from_json(rule.to_json()) == rule
    assert describe_timing(rule.to_json()).words == "As systemd fires Mon *-*-01..07 09:00"
    written = to_plain(schedule)
    assert from_plain(schedule.id, written, source="here").rule() == rule
    assert 'dialect="systemd",' in as_code(schedule.id, written)
    world.define(schedule)
    world.enable()
    with world.database.read.connect() as connection:
        assert len(list_next(connection, schedule.id, world.now, 3)) == 3


def test_newer_zone_data_are_gone_by() -> None:
    rule = a_schedule(cron="30 2 * * *", timezone="Europe/Berlin", dialect="celery").rule()
    assert instants.first_after(rule, START) == START + timedelta(hours=1, minutes=30)
    with using(released("2099a", {"Europe/Berlin": fixed(2)})):
        assert instants.first_after(rule, START) == START + timedelta(minutes=30)
