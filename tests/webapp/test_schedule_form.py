"""Schedules made, edited, deleted and restored in the console, without a script."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World
from tests.webapp.visitor import Visitor, location
from tick import clock
from tick.define.calendar_days import expand
from tick.define.calendars import Calendar
from tick.define.mistakes import find_in_one
from tick.define.registry import load_registry
from tick.define.steps import step_from_plain, step_from_words
from tick.define.written import from_plain
from tick.engine.ledger.audit import Act
from tick.ops.actions import custom_schedules, switches
from tick.ops.queries.written import read_written
from tick.store.tables import job_schedule
from webapp import create_app, schedule_fields
from webapp.schedule_templates import PRESETS, STEPS, TEMPLATES

SYNC = {
    "name": "Nightly Match",
    "kind": "CRON",
    "cron": "0 2 * * *",
    "timezone": "UTC",
    "target": "ALL_JOBS",
    "missed": "SKIP",
    "overlap": "SKIP",
}
ID = "nightly-match"
SCORES = {"target": "SINGLE_JOB", "job": "match-scores"}
_ALL = sa.select(job_schedule.c.id).order_by(job_schedule.c.id)


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the form of a schedule, were it sent as it stands."""
    form = page.partition('<form id="schedule-form"')[2].partition("</form>")[0]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        parts = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        is_off = parts.get("type") in ("radio", "checkbox") and " checked" not in tag
        if "name" in parts and not is_off:
            found[parts["name"]] = unescape(parts.get("value", ""))
    for name, inside in re.findall(r'<select[^>]* name="([\w-]+)".*?>(.*?)</select>', form, re.S):
        chosen = re.search(r"<option(?: value=\"([^\"]*)\")? selected>([^<]*)", inside)
        found[name] = "" if chosen is None else unescape(chosen[1] or chosen[2])
    return found


def problems(page: str) -> dict[str, str]:
    """The mistakes that a page shows, by the field beside which they stand."""
    found = re.findall(r'data-mistake="([\w-]+)"[^>]*>(.*?)</div>', page, re.S)
    texts = {name: " ".join(re.sub(r"<[^>]*>", " ", text).split()) for name, text in found}
    return {name: unescape(text) for name, text in texts.items() if text}


def text_of(page: str) -> str:
    """What somebody reads."""
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", page).split()))


def written(world: World, schedule_id: str = ID) -> Any:
    """What is kept of a schedule as it was written."""
    with world.database.read.connect() as connection:
        found = read_written(connection, schedule_id)
    return None if found is None else dict(found.options)


@pytest.fixture
def made(ada: Visitor) -> str:
    """A schedule that Ada made by the form."""
    ada.post("/new-schedule", **SYNC)
    return ID


def test_a_schedule_is_made_by_a_plain_form(ada: Visitor, world: World) -> None:
    assert "When it fires" in ada.page("/new-schedule")
    assert location(ada.post("/new-schedule", **SYNC)) == f"/schedules/{ID}"
    assert world.schedule(ID).source == "CUSTOM"
    assert not world.schedule(ID).enabled
    assert written(world) == {"name": "Nightly Match", "cron": "0 2 * * *"}
    page = ada.page(f"/schedules/{ID}")
    assert "made here" in page and "lives in code" not in page
    assert "made here" in ada.page("/schedules")


def test_it_fires_at_once_only_if_that_is_ticked(ada: Visitor, world: World) -> None:
    ada.post("/new-schedule", **SYNC, enabled="on")
    row = world.schedule(ID)
    assert row.enabled and row.next_run_at > clock.now()


LIMITS = {
    "max_concurrent": "2",
    "deadline_count": "1",
    "deadline_unit": "hours",
    "timeout_count": "10",
    "timeout_unit": "minutes",
    "retries": "0",
    "priority": "-5",
    "pause_after": "3",
}


