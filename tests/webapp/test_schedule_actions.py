"""Pausing, resuming and switching off a schedule, and running what did not fire."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor, location
from tick.store.tables import audit_entry
from webapp.drawing.clock_changes import clock_change


def _last_change(world: World) -> sa.Row[tuple[object, ...]]:
    return world.rows(sa.select(audit_entry).order_by(audit_entry.c.id))[-1]


def test_a_pause_asks_for_a_reason_and_an_end(world: World, ada: Visitor, now: datetime) -> None:
    world.enable("hourly")
    form = ada.page("/schedules/hourly/pause?next=/schedules")
    assert 'name="reason" maxlength="500" autocomplete="off" required' in form
    answer = ada.post("/schedules/hourly/pause", reason="partner is down", hours="4")
    assert location(answer) == "/schedules/hourly"
    paused = world.schedule("hourly")
    assert (paused.state, paused.state_reason) == ("PAUSED", "partner is down")
    assert timedelta(hours=3.9) < paused.state_until - now < timedelta(hours=4.1)
    page = ada.page("/schedules/hourly")
    assert "partner is down (ada), until " in page
    assert "schedule.pause" in page


def test_a_pause_without_a_reason_is_refused_in_words(world: World, ada: Visitor) -> None:
    ada.post("/schedules/hourly/pause", reason=" ")
    assert world.schedule("hourly").state == "ACTIVE"
    assert "A pause needs a reason" in ada.page("/schedules/hourly")


def test_resuming_lets_what_passed_rest(world: World, ada: Visitor) -> None:
    _pause_for_hours(world)
    ada.post("/schedules/hourly/resume", disposition="none")
    assert world.schedule("hourly").state == "ACTIVE"
    assert [outcome for outcome, _, _ in world.ledger("hourly")] == ["SUPPRESSED"]


def test_resuming_can_run_the_latest_instant(world: World, ada: Visitor) -> None:
    _pause_for_hours(world)
    ada.post("/schedules/hourly/resume", disposition="latest")
    assert world.schedule("hourly").asked_for is not None
    assert world.runs() == []


def test_resuming_can_run_the_instants_that_somebody_chooses(world: World, ada: Visitor) -> None:
    _pause_for_hours(world)
    form = ada.page("/schedules/hourly/resume")
    chosen = re.findall(r'name="at" value="([^"]+)"', form)
    assert len(chosen) >= 8
    ada.client.post(
        "/schedules/hourly/resume",
        data={"csrf_token": ada.token, "disposition": "chosen", "at": chosen[1:3]},
    )
    fired = [at for outcome, at, _ in world.ledger("hourly") if outcome == "QUEUED"]
    assert fired == [datetime.fromisoformat(text) for text in chosen[1:3]]
    assert "2 of its instants were started" in ada.page("/schedules")


def test_switching_off_takes_a_reason_which_the_audit_keeps(world: World, ada: Visitor) -> None:
    world.enable("daily")
    assert 'action="/schedules/daily/disable"' in ada.page("/schedules/daily")
    ada.page("/schedules/daily/disable")
    ada.post("/schedules/daily/disable", reason="moved to the other cluster")
    assert not world.schedule("daily").enabled
    assert _last_change(world).reason == "moved to the other cluster"
    assert "moved to the other cluster" in ada.page("/schedules/daily")


def test_a_missed_instant_can_be_run_as_that_instant(
    world: World, ada: Visitor, now: datetime
) -> None:
    world.define(a_schedule("daily", cron=f"0 {(now - timedelta(hours=3)).hour} * * *"), jobs=JOBS)
    world.enable("daily")
    world.tick(now)
    ((outcome, at, _),) = world.ledger("daily")
    assert outcome == "MISSED"
    page = ada.page("/schedules/daily")
    assert "Run as that slot" in page
    ada.press(page, "/schedules/daily/slots")
    assert world.ledger("daily")[0] == ("QUEUED", at, 1)
    assert {run.scheduled_for for run in world.runs()} == {at}
    assert "Run as that slot" not in ada.page("/schedules/daily")


def test_missed_instants_of_one_row_are_run_after_a_look_at_all_of_them(
    world: World, ada: Visitor, now: datetime
) -> None:
    world.define(a_schedule("hourly", cron="0 * * * *"), jobs=JOBS)
    world.enable("hourly")
    world.tick(now.replace(minute=30) + timedelta(hours=5))
    (missed,) = [row for row in world.ledger("hourly") if row[0] == "MISSED"]
    page = ada.page("/schedules/hourly?show=not-fired")
    (address,) = re.findall(r'action="(/occurrences/\d+/slots)"', page)
    assert f"Run these {missed[2]} …" in page
    assert "of Hourly" in ada.page(address)
    assert missed in world.ledger("hourly")


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01T02:00:00", "0001-01-01T00:00:00+05:00"])
def test_what_is_no_instant_is_refused(ada: Visitor, at: str) -> None:
    assert ada.post("/schedules/daily/slots", at=at).status_code == 400


def test_an_instant_before_all_calendars_is_refused_in_words(ada: Visitor) -> None:
    ada.post("/schedules/daily/slots", at="0001-01-01T00:00:00+00:00")
    assert "is too far away: name a year from 1970 to 2199" in ada.page("/schedules/daily")


def test_an_instant_that_fired_is_refused_in_words(world: World, ada: Visitor) -> None:
    world.enable("hourly")
    world.tick(world.now.replace(minute=0, second=1, microsecond=0) + timedelta(hours=1))
    (_, at, _) = world.ledger("hourly")[0]
    assert at
    ada.post("/schedules/hourly/slots", at=at.isoformat())
    assert "fired already" in ada.page("/schedules/hourly")


def test_a_schedule_shows_its_versions_and_what_each_changed(world: World, ada: Visitor) -> None:
    world.define(a_schedule("daily", cron="30 4 * * *", overlap="QUEUE_ONE"), jobs=JOBS)
    page = ada.page("/schedules/daily")
    assert "version 2" in page
    assert "version 1" in page
    assert "overlap queue_one" in page
    definition = page[page.index("definition-title") :]
    changed = re.findall(r"<dt>(.+?)</dt><dd>(?:<del>(.+?)</del>)?.*?<ins>(.+?)</ins>", definition)
    assert ("overlap", "", "queue_one") in changed
    assert ("when", "At 02:00", "At 04:30") in changed


def test_ten_instants_are_shown_in_the_zone_of_the_schedule(world: World, ada: Visitor) -> None:
    world.define(a_schedule("daily", timezone="Europe/Paris"), jobs=JOBS)
    page = ada.page("/schedules/daily")
    assert len(re.findall(r"<li><span>\w+ \d+ \w+( \d{4})?, 02:00 CES?T", page)) == 10


@pytest.mark.parametrize(
    ("instant", "zone", "change"),
    [
        ("2026-03-29T00:30", "Europe/Paris", "clocks go forward 1 h on this day"),
        ("2026-10-25T00:30", "Europe/Paris", "clocks go back 1 h on this day"),
        ("2026-10-24T12:00", "Europe/Paris", None),
        ("2026-10-03T20:00", "Australia/Lord_Howe", "clocks go forward 30 min on this day"),
        ("2026-03-29T00:30", "UTC", None),
        ("2026-03-29T00:30", "Mars/Olympus", None),
    ],
)
def test_days_of_a_clock_change_are_marked(instant: str, zone: str, change: str | None) -> None:
    assert clock_change(datetime.fromisoformat(instant).replace(tzinfo=UTC), zone) == change


def _pause_for_hours(world: World) -> None:
    """Paused since the world began, eight hours ago by the console's clock."""
    world.enable("hourly")
    with world.database.write.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE job_schedule SET state = 'PAUSED', state_reason = 'why not',"
                " state_by = 'ada', state_at = created_at, next_run_at = NULL WHERE id = 'hourly'"
            )
        )


