"""The list of schedules, and what an admin does to them: as plain forms, without JavaScript."""

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.test_schedule_form import text_of
from tests.webapp.visitor import Visitor, location
from tick.engine.ledger.audit import Act
from tick.ops.actions.alerts import mute
from tick.store.tables import audit_entry, job_schedule, occurrence_hour, schedule_version
from webapp.pages import schedules


def _row(page: str, schedule_id: str) -> str:
    found = re.search(rf'<tr id="schedule-{schedule_id}".*?</tr>', page, re.DOTALL)
    assert found
    return found[0]


def test_a_schedule_says_what_when_and_how_it_stands(ada: Visitor) -> None:
    row = _row(ada.page("/schedules"), "hourly")
    for text in ("Hourly Matching", "Every hour", "0 * * * *", "UTC", "Group matching, 2 jobs"):
        assert text in row
    assert 'aria-checked="false"' in row
    assert "Never ran" in row


def test_enabling_shows_the_next_three_runs_before_anything_happens(
    world: World, ada: Visitor
) -> None:
    page = ada.page("/schedules/daily/enable?next=/schedules")
    assert page.count("02:00 UTC") == 3
    assert not world.schedule("daily").enabled


def test_enabling_and_disabling_by_the_forms_on_the_page(world: World, ada: Visitor) -> None:
    confirm = ada.page("/schedules/daily/enable?next=/schedules")
    assert location(ada.press(confirm, "/schedules/daily/enable")) == "/schedules"
    page = ada.page("/schedules")
    assert 'aria-checked="true"' in _row(page, "daily")
    assert "Daily Full Sync is on." in page
    assert world.schedule("daily").enabled_by == "ada"
    assert location(ada.press(page, "/schedules/daily/disable")) == "/schedules"
    assert not world.schedule("daily").enabled


def test_switching_offers_undo_which_takes_it_back(world: World, ada: Visitor) -> None:
    world.enable("daily")
    ada.post("/schedules/daily/disable", next="/schedules")
    page = ada.page("/schedules")
    assert "Undo" in page
    ada.press(page, "/schedules/daily/enable")
    assert world.schedule("daily").enabled
    assert "Daily Full Sync is on." in ada.page("/runs")
    assert "Undo" not in ada.page("/schedules")


def test_run_now_starts_the_jobs_and_leaves_the_next_run_alone(world: World, ada: Visitor) -> None:
    world.enable("daily")
    before = world.schedule("daily").next_run_at
    ada.press(ada.page("/schedules"), "/schedules/daily/run")
    assert [run.triggered_by for run in world.runs()] == ["ada"] * 3
    assert world.schedule("daily").next_run_at == before
    assert "Daily Full Sync was started." in ada.page("/schedules")


def test_the_same_form_sent_twice_starts_once(world: World, ada: Visitor) -> None:
    page = ada.page("/schedules")
    assert location(ada.press(page, "/schedules/daily/run")) == "/schedules"
    assert location(ada.press(page, "/schedules/daily/run")) == "/schedules"
    assert len(world.runs()) == 3
    assert "still running" not in ada.page("/schedules")


def test_run_now_while_it_runs_says_which_occurrence_stands_in_the_way(ada: Visitor) -> None:
    ada.press(ada.page("/schedules"), "/schedules/daily/run")
    ada.press(ada.page("/schedules"), "/schedules/daily/run")
    page = ada.page("/schedules")
    assert "still running (occurrence 1)" in page
    assert "0 of 3" in _row(page, "daily")


def test_an_action_returns_only_to_pages_of_this_site(ada: Visitor) -> None:
    back = ada.post("/schedules/daily/run", next="/schedules?after=a")
    assert location(back) == "/schedules?after=a"
    assert location(ada.post("/schedules/daily/run", next="//evil")) == "/schedules/daily"


def test_every_action_is_in_the_audit_with_its_request(world: World, ada: Visitor) -> None:
    confirm = ada.page("/schedules/daily/enable")
    ada.press(confirm, "/schedules/daily/enable")
    entry = world.rows(sa.select(audit_entry).order_by(audit_entry.c.id))[-1]
    assert (entry.actor, entry.action, entry.subject) == ("ada", "schedule.enable", "daily")
    assert entry.request_id