def test_limits_are_given_shown_edited_and_told_as_code(ada: Visitor, world: World) -> None:
    ada.post("/new-schedule", **SYNC, **LIMITS)
    kept = {"max_concurrent": 2, "deadline": 3600, "timeout": 600, "retries": 0, "priority": -5}
    assert written(world) == {
        "name": "Nightly Match",
        "cron": "0 2 * * *",
        "pause_after": 3,
        **kept,
    }
    edit = fields_of(ada.page(f"/schedules/{ID}/edit"))
    assert edit | LIMITS == edit
    shown = text_of(ada.page(f"/schedules/{ID}"))
    assert "up to 2 firings at one time each firing ends within 1 hour" in shown
    assert "0 retries instead of its jobs' priority -5 instead of its jobs'" in shown
    assert "pauses itself after 3 failed firings in a row" in shown
    assert "retries=0," in unescape(ada.page(f"/schedules/{ID}/code"))
    ada.post(f"/schedules/{ID}/edit", **(edit | {"deadline_count": "", "retries": ""}))
    assert {*written(world)} & {*kept} == {"max_concurrent", "timeout", "priority"}


def test_a_limit_that_does_nothing_is_a_mistake_beside_its_field(ada: Visitor) -> None:
    longer = LIMITS | {"timeout_unit": "hours", "max_concurrent": "many"}
    answer = ada.post("/new-schedule", **SYNC, **longer)
    found = problems(answer.text)
    assert found["max_concurrent"] == "many is no whole number; write one, such as 3"
    assert found["timeout"].startswith("timeout 36000 has no effect within deadline 3600")


def test_where_any_number_may_run_no_other_is_asked_for(ada: Visitor, world: World) -> None:
    ada.post("/new-schedule", **(SYNC | LIMITS | {"overlap": "ALLOW"}))
    assert "max_concurrent" not in written(world)


def test_all_mistakes_stand_beside_their_fields_and_nothing_is_lost(
    ada: Visitor, world: World
) -> None:
    sent = SYNC | {
        "name": "",
        "cron": "61 2 * * *",
        "timezone": "Europe/Pariss",
        "target": "CUSTOM",
        "grace_count": "soon",
        "description": "Kept as it was typed",
    }
    answer = ada.post("/new-schedule", **sent)
    assert answer.status_code == 422
    found = problems(answer.text)
    assert found["name"] == "give it a name"
    assert found["cron"].endswith("minute '61': out of range; write a number from 0 to 59")
    assert "'Europe/Paris'" in found["timezone"]
    assert found["jobs"] == "tick at least one job"
    assert found["grace"] == "soon is no number; write one, such as 15"
    assert '<u class="wrong">61</u>' in answer.text
    assert fields_of(answer.text) | sent == fields_of(answer.text)
    assert "5 mistakes below are marked" in text_of(answer.text)
    assert [row.id for row in world.rows(_ALL)] == ["daily", "hourly"]


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"kind": "INTERVAL"}, "every", "say how long"),
        ({"kind": "INTERVAL", "every_count": "5", "every_unit": "seconds"}, "every", "a minute"),
        ({"kind": "ONCE"}, "at", "say when"),
        ({"kind": "ONCE", "at": "yesterday"}, "at", "is no time"),
        (
            {"kind": "ONCE", "at": "2027-03-28T02:30", "timezone": "Europe/Berlin"},
            "at",
            "the clocks of Europe/Berlin skip 02:30 on that day",
        ),
        ({"target": "GROUP", "job_group": "macthing"}, "job_group", "did you mean 'matching'"),
        ({"target": "SINGLE_JOB"}, "job", "choose a job"),
        ({"starts_at": "2027-02-01T00:00", "ends_at": "2027-01-01T00:00"}, "ends_at", "before"),
        ({"max_runs": "few"}, "max_runs", "is no whole number"),
        ({"dst_gap": "skip"}, "dst_gap", "has no effect in UTC"),
        ({"id": "Not An Id"}, "id", "lower-case letters"),
        ({"id": "daily"}, "id", "choose another id"),
        ({"name": "日本"}, "id", "can't be made from this name"),
        ({"target": "SINGLE_JOB", "job": "match-scores", "param-keep": "0"}, "param-keep", "keep"),
        (
            {"target": "SINGLE_JOB", "job": "match-scores", "param-weights": "{"},
            "param-weights",
            "JSON",
        ),
        ({"params_more": "[1]"}, "params_more", "names and values"),
    ],
)
def test_a_mistake_names_its_field_and_what_to_write(
    ada: Visitor, changed: dict[str, str], field: str, words: str
) -> None:
    answer = ada.post("/new-schedule", **SYNC | changed)
    assert answer.status_code == 422
    assert words in problems(answer.text)[field]


