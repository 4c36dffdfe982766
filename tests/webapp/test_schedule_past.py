"""What became of a schedule by day, how long it took, and what else fires with it."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor
from tick.ops.queries.history import PastRow
from tick.ops.queries.versions import VersionRow, changes_by_version
from tick.store.tables import occurrence
from webapp.drawing.charts import trend
from webapp.drawing.outcome_calendar import WEEKS, day_bounds, outcome_calendar

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _past(outcome: str, at: datetime, until: datetime | None = None, count: int = 1) -> PastRow:
    return PastRow(1, outcome, at, 10.0, until or at, count)


def test_an_evening_run_stands_on_the_day_that_it_was_for_whoever_looks() -> None:
    late = _past("SUCCESS", datetime(2026, 11, 24, 2, 30, tzinfo=UTC))
    for zone, weekday in (("UTC", 1), ("America/New_York", 0)):
        weeks = outcome_calendar([late], NOW, ZoneInfo(zone), complete=True)
        assert [day.sign for day in weeks[-1]].index("✓") == weekday


def test_a_day_is_known_by_its_worst_outcome_and_tells_all_of_them() -> None:
    past = [_past(outcome, NOW) for outcome in ("SUCCESS", "SUCCESS", "FAILED", "MISSED")]
    today = outcome_calendar(past, NOW, UTC, complete=True)[-1][1]
    assert (today.tone, today.sign) == ("bad", "✗")
    assert today.words == "Tue 24 Nov: 2 success, 1 failed, 1 missed"


def test_a_range_that_did_not_fire_covers_its_days() -> None:
    row = _past("SUPPRESSED", NOW - 2 * DAY, NOW, count=49)
    *_, last_week, this_week = outcome_calendar([row], NOW, UTC, complete=True)
    assert [day.words for day in (last_week[6], *this_week[:2])] == [
        "Sun 22 Nov: 49 suppressed",
        "Mon 23 Nov: all day suppressed",
        "Tue 24 Nov: all day suppressed",
    ]


def test_what_was_not_read_and_what_is_to_come_is_not_known() -> None:
    weeks = outcome_calendar([_past("SUCCESS", NOW - DAY)], NOW, UTC, complete=False)
    assert len(weeks) == WEEKS
    known = [day.date.day for week in weeks for day in week if day.is_known]
    assert known == [23, 24]


def test_a_day_of_a_clock_change_has_its_own_length() -> None:
    bounds = day_bounds("2026-10-25", ZoneInfo("Europe/Paris"))
    assert bounds
    assert bounds[1].astimezone(UTC) - bounds[0].astimezone(UTC) == 25 * HOUR
    for nonsense in ("", "x", "2026-02-30", "9999-12-31", "0001-01-01"):
        assert day_bounds(nonsense, UTC) is None


def test_a_trend_says_what_is_usual_and_what_is_new() -> None:
    past = [PastRow(n, "SUCCESS", NOW, 10.0 if n < 6 else 30.0, NOW, 1) for n in range(8)]
    found = trend(past)
    assert found
    assert (found.median_seconds, found.recent_seconds, found.longest_seconds) == (10.0, 30.0, 30.0)
    assert found.paths["good"].startswith("M38 100v-33M112 100v-33")
    assert trend(past[:1]) is None


def test_bars_of_what_failed_are_told_apart_without_their_colour(
    world: World, ada: Visitor
) -> None:
    past = [PastRow(n, "FAILED" if n == 3 else "SUCCESS", NOW, 10.0, NOW, 1) for n in range(4)]
    found = trend(past)
    assert found
    assert found.counts == {"good": 3, "bad": 1}
    for number in range(3):
        ada.post("/schedules/daily/run", key=f"press-{number:08d}")
        world.finish_runs()
    ends = {"first_started_at": world.now, "last_finished_at": world.now + HOUR}
    with world.database.write.begin() as connection:
        connection.execute(sa.update(occurrence).values(**ends))
        connection.execute(
            sa.update(occurrence).values(outcome="FAILED").where(occurrence.c.id == 2)
        )
    page = ada.page("/schedules/daily")
    legend = page[page.index('<p class="legend"><span><svg class="bar-sample') :]
    words = re.sub(r"<[^>]+>|\s+", " ", legend[: legend.index("</p>")]).split()
    assert words == ["2", "succeeded", "1", "failed,", "striped"]
    assert "<td>Failed</td>" in page


def test_a_square_leads_to_what_happened_on_that_day(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    world.finish_runs()
    page = ada.page("/schedules/daily")
    square = re.search(r'href="(\?day=[\d-]+)#history" title="([^"]+)"', page)
    assert square
    assert "1 success" in square[2]
    assert page.count("/occurrences/1") >= 1
    assert "/occurrences/1" in ada.page(f"/schedules/daily{square[1]}")
    assert "No such occurrence." in ada.page("/schedules/daily?day=2026-01-01")


def test_the_lengths_stand_in_a_table_beside_their_picture(world: World, ada: Visitor) -> None:
    for number in range(3):
        ada.post("/schedules/daily/run", key=f"press-{number:08d}")
        world.finish_runs()
    started = world.now - 30 * timedelta(seconds=1)
    with world.database.write.begin() as connection:
        connection.execute(sa.update(occurrence).values(first_started_at=started))
    page = ada.page("/schedules/daily")
    assert "Median 30 s over the latest 3" in page
    assert page.count('<td class="num">30 s</td>') == 3


def test_an_instant_that_others_share_says_with_whom(world: World, ada: Visitor) -> None:
    world.define(
        a_schedule("daily"),
        a_schedule("nightly", cron="0 2 * * *"),
        a_schedule("minutely", cron="* * * * *"),
        a_schedule("off", cron="0 2 * * *"),
        jobs=JOBS,
    )
    for schedule_id in ("daily", "nightly", "minutely"):
        world.enable(schedule_id)
    page = ada.page("/schedules/daily")
    assert page.count("Each together with Nightly") == 1
    assert ada.page("/schedules/nightly").count("ogether with Daily") == 1
    assert "together with Minutely" not in page
    assert "together with Off" not in page


def test_a_version_tells_what_it_changed_of_which_job(world: World) -> None:
    world.define(a_schedule("daily"), jobs=JOBS)
    more = (*JOBS[:2], a_job("trending", retries=2))
    world.define(a_schedule("daily"), jobs=more)
    versions = [
        VersionRow(1, NOW, "x", '{"kind":"CRON","cron":"0 2 * * *"}', "ALL_JOBS", target)
        for target in ("{}", '{"jobs":[{"name":"a","group":"g"}],"edges":[],"ignored":[]}')
    ]
    (changes,) = changes_by_version(versions).values()
    assert [(change.part, change.before, change.after) for change in changes] == [
        ("runs", "All 1 jobs", "Cannot be read"),
        ("job a", "in", None),
    ]