def test_a_run_says_what_is_under_way_and_may_go_beside_it(world: World, ada: Visitor) -> None:
    form = ada.page("/schedules/daily/run")
    assert "All 3 jobs, in the order of their dependencies" in form
    assert "Under way" not in form
    ada.press(form, "/schedules/daily/run")
    form = ada.page("/schedules/daily/run")
    assert 'Under way: <a href="/occurrences/1">occurrence 1</a> (queued' in form
    assert "<code>skip</code>, it is refused" in form
    ada.press(form, "/schedules/daily/run")
    assert "is still running" in ada.page("/schedules/daily")
    assert len(world.ledger("daily")) == 1
    ada.press(form, "/schedules/daily/run", override_overlap="on")
    assert len(world.ledger("daily")) == 2


def test_why_somebody_ran_it_stands_in_the_ledger_and_in_the_audit(
    world: World, ada: Visitor
) -> None:
    form = ada.page("/schedules/daily/run")
    ada.press(form, "/schedules/daily/run", reason="the feed was <late>")
    said = "by ada: the feed was &lt;late&gt;"
    assert said in ada.page("/schedules/daily")
    assert said in ada.page("/occurrences/1")
    assert "the feed was &lt;late&gt;" in ada.page("/audit?action=schedule.run")


def test_what_waits_says_so_also_where_somebody_said_why(world: World, ada: Visitor) -> None:
    world.define(a_schedule("patient", overlap="QUEUE_ONE"), jobs=JOBS)
    for why in ("first", "second"):
        form = ada.page("/schedules/patient/run")
        ada.press(form, "/schedules/patient/run", reason=why)
    page = ada.page("/occurrences/2")
    assert "by ada: second" in page
    assert "Waits for an earlier occurrence" in page