def test_every_option_comes_back_as_it_was_given(ada: Visitor, world: World) -> None:
    given: dict[str, Any] = {
        "name": "Quarterly",
        "description": "All of it\nin two lines",
        "cron": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "job": "match-scores",
        "with_dependencies": True,
        "params": {"keep": 3, "dry": True, "weights": {"a": 1.5}, "depth": "quick"},
        "missed": "CATCH_UP_ALL",
        "grace": 300,
        "max_catch_up_age": 7200,
        "max_catch_up_runs": 4,
        "overlap": "QUEUE_ONE",
        "dst_gap": "skip",
        "dst_fold": "both",
        "starts_at": "2027-01-01T08:00:00+00:00",
        "ends_at": "2029-01-01T08:00:00+00:00",
        "max_runs": 90,
        "jitter": 120,
    }
    act = Act(world.now, TESTER)
    custom_schedules.create_schedule(world.database, act, world.registry, given, schedule_id="q")
    kept = written(world, "q")
    page = ada.page("/schedules/q/edit")
    sent = fields_of(page)
    assert sent["starts_at"] == "2027-01-01T09:00"  # in the zone of the form
    sent |= {"description": given["description"], "param-weights": '{"a": 1.5}'}  # text areas
    answer = ada.post("/schedules/q/edit", **sent)
    assert location(answer) == "/schedules/q"
    assert "nothing was changed" in text_of(ada.page("/schedules/q"))
    assert written(world, "q") == kept
    assert given.items() <= kept.items()


def test_an_edit_is_a_new_version_and_takes_options_away(
    ada: Visitor, world: World, made: str
) -> None:
    sent = fields_of(ada.page(f"/schedules/{made}/edit"))
    ada.post(f"/schedules/{made}/edit", **sent | {"description": "By night", "overlap": "ALLOW"})
    assert written(world)["overlap"] == "ALLOW"
    sent = fields_of(ada.page(f"/schedules/{made}/edit"))
    changed = {"kind": "INTERVAL", "every_count": "6", "every_unit": "hours", "overlap": "SKIP"}
    ada.post(f"/schedules/{made}/edit", **sent | changed)
    assert written(world) == {
        "name": "Nightly Match",
        "description": "By night",
        "every": 21600,
    }


def test_the_second_of_two_editors_is_told_what_changed_and_keeps_what_was_typed(
    ada: Visitor, world: World, made: str
) -> None:
    mine = fields_of(ada.page(f"/schedules/{made}/edit")) | {
        "description": "Mine",
        "cron": "5 5 * * *",
    }
    act = Act(clock.now(), TESTER)
    custom_schedules.edit_schedule(
        world.database, act, made, world.registry, {"cron": "0 4 * * *", "overlap": "ALLOW"}
    )
    answer = ada.post(f"/schedules/{made}/edit", **mine)
    assert answer.status_code == 409
    said = text_of(answer.text)
    assert "tester changed this schedule" in said
    assert "0 2 * * * 0 4 * * * yours: 5 5 * * *" in said
    shown = fields_of(answer.text)
    assert (shown["description"], shown["cron"]) == ("Mine", "5 5 * * *")
    assert shown["overlap"] == "ALLOW"  # not touched: theirs
    assert written(world)["cron"] == "0 4 * * *"
    assert location(ada.post(f"/schedules/{made}/edit", **shown)) == f"/schedules/{made}"
    assert written(world) == {
        "name": "Nightly Match",
        "description": "Mine",
        "cron": "5 5 * * *",
        "overlap": "ALLOW",
    }


def test_who_edits_while_it_is_switched_is_told_that(ada: Visitor, world: World, made: str) -> None:
    sent = fields_of(ada.page(f"/schedules/{made}/edit")) | {"description": "Mine"}
    switches.enable_schedule(world.database, Act(clock.now(), TESTER), made)
    answer = ada.post(f"/schedules/{made}/edit", **sent)
    assert answer.status_code == 409
    assert "it is on by tester" in text_of(answer.text)
    assert location(ada.post(f"/schedules/{made}/edit", **fields_of(answer.text)))
    assert written(world)["description"] == "Mine"


def test_an_option_without_a_field_survives_an_edit_and_a_copy() -> None:
    shown = schedule_fields.shown({"name": "X", "cron": "0 2 * * *", "colours": ["red"]})
    assert schedule_fields.meant(shown).options["colours"] == ["red"]


