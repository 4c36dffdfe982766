"""Schedules by the API: read, switched, fired."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.support.factories import World, a_schedule
from tests.webapp.api.client import Program
from tests.webapp.api.conftest import make_token
from tests.webapp.conftest import JOBS
from tick.states import Role
from tick.store.tables import audit_entry, job_schedule


def test_schedules_come_in_pages_that_lead_on(world: World, viewer: Program) -> None:
    world.define(*(a_schedule(f"s{number:03}") for number in range(120)), jobs=JOBS)
    path, seen = "/schedules", []
    while path:
        page = viewer.get(path)
        seen += [item["id"] for item in page["items"] if item["state"] == "ACTIVE"]
        path = page["next"]
    assert seen == [f"s{number:03}" for number in range(120)]


def test_a_schedule_says_when_and_what(viewer: Program) -> None:
    found = viewer.get("/schedules/hourly")
    schedule = found["schedule"]
    assert schedule["timing"]["words"] == "Every hour"
    assert schedule["selected"]["jobs"] == ["match-scores", "compatibility"]
    assert schedule["rule"] == {"cron": "0 * * * *", "kind": "CRON"}
    assert len(found["upcoming"]) == 5
    assert all(instant.endswith("00:00Z") for instant in found["upcoming"])


def test_enabling_and_disabling_are_idempotent_and_audited(world: World, admin: Program) -> None:
    assert admin.post("/schedules/daily/enable")["enabled"] is True
    assert admin.post("/schedules/daily/enable", {"catch_up_latest": False})["enabled"] is True
    off = admin.post("/schedules/daily/disable", {"reason": "moving house"})
    assert (off["enabled"], off["enabled_by"]) == (False, "token:deployer")
    entries = world.rows(sa.select(audit_entry).where(audit_entry.c.subject == "daily"))
    assert [(entry.action, entry.actor) for entry in entries[1:]] == [
        ("schedule.enable", "token:deployer"),
        ("schedule.disable", "token:deployer"),
    ]
    assert entries[-1].reason == "moving house"


def test_the_audit_leads_to_the_request(world: World, admin: Program) -> None:
    admin.post("/schedules/daily/enable", X_Request_ID="deploy-2026-03-01")
    entry = admin.get("/audit?subject=daily")["items"][0]
    assert (entry["actor"], entry["request_id"]) == ("token:deployer", "deploy-2026-03-01")


def test_a_pause_has_a_reason_and_ends(admin: Program) -> None:
    admin.post("/schedules/daily/enable")
    assert admin.refused(422, "POST", "/schedules/daily/pause", {}).mistakes[0].where == (
        "body.reason"
    )
    paused = admin.post(
        "/schedules/daily/pause", {"reason": "audit week", "until": "2100-01-01T01:00:00+01:00"}
    )
    assert (paused["state"], paused["state_until"]) == ("PAUSED", "2100-01-01T00:00:00Z")
    assert admin.post("/schedules/daily/resume")["state"] == "ACTIVE"


def test_a_trigger_fires_now_and_says_where_to_watch(admin: Program) -> None:
    started = admin.post("/schedules/daily/trigger")
    found = admin.get(started["occurrence"])
    assert found["occurrence"]["triggered_by"] == "token:deployer"
    assert [run["job_name"] for run in found["runs"]] == [job.name for job in JOBS]


def test_a_trigger_sent_twice_with_one_key_fires_once(world: World, admin: Program) -> None:
    first = admin.post("/schedules/daily/trigger", Idempotency_Key="nightly-1")
    again = admin.post("/schedules/daily/trigger", Idempotency_Key="nightly-1")
    assert first == again
    assert len(world.runs()) == len(JOBS)
    other = admin.post("/schedules/hourly/trigger", Idempotency_Key="nightly-1")
    assert other != first


def test_a_key_is_of_its_token_and_of_what_it_starts(
    app: Flask, world: World, admin: Program
) -> None:
    other = Program(app, make_token(world, "other", Role.ADMIN, world.now))
    for _ in range(2):
        for program in (admin, other):
            for job in ("match-scores", "compatibility"):
                program.post(f"/jobs/{job}/run", Idempotency_Key="nightly-1")
    assert len(world.runs()) == 4


def test_an_odd_idempotency_key_is_refused(admin: Program) -> None:
    for key in ("", "a b", "x" * 101, "ü"):
        problem = admin.refused(
            400, "POST", "/schedules/daily/trigger", headers={"Idempotency-Key": key}
        )
        assert "Idempotency-Key" in problem.detail


def test_an_unfinished_occurrence_is_in_the_way_unless_overridden(admin: Program) -> None:
    admin.post("/schedules/daily/trigger")
    problem = admin.refused(409, "POST", "/schedules/daily/trigger")
    assert "still running" in problem.detail
    admin.post("/schedules/daily/trigger", {"override_overlap": True})


def test_history_is_the_schedules_part_of_the_ledger(admin: Program) -> None:
    started = [
        admin.post("/schedules/daily/trigger", {"override_overlap": True})["occurrence_id"]
        for _ in range(3)
    ]
    admin.post("/schedules/hourly/trigger")
    page = admin.get("/schedules/daily/history?outcome=QUEUED")
    assert [item["id"] for item in page["items"]] == started[::-1]
    assert page["next"] is None
    older = admin.get(f"/schedules/daily/history?before={started[1]}")
    assert [item["id"] for item in older["items"]] == started[:1]
    assert len(admin.get("/occurrences?schedule=daily")["items"]) == 3
    assert len(admin.get("/occurrences")["items"]) == 4


def test_an_instant_that_was_missed_runs_as_that_instant(world: World, admin: Program) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=3))
    missed = min(at for outcome, at, _ in world.ledger("hourly") if outcome == "MISSED" and at)
    answer = admin.post("/schedules/hourly/slots", {"scheduled_for": [missed.isoformat()]})
    (occurrence_id,) = answer["occurrence_ids"]
    found = admin.get(f"/occurrences/{occurrence_id}")["occurrence"]
    assert datetime.fromisoformat(found["scheduled_for"]) == missed
    assert found["outcome"] == "QUEUED"


def test_why_answers_with_a_sentence_and_facts(world: World, admin: Program) -> None:
    admin.post("/schedules/hourly/enable")
    why = admin.get("/schedules/hourly/why?at=2100-01-01T05:00:00Z")
    assert why["sentence"].endswith("is still to come.")
    assert "not due" in admin.get("/schedules/hourly/why?at=2100-01-01T05:30:00Z")["sentence"]
    admin.refused(404, "GET", "/schedules/nowhere/why?at=2100-01-01T05:30:00Z")
    assert admin.refused(422, "GET", "/schedules/hourly/why").mistakes[0].where == "query.at"


@pytest.mark.parametrize(
    ("body", "valid", "said"),
    [
        ({"expression": "0 2 * * *", "timezone": "Europe/Paris"}, True, "At 02:00 (Europe/Paris)"),
        ({"expression": "0 25 * * *"}, False, "hour"),
        ({"expression": "0 0 30 2 *"}, False, "never"),
        ({"expression": "0 2 * * *", "timezone": "../../etc/passwd"}, False, "zone"),
    ],
)
def test_an_expression_is_explained_or_corrected(
    viewer: Program, body: Any, valid: bool, said: str
) -> None:
    verdict = viewer.post("/schedules/validate-cron", body)
    assert verdict["valid"] is valid
    assert said in (verdict["words"] or verdict["mistake"])


@pytest.mark.parametrize("name", ["expression", "cronExpression", "cron"])
def test_an_expression_that_holds_is_answered_with_its_next_instants(
    viewer: Program, name: str
) -> None:
    verdict = viewer.post("/schedules/validate-cron", {name: "0 2 29 2 *"})
    assert [at[4:] for at in verdict["times"]] == ["-02-29T02:00:00Z"] * 5
    assert viewer.post("/schedules/validate-cron", {name: "0 2 30 2 *"})["times"] == []


def test_a_preview_follows_the_clock_changes(viewer: Program) -> None:
    preview = viewer.post(
        "/schedules/preview-runs",
        {
            "expression": "30 2 * * *",
            "timezone": "Europe/Paris",
            "after": "2026-03-28T00:00:00Z",
            "count": 3,
        },
    )
    assert preview["times"] == [
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:00:00Z",
        "2026-03-30T00:30:00Z",
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"count": 101},
        {"count": 0},
        {"count": "5"},
        {"after": "2026-03-28T00:00:00"},
        {"after": "9999-12-31T23:59:59-14:00"},
        {"after": 0},
        {"expression": "* * * *"},
        {"expression": "\0"},
        {"timezone": ""},
        {"surprise": 1},
    ],
)
def test_a_preview_is_bounded_and_takes_nothing_odd(viewer: Program, more: Any) -> None:
    body = {"expression": "0 2 * * *", **more}
    problem = viewer.refused(422, "POST", "/schedules/preview-runs", body)
    assert problem.mistakes[0].where.startswith("body")


def test_a_schedule_that_is_not_there(admin: Program) -> None:
    for method, path in [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/history"),
        ("POST", "/enable"),
        ("POST", "/trigger"),
    ]:
        problem = admin.refused(404, method, f"/schedules/nowhere{path}")
        assert "nowhere" in problem.detail


def put_into_the_future(world: World) -> None:
    s = job_schedule.c
    ahead = sa.update(job_schedule).where(s.id.in_(["daily", "hourly"]))
    with world.database.write.begin() as connection:
        connection.execute(
            ahead.values(enabled=True, decided_to=world.runtime.now() + timedelta(days=1))
        )


def test_schedules_that_a_clock_ahead_silenced_come_back(world: World, admin: Program) -> None:
    put_into_the_future(world)
    assert admin.get("/scheduler/status")["ahead_to"] is not None
    assert admin.post("/schedules/daily/resume-from-now")["next_run_at"] is not None
    assert admin.post("/scheduler/resume-from-now") == {"schedules": ["hourly"], "ticks": 0}
    assert admin.get("/scheduler/status")["ahead_to"] is None
    problem = admin.refused(409, "POST", "/schedules/daily/resume-from-now", {})
    assert "is not ahead" in problem.detail


def test_many_schedules_are_resumed_and_what_is_refused_is_told_by_id(
    admin: Program, viewer: Program, world: World
) -> None:
    for name in ("daily", "hourly"):
        admin.post(f"/schedules/{name}/enable")
        admin.post(f"/schedules/{name}/pause", {"reason": "year end"})
    wanted = {"schedule_ids": ["daily", "nowhere", "hourly", "daily"]}
    viewer.refused(403, "POST", "/schedules/resume", wanted)
    found = admin.post("/schedules/resume", wanted)
    assert found["done"] == ["daily", "hourly"]
    assert list(found["refused"]) == ["nowhere"]
    assert {world.schedule(name).state for name in ("daily", "hourly")} == {"ACTIVE"}
    again = admin.post("/schedules/resume", wanted)
    assert list(again["refused"]) == ["daily", "hourly", "nowhere"]
    admin.refused(422, "POST", "/schedules/resume", {"schedule_ids": []})
