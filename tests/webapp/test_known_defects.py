"""Defects that other consoles shipped and had to mend, each shown not to be here.

Those of the browser are in tests/browser/test_known_defects.py. A read-only person who acts through
a fragment: test_every_route.py.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor
from tick.cron import timetable
from tick.errors import InvalidCron
from tick.ops.queries.history import PastRow
from tick.store.tables import job_run, occurrence, schedule_version
from webapp.drawing.outcome_calendar import outcome_calendar


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 1--100000000 * *",
        "0 0 1-100000000 * *",
        "*/100000000 * * * *",
        "0 0 " + "1," * 100_000 + "1 * *",
        "0" * 100_000 + " 0 1 * *",
    ],
)
def test_01_an_enormous_expression_is_refused_before_it_is_described(expression: str) -> None:
    with pytest.raises(InvalidCron):
        timetable.describe(expression, "UTC")


@pytest.mark.parametrize(
    "rule", ['{"kind":"CRON","cron":"@reboot"}', '{"kind":"LUNAR"}', "no json"]
)
def test_02_a_list_with_a_rule_that_cannot_be_read_still_opens(
    world: World, ada: Visitor, rule: str
) -> None:
    world.enable("daily")
    world.enable("hourly")
    with world.database.write.begin() as connection:
        mine = schedule_version.c.schedule_id == "daily"
        connection.execute(sa.update(schedule_version).where(mine).values(rule=rule))
    for path in ("/", "/schedules", "/schedules/daily", "/upcoming", "/upcoming?span=month"):
        assert "Hourly Matching" in ada.page(path) or "Daily Full Sync" in ada.page(path), path
    assert "Cannot be read" in ada.page("/schedules")


def test_04_times_that_went_backwards_show_no_negative_length(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    later = world.now + timedelta(days=2)
    values = {"status": "FAILED", "started_at": later, "finished_at": world.now}
    ended = {"outcome": "FAILED", "first_started_at": later, "last_finished_at": world.now}
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).values(**values))
        connection.execute(sa.update(occurrence).values(**ended))
    for path in ("/schedules", "/schedules/daily", "/runs", "/runs/1", "/occurrences/1"):
        assert not re.search(r">\s*-\d", ada.page(path)), path


def test_07_a_filter_lives_in_the_address_and_nowhere_else(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    world.finish_runs("FAILED")
    preview = ada.page("/runs/bulk?do=retry&which=chosen&run=1&next=/runs?q%3Dstatus:failed")
    sent = ada.press(preview, "/runs/bulk/retry")
    assert sent.headers["Location"] == "/runs?q=status:failed"
    assert "match-scores" in ada.page("/runs")  # another tab is not filtered by this one


def test_11_an_instant_skipped_by_overlap_is_a_row_that_names_its_blocker(
    world: World, ada: Visitor, now: datetime
) -> None:
    world.define(a_schedule("daily", cron="*/5 * * * *"), jobs=JOBS)
    world.now = now - timedelta(minutes=11)
    world.enable("daily")
    first = datetime.fromtimestamp(world.now.timestamp() // 300 * 300 + 300, UTC)
    world.tick(first + timedelta(seconds=1))
    world.tick(first + timedelta(seconds=301))
    page = ada.page("/schedules/daily?show=not-fired")
    assert "Overlap" in page
    assert re.search(r'href="/occurrences/(\d+)">occurrence \1<', page)


def test_12_an_evening_run_stands_on_its_own_day_and_not_on_the_next() -> None:
    evening = datetime(2026, 11, 24, 20, 0, tzinfo=ZoneInfo("America/New_York"))
    row = PastRow(1, "SUCCESS", evening.astimezone(UTC), 1.0, evening.astimezone(UTC), 1)
    weeks = outcome_calendar([row], evening, ZoneInfo("America/New_York"), complete=True)
    assert [day.date.day for week in weeks for day in week if day.outcomes] == [24]