def test_deleting_keeps_the_history_and_is_undone(ada: Visitor, world: World, made: str) -> None:
    assert "its history is kept" in text_of(ada.page(f"/schedules/{made}/delete"))
    ada.post(f"/schedules/{made}/delete", reason="not needed")
    assert world.schedule(made).state == "REMOVED"
    page = ada.page("/schedules")
    assert f'action="/schedules/{made}/restore"' in page  # Undo
    page = ada.page(f"/schedules/{made}")
    assert "Restore" in page and f"/schedules/{made}/edit" not in page
    ada.post(f"/schedules/{made}/restore")
    row = world.schedule(made)
    assert (row.state, row.enabled) == ("ACTIVE", False)


def test_one_that_lives_in_code_is_copied_not_edited(ada: Visitor, world: World) -> None:
    answer = ada.get("/schedules/hourly/edit")
    assert answer.status_code == 409 and "lives in code" in answer.text
    assert "/new-schedule?copy=hourly" in ada.page("/schedules/hourly")
    sent = fields_of(ada.page("/new-schedule?copy=hourly"))
    assert sent["name"] == "Hourly Matching (copy)"
    assert location(ada.post("/new-schedule", **sent)) == "/schedules/hourly-matching-copy"
    assert written(world, "hourly-matching-copy") == {
        "name": "Hourly Matching (copy)",
        "cron": "0 * * * *",
        "job_group": "matching",
    }


def test_its_code_is_what_was_written(ada: Visitor, made: str) -> None:
    page = text_of(ada.page(f"/schedules/{made}/code"))
    assert 'Schedule( id="nightly-match", name="Nightly Match", cron="0 2 * * *", )' in page
    assert "from tick import Schedule" in page


def test_check_shows_what_it_would_do_and_saves_nothing(ada: Visitor, world: World) -> None:
    sent = SYNC | {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "name": ""}
    page = ada.post("/new-schedule/preview", **sent).text
    said = text_of(page)
    assert "At 02:30" in said
    assert page.count(", 02:30 CE") >= 10
    assert "the clock leaps over its time: it fires at the first valid minute" in said
    assert "would have had 30 firings , at least one each day" in said
    assert "3 jobs, in this order" in said
    assert "name" not in problems(page)  # not yet typed is no mistake
    assert [row.id for row in world.rows(_ALL)] == ["daily", "hourly"]


def test_a_calendar_is_chosen_and_seen_in_what_comes_and_what_was(world: World) -> None:
    runtime, tomorrow = world.runtime, clock.now().date() + timedelta(days=1)
    office = Calendar("office", dates={tomorrow: "Founders' day"}, weekend=[])
    runtime.__dict__["registry"] = replace(world.registry, calendars=expand([office]))
    ada = Visitor(create_app(runtime)).log_in("ada")
    sent = SYNC | {"calendar": "office", "day_rule": "ONLY_HOLIDAYS"}
    page = ada.post("/new-schedule/preview", **sent).text
    assert "no day without" not in text_of(page)
    assert "would have had 0 firings" in text_of(page)
    page = ada.post("/new-schedule/preview", **sent | {"day_rule": "SKIP_HOLIDAYS"}).text
    assert "will not fire" in text_of(page)
    assert "would have had 30 firings" in text_of(page)
    ada.post("/new-schedule", **sent)
    assert written(world) == {
        "name": "Nightly Match",
        "cron": "0 2 * * *",
        "calendar": "office",
        "day_rule": "ONLY_HOLIDAYS",
    }
    assert fields_of(ada.page(f"/schedules/{ID}/edit"))["calendar"] == "office"
    steady = {"kind": "INTERVAL", "every_count": "9", "every_unit": "hours"}
    assert location(ada.post("/new-schedule", **sent | steady))


def test_days_without_a_firing_are_counted(ada: Visitor) -> None:
    page = ada.post("/new-schedule/preview", **SYNC | {"cron": "0 2 * * MON"}).text
    assert re.search(r"had [45] firings , and 2[56] days without any", text_of(page))


def test_a_preset_is_taken_without_a_script(ada: Visitor) -> None:
    page = ada.post("/new-schedule/preview", **SYNC, preset="*/15 * * * *").text
    assert fields_of(page)["cron"] == "*/15 * * * *"
    assert "Every 15 minutes" in text_of(page)


def test_typing_does_not_use_up_the_changes_of_a_minute(ada: Visitor) -> None:
    answers = {ada.post("/new-schedule/preview", **SYNC).status_code for _ in range(70)}
    assert answers == {200}