def test_the_ledger_of_a_schedule_shows_what_did_not_fire_and_why(
    world: World, ada: Visitor
) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=4))
    page = ada.page("/schedules/hourly")
    assert "Missed" in page
    assert "no tick came in time" in page
    assert "Missed" in ada.page("/schedules/hourly?show=not-fired")
    assert "No such occurrence" in ada.page("/schedules/hourly?show=failed")


def test_a_long_ledger_comes_in_pages(world: World, ada: Visitor) -> None:
    for number in range(51):
        ada.post("/schedules/daily/run", key=f"press-{number:08d}")
        world.finish_runs()
    page = ada.page("/schedules/daily")
    assert page.count('<td data-label="Outcome">') == 50
    older = re.search(r'href="(/schedules/daily\?before=\d+)"', page)
    assert older
    assert ada.page(older[1]).count('<td data-label="Outcome">') == 1


def test_many_schedules_come_in_pages(world: World, ada: Visitor) -> None:
    world.define(*(a_schedule(f"s{number:03d}") for number in range(60)), jobs=JOBS)
    page = ada.page("/schedules")
    assert page.count('<tr id="schedule-') == 50
    more = re.search(r'href="(/schedules\?after=[^"]+)"', page)
    assert more
    rest = ada.page(more[1])
    assert 'id="schedule-s059"' in rest


def test_a_definition_that_is_broken_does_not_take_the_page_with_it(
    world: World, ada: Visitor
) -> None:
    version = schedule_version.c
    spoilt = {
        "daily": '{"kind":"CRON","cron":"0 2 * * *","timezone":"Mars/Olympus"}',
        "hourly": "{",
    }
    with world.database.write.begin() as connection:
        for schedule_id, rule in spoilt.items():
            connection.execute(
                sa.update(schedule_version)
                .where(version.schedule_id == schedule_id)
                .values(rule=rule, target="no json")
            )
    for path in ("/schedules", "/schedules/daily", "/schedules/hourly", "/schedules/daily/enable"):
        assert "Cannot be read" in ada.page(path)


def test_a_removed_schedule_is_shown_without_a_button(world: World, ada: Visitor) -> None:
    world.define(a_schedule("hourly"), jobs=JOBS)
    row = _row(ada.page("/schedules"), "daily")
    assert "Removed" in row
    assert "Run now" not in row
    ada.post("/schedules/daily/run", next="/schedules")
    assert "removed from the definitions" in ada.page("/schedules")


def test_a_paused_schedule_says_why(world: World, ada: Visitor) -> None:
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(job_schedule)
            .where(job_schedule.c.id == "daily")
            .values(state="PAUSED", state_reason="the partner is down", state_by="ada")
        )
    assert "Paused" in _row(ada.page("/schedules"), "daily")
    assert "the partner is down" in ada.page("/schedules/daily")


def test_an_empty_system_says_what_to_do_next(world: World, ada: Visitor) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.delete(schedule_version))
        connection.execute(sa.delete(job_schedule))
    assert "tick sync" in ada.page("/schedules")


def test_an_unknown_schedule_is_a_page_that_leads_on(ada: Visitor) -> None:
    response = ada.get("/schedules/nothing")
    assert response.status_code == 404
    assert "No schedule is called" in response.text


def test_the_strip_shows_ticks_workers_and_work(world: World, ada: Visitor) -> None:
    page = ada.page("/schedules")
    assert "tick loop" in page
    assert "tick worker" in page
    world.tick()
    page = ada.page("/schedules")
    assert "overdue, by test" in page
    world.tick(world.now + timedelta(hours=8))
    assert "by test" in ada.page("/schedules")
    assert "overdue" not in ada.page("/schedules")


def test_several_are_switched_on_after_a_look_at_which(world: World, ada: Visitor) -> None:
    page = ada.page("/schedules?choose=on")
    assert page.count('type="checkbox" form="bulk"') == 2
    ids = "schedule=daily&schedule=hourly"
    preview = ada.page(f"/bulk/schedules?do=enable&{ids}&next=/schedules?choose%3Don")
    assert "Enable 2 schedules?" in preview
    assert not world.schedule("daily").enabled
    ada.client.post(
        "/bulk/schedules",
        data={"csrf_token": ada.token, "do": "enable", "schedule": ["daily", "hourly"]},
    )
    assert "2 schedules: on." in ada.page("/schedules")
    assert world.schedule("daily").enabled
    assert world.schedule("hourly").enabled
    (entry,) = world.rows(sa.select(audit_entry).where(audit_entry.c.actor == "ada"))
    assert (entry.action, list(entry.after)) == ("schedules.enable", ["daily", "hourly"])
    assert "schedules.enable" in ada.page("/schedules/hourly")


