"""Schedules by hand through the API, by our names and by those of other programs."""

from typing import Any

import pytest

from tests.support.factories import World
from tests.webapp.api.client import Program

NIGHTLY = {"name": "Nightly match", "cron": "0 2 * * *", "job": "match-scores"}


def test_a_schedule_is_made_and_answered_with_its_id_at_the_top(admin: Program) -> None:
    made = admin.post("/schedules", NIGHTLY)
    assert next(iter(made.items())) == ("id", "nightly-match")
    assert (made["enabled"], made["source"], made["mode"]) == (False, "CUSTOM", "SINGLE_JOB")
    assert admin.get("/schedules/nightly-match")["schedule"]["name"] == "Nightly match"


@pytest.mark.parametrize(
    ("given", "kind", "mode"),
    [
        (
            {"scheduleType": "CRON", "cronExpression": "0 2 * * *", "executionMode": "ALL_JOBS"},
            "CRON",
            "ALL_JOBS",
        ),
        ({"intervalMs": 3_600_000, "jobGroup": "matching"}, "INTERVAL", "GROUP"),
        ({"runAt": "2100-01-01T02:00:00Z", "jobName": "match-scores"}, "ONCE", "SINGLE_JOB"),
        (
            {"cronExpression": "0 2 * * *", "jobNames": ["match-scores"], "jobParameters": {}},
            "CRON",
            "CUSTOM",
        ),
    ],
)
def test_the_names_of_the_proposal_are_taken_as_well(
    admin: Program, given: dict[str, Any], kind: str, mode: str
) -> None:
    made = admin.post("/schedules", {"name": "Theirs", "enabled": True, **given})
    assert (made["rule"]["kind"], made["mode"], made["enabled"]) == (kind, mode, True)


def test_limits_are_taken_and_told_by_both_names(admin: Program) -> None:
    limits = {"maxConcurrent": 2, "timeout": 600, "maxRetries": 0, "deadline": 3600}
    made = admin.post("/schedules", NIGHTLY | limits | {"priority": 5, "pause_after": 3})
    assert made["limits"] == {
        "max_concurrent": 2,
        "deadline_seconds": 3600,
        "timeout_seconds": 600,
        "retries": 0,
        "priority": 5,
        "pause_after": 3,
    }
    assert {name: made[name] for name in ("maxConcurrent", "timeout", "maxRetries")} == {
        "maxConcurrent": 2,
        "timeout": 600,
        "maxRetries": 0,
    }
    edited = admin.send("PUT", "/schedules/nightly-match", {"maxRetries": None, "timeout": 60})
    assert (edited["maxRetries"], edited["timeout"], edited["maxConcurrent"]) == (None, 60, 2)
    (newest, _) = admin.get("/schedules/nightly-match/versions")["items"]
    assert newest["limits"] == edited["limits"]
    assert {change["part"] for change in newest["changes"]} >= {"retries", "timeout seconds"}


def test_what_a_client_of_the_proposal_sends_by_default_is_no_mistake(admin: Program) -> None:
    made = admin.post("/schedules", NIGHTLY | {"maxConcurrent": 1, "timeout": None})
    assert (made["maxConcurrent"], made["timeout"], made["maxRetries"]) == (1, None, None)


def test_a_limit_that_does_nothing_is_refused_with_the_fix(admin: Program) -> None:
    body = NIGHTLY | {"maxConcurrent": 3, "overlap": "ALLOW"}
    problem = admin.refused(422, "POST", "/schedules", body)
    assert "max_concurrent has no effect beside overlap=" in str(problem)


def test_a_step_of_the_calendar_is_taken_with_a_day_as_its_anchor(admin: Program) -> None:
    step = {"every": {"months": 1, "at": "18:00"}, "anchor": "2100-01-31", "job": "match-scores"}
    made = admin.post("/schedules", {"name": "Ends", "enabled": True, **step})
    assert (made["rule"]["kind"], made["next_run_at"]) == ("INTERVAL", "2100-01-31T18:00:00Z")
    wrong = {"every": {"months": 1, "days": 2}}
    problem = admin.refused(422, "PUT", "/schedules/ends", wrong)
    assert "is no step; write" in str(problem)