def test_who_types_gets_the_form_alone(ada: Visitor) -> None:
    data = {"csrf_token": ada.token, **SYNC}
    page = ada.client.post("/new-schedule/preview", data=data, headers={"HX-Request": "true"}).text
    assert "<html" not in page and 'id="preview"' in page


def test_a_viewer_is_offered_none_of_it(vic: Visitor, ada: Visitor, made: str) -> None:
    assert "/new-schedule" in ada.page("/schedules")
    for path in ("/schedules", "/schedules/daily", f"/schedules/{made}"):
        page = vic.page(path)
        assert "/new-schedule" not in page and "/edit" not in page and "/delete" not in page
    assert vic.page(f"/schedules/{made}/code")
    assert vic.post("/new-schedule", **SYNC).status_code == 403


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.key)
def test_each_template_is_right_beside_the_sample_jobs(template: Any) -> None:
    jobs = list(load_registry("definitions").jobs.values())
    schedule = from_plain(template.key, template.options, source="template")
    assert find_in_one(schedule, jobs) == []


def test_each_template_opens_without_a_mistake_of_its_time(ada: Visitor) -> None:
    for template in TEMPLATES:
        page = ada.page(f"/new-schedule?template={template.key}")
        assert problems(page).keys() <= {"job_group"}, template.name
        assert fields_of(page)["name"] == template.name
    assert len(TEMPLATES) == 12


@pytest.mark.parametrize("cron", PRESETS)
def test_each_preset_is_right(ada: Visitor, cron: str) -> None:
    assert problems(ada.post("/new-schedule/preview", **SYNC | {"cron": cron}).text) == {}


def test_a_step_of_the_calendar_is_made_shown_and_saved_as_it_stands(
    ada: Visitor, world: World
) -> None:
    step = {
        "kind": "INTERVAL",
        "every_step": "2 weeks on mon at 9:00",
        "anchor": "2027-01-05T10:00",
    }
    ada.post("/new-schedule", **SYNC | step | {"timezone": "Europe/Berlin"})
    every = {"weeks": 2, "on": "mon", "at": "9:00"}
    expected = {"every": every, "anchor": "2027-01-05", "timezone": "Europe/Berlin"}
    assert written(world) == {"name": "Nightly Match", **expected}
    page = ada.page(f"/schedules/{ID}/edit")
    assert fields_of(page)["every_step"] == "2 weeks on mon at 9:00"
    ada.post(f"/schedules/{ID}/edit", **fields_of(page) | {"name": "Other"})
    assert written(world) == {"name": "Other", **expected}
    assert "Every 2 weeks on Monday at 09:00" in ada.page(f"/schedules/{ID}")


@pytest.mark.parametrize("step", STEPS)
def test_each_step_that_is_offered_is_right_and_stands_as_it_is_stored(
    ada: Visitor, world: World, step: str
) -> None:
    ada.post("/new-schedule", **SYNC | {"kind": "INTERVAL", "every_step": step})
    every = step_from_plain(written(world)["every"])
    assert every == step_from_words(step)
    stored = fields_of(ada.page(f"/schedules/{ID}/edit"))["every_step"]
    assert stored == every.in_words()
    assert f"<option>{step}</option>" in ada.page("/new-schedule")


def test_months_that_are_left_out_are_told_while_one_types(ada: Visitor) -> None:
    step = {"kind": "INTERVAL", "every_step": "month on last day -30 at 02:00"}
    page = ada.post("/new-schedule/preview", **SYNC | step).text
    assert "has no such day: it does not fire in that month" in page
    assert "Every month 30 days before its last day at 02:00, not in months without one" in page


@pytest.mark.parametrize(
    ("step", "field", "said"),
    [
        ("month on third day", "every", "or business day 3, last day -3, nearest weekday 15"),
        ("2 fortnights", "every", "write one such as 2 days at 09:00"),
        ("2 weeks on someday", "every", "none of mon, tue"),
        ("1000 months", "every", "at most 120"),
    ],
)
def test_a_wrong_step_of_the_calendar_is_told(
    ada: Visitor, step: str, field: str, said: str
) -> None:
    sent = SYNC | {"kind": "INTERVAL", "every_step": step}
    assert said in problems(ada.post("/new-schedule", **sent).text)[field]