@pytest.mark.parametrize(
    ("failures", "words"), [(0, None), (1, "the latest"), (3, "the latest 3 in a row")]
)
def test_failures_in_a_row_are_counted_from_two_on(
    world: World, ada: Visitor, failures: int, words: str | None
) -> None:
    with world.database.write.begin() as connection:
        values = {"failure_count": 3, "consecutive_failures": failures}
        connection.execute(sa.update(job_schedule).values(**values))
    found = re.findall(r'<strong class="tone-bad">([^<]*)</strong>', ada.page("/schedules/daily"))
    assert found == ([words] if words else [])


def _send_many(ada: Visitor, deed: str, *ids: str) -> None:
    ada.page("/schedules")
    data = {"csrf_token": ada.token, "do": deed, "schedule": list(ids)}
    ada.client.post("/bulk/schedules", data=data)


@pytest.mark.parametrize("deed", ["enable", "disable"])
def test_undo_switches_back_only_the_schedules_it_had_switched(
    world: World, ada: Visitor, deed: str
) -> None:
    world.enable("daily")
    if deed == "disable":
        world.enable("hourly")
        world.disable("daily")
    before = {name: world.schedule(name).enabled for name in ("daily", "hourly")}
    _send_many(ada, deed, "daily", "hourly")
    assert before["hourly"] != world.schedule("hourly").enabled
    page = ada.page("/schedules")
    assert "2 schedules: " in page
    (undo,) = re.findall(r'action="(/bulk/schedules/undo/[^"]+)"', page)
    ada.press(page, undo)
    assert {name: world.schedule(name).enabled for name in before} == before
    assert "1 schedule: as before." in ada.page("/schedules")


def test_undo_is_hidden_without_a_switch_and_takes_back_no_other_change(
    world: World, ada: Visitor
) -> None:
    world.enable("daily")
    _send_many(ada, "enable", "daily")
    page = ada.page("/schedules")
    assert "1 schedule: on." in page
    assert "/undo/" not in page
    world.disable("daily")
    newest = world.rows(sa.select(audit_entry.c.id).order_by(audit_entry.c.id.desc()))[0].id
    ada.post(f"/bulk/schedules/undo/{newest}")
    assert "is schedule.disable: it is none that" in text_of(ada.page("/schedules"))
    assert not world.schedule("daily").enabled


def test_enter_goes_on_in_a_dialog_whose_only_field_is_a_list_that_scrolls(ada: Visitor) -> None:
    for deed in ("enable", "disable", "pause", "resume", "run", "mute"):
        dialog = ada.page(f"/bulk/schedules?do={deed}&schedule=daily&schedule=hourly")
        assert 'tabindex="0"' in dialog
        assert dialog.count(" autofocus>") == 1, deed


def test_several_are_paused_and_what_is_refused_stops_no_other(world: World, ada: Visitor) -> None:
    world.enable("daily")
    ada.page("/schedules")
    data = {"do": "pause", "schedule": ["nowhere", "daily"], "reason": "moving", "hours": "4"}
    ada.client.post("/bulk/schedules", data={"csrf_token": ada.token, **data})
    page = ada.page("/schedules")
    assert "1 schedule: paused." in page
    assert "nowhere" in page
    assert world.schedule("daily").state_reason == "moving"