def test_a_business_day_of_the_month_is_taken_and_told_as_it_was_written(admin: Program) -> None:
    step = {"months": 1, "on": "business day 3", "at": "02:00"}
    body = {"name": "Third", "every": step, "anchor": "2100-01-01", "job": "match-scores"}
    made = admin.post("/schedules", body | {"enabled": True})
    assert made["next_run_at"] == "2100-01-05T02:00:00Z"
    assert made["timing"]["words"].startswith("Every month on the 3rd business day at 02:00")
    wrong = {"every": {"months": 1, "on": "fifth moon"}}
    problem = admin.refused(422, "PUT", "/schedules/third", wrong)
    assert "or business day 3, last day -3, nearest weekday 15, last weekday" in str(problem)


def test_an_edit_keeps_what_is_not_given(admin: Program) -> None:
    admin.post("/schedules", NIGHTLY | {"description": "for the morning"})
    edited = admin.send("PUT", "/schedules/nightly-match", {"cronExpression": "30 2 * * *"})
    assert (edited["rule"]["cron"], edited["description"]) == ("30 2 * * *", "for the morning")
    assert edited["version"] == 2


def test_an_edit_that_another_edit_overtook_is_refused(admin: Program) -> None:
    stale = admin.post("/schedules", NIGHTLY)["revision"]
    admin.send("PUT", "/schedules/nightly-match", {"cron": "30 2 * * *"})
    problem = admin.refused(
        412,
        "PUT",
        "/schedules/nightly-match",
        {"cron": "0 4 * * *"},
        headers={"If-Match": f'"{stale}"'},
    )
    assert "changed since you read it" in problem.detail


def test_a_switch_is_an_edit_too_wherever_the_schedule_lives(admin: Program) -> None:
    assert admin.send("PUT", "/schedules/daily", {"enabled": True})["enabled"] is True
    admin.post("/schedules", NIGHTLY)
    edited = admin.send("PUT", "/schedules/nightly-match", {"enabled": True, "cron": "5 2 * * *"})
    assert (edited["enabled"], edited["version"]) == (True, 2)


@pytest.mark.parametrize(("method", "body"), [("PUT", {"cron": "0 3 * * *"}), ("DELETE", None)])
def test_one_in_code_says_where_it_is_edited(
    admin: Program, method: str, body: dict[str, Any] | None
) -> None:
    problem = admin.refused(409, method, "/schedules/daily", body)
    assert "lives in code" in problem.detail
    assert "tick sync" in problem.detail


def test_a_deleted_one_is_kept_and_can_be_restored(world: World, admin: Program) -> None:
    admin.post("/schedules", NIGHTLY | {"enabled": True})
    gone = admin.send("DELETE", "/schedules/nightly-match?reason=not%20needed")
    assert gone["restore"].endswith("/schedules/nightly-match/restore")
    assert admin.get("/schedules/nightly-match")["schedule"]["state"] == "REMOVED"
    back = admin.post("/schedules/nightly-match/restore")
    assert (back["state"], back["enabled"]) == ("ACTIVE", False)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body.name"),
        ({"name": "Late", "cron": "0 25 * * *", "job": "match-scores"}, "body.cron"),
        ({"name": "Late", "cron": "0 2 * * *", "job": "metch"}, "body.job"),
        ({"name": "Late", "cronn": "0 2 * * *"}, "body.cronn"),
        ({"name": "Late", "cron": "0 2 * * *", "command": "rm"}, "body.command"),
        ({"name": "Late", "cron": "0 2 * * *", "scheduleType": "INTERVAL"}, "body.schedule_type"),
    ],
)
def test_a_mistake_names_the_field(admin: Program, body: dict[str, Any], where: str) -> None:
    problem = admin.refused(422, "POST", "/schedules", body)
    assert [mistake.where for mistake in problem.mistakes] == [where]


def test_who_only_reads_makes_none(viewer: Program) -> None:
    viewer.refused(403, "POST", "/schedules", NIGHTLY)


def test_the_same_request_again_makes_no_second_one(world: World, admin: Program) -> None:
    first = admin.post("/schedules", NIGHTLY, Idempotency_Key="release-42")
    again = admin.post("/schedules", NIGHTLY, Idempotency_Key="release-42")
    assert again == first
    other = admin.post("/schedules", NIGHTLY, Idempotency_Key="release-43")
    assert other["id"] != first["id"]
    headers = {"Idempotency-Key": "release-42"}
    refused = admin.refused(409, "POST", "/schedules", NIGHTLY | {"name": "B"}, headers=headers)
    assert "was made with other options" in refused.detail