def test_a_label_narrows_the_list_and_may_be_acted_on_as_a_whole(
    world: World, ada: Visitor
) -> None:
    world.define(
        a_schedule("daily", labels=("night",)), a_schedule("hourly", cron="0 * * * *"), jobs=JOBS
    )
    page = ada.page("/schedules?label=night&choose=on")
    assert ('id="schedule-daily"' in page, 'id="schedule-hourly"' in page) == (True, False)
    assert "All 1 with “night”" in text_of(page)
    assert "night 1" in text_of(ada.page("/schedules"))
    assert "No schedule has the label" in text_of(ada.page("/schedules?label=noon"))
    preview = ada.page("/bulk/schedules?do=run&all=night")
    assert "Run 1 schedule?" in preview
    assert 'action="/bulk/schedules/run"' in preview
    ada.post("/bulk/schedules/run", schedule="daily")
    assert "1 schedule: started." in ada.page("/schedules")
    assert [run.schedule_id for run in world.runs()] == ["daily"] * len(world.runs())
    ada.post("/bulk/schedules/mute", schedule="daily", hours="8", reason="new disks")
    assert "1 schedule: muted." in ada.page("/schedules")
    assert "No schedule has the label" in ada.page("/bulk/schedules?do=mute&all=noon")


def test_several_are_resumed_and_what_is_refused_stops_no_other(world: World, ada: Visitor) -> None:
    for name in ("daily", "hourly"):
        world.enable(name)
        ada.page("/schedules")
        ada.post(f"/schedules/{name}/pause", reason="year end")
    assert "Each goes on at its first instant after now" in ada.page(
        "/bulk/schedules?do=resume&schedule=daily&schedule=hourly"
    )
    _send_many(ada, "resume", "nowhere", "daily", "hourly")
    page = ada.page("/schedules")
    assert "2 schedules: going on." in page
    assert "nowhere" in page
    assert {world.schedule(name).state for name in ("daily", "hourly")} == {"ACTIVE"}
    its = audit_entry.c.action == "schedules.resume"
    (entry,) = world.rows(sa.select(audit_entry).where(its))
    assert (list(entry.after), entry.actor) == (["daily", "hourly"], "ada")


def test_switching_none_says_so(ada: Visitor) -> None:
    assert "Nothing to disable" in ada.page("/bulk/schedules?do=disable")
    assert ada.get("/bulk/schedules?do=explode").status_code == 422
    ada.post("/bulk/schedules", do="disable")
    assert "tick some schedules first" in ada.page("/schedules")


def test_a_row_shows_its_thirty_day_success_rate_cached_for_a_minute(
    world: World, ada: Visitor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_at(second: int) -> str:
        monkeypatch.setattr(schedules, "now", lambda: now + timedelta(hours=1, seconds=second))
        return _row(ada.page("/schedules"), "hourly")

    ada.post("/schedules/hourly/run")
    world.finish_runs()
    assert "1 of 1 good</span>" in look_at(0)
    hours = [
        {"hour": now - timedelta(days=1), "success": 49, "failed": 1},
        {"hour": now - timedelta(days=31), "success": 0, "failed": 50},
    ]
    with world.database.write.begin() as connection:
        rows = [{"schedule_id": "hourly"} | hour for hour in hours]
        connection.execute(sa.insert(occurrence_hour), rows)
    assert "1 of 1 good</span>" in look_at(59)
    assert "1 of 1 good, 98.0 % in 30 d</span>" in look_at(60)


def test_a_schedule_that_is_muted_says_until_when_and_why(
    world: World, ada: Visitor, now: datetime
) -> None:
    for schedule_id, rule, why in (
        ("daily", None, "the source moves"),
        (None, "failed", "everybody knows"),
        ("hourly", None, "not this one"),
    ):
        mute(
            world.database,
            Act(now, TESTER, reason=why),
            schedule_id=schedule_id,
            rule=rule,
            until=now + timedelta(hours=2),
        )
    page = ada.page("/schedules/daily")
    assert re.search(r"Muted</span> until [^<]+, by tester: the source moves", page)
    assert re.search(r'<span class="chip">failed</span> only, by tester: everybody knows', page)
    assert "not this one" not in page


def test_an_instant_that_no_tick_has_decided_is_due_and_not_next(
    world: World, ada: Visitor
) -> None:
    world.enable("hourly")
    with world.database.write.begin() as connection:
        past = world.now - timedelta(minutes=6)
        connection.execute(
            sa.update(job_schedule)
            .where(job_schedule.c.id == "hourly")
            .values(next_run_at=past, decided_to=past - timedelta(seconds=1))
        )
    for page in ("/schedules", "/schedules/hourly"):
        assert "waits for a tick" in ada.page(page)
        assert re.search(r'tone-warn">[^\n]*due <time', ada.page(page))
