"""The endpoints of the proposal's section 7, in its own names, as a client written for it asks."""

import re
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tests.support.factories import World
from tests.webapp.api.client import Program
from tick.interface.table import OPERATIONS

FULL_SYNC = {
    "name": "Nightly Full Sync",
    "description": "Runs all jobs in dependency order",
    "scheduleType": "CRON",
    "cronExpression": "0 2 * * *",
    "timezone": "UTC",
    "executionMode": "ALL_JOBS",
}
SECTION_7 = """
GET    /schedules
POST   /schedules
GET    /schedules/:id
PUT    /schedules/:id
DELETE /schedules/:id
POST   /schedules/:id/enable
POST   /schedules/:id/disable
POST   /schedules/:id/trigger
GET    /schedules/:id/history
GET    /scheduler/status
POST   /scheduler/start
POST   /scheduler/stop
POST   /schedules/validate-cron
POST   /schedules/preview-runs
"""


def test_a_client_written_for_the_proposal_works(admin: Program) -> None:
    assert admin.post("/schedules/validate-cron", {"cronExpression": "0 2 * * *"})["valid"]
    first = admin.post("/schedules/preview-runs", FULL_SYNC)["times"][0]
    made = admin.ask("POST", "/schedules", FULL_SYNC)
    assert (made.status_code, made.get_json()["id"]) == (201, "nightly-full-sync")
    place = "/schedules/nightly-full-sync"
    listed = {item["id"]: item for item in admin.get("/schedules")["items"]}
    item = listed["nightly-full-sync"]
    assert {name: item[name] for name in ("name", "description", "enabled")} == {
        "name": "Nightly Full Sync",
        "description": "Runs all jobs in dependency order",
        "enabled": False,
    }
    assert (item["cronExpression"], item["executionMode"]) == ("0 2 * * *", "ALL_JOBS")
    assert (item["runCount"], item["failureCount"], item["lastRunAt"]) == (0, 0, None)
    assert admin.get(place)["schedule"] == item
    assert admin.post(f"{place}/enable")["nextRunAt"] == first
    assert admin.send("PUT", place, {"enabled": False})["enabled"] is False
    later = {"cronExpression": "30 2 * * *", "enabled": True}
    assert admin.send("PUT", place, later)["nextRunAt"].endswith("T02:30:00Z")
    admin.post(f"{place}/trigger")
    history = admin.get(f"{place}/history?limit=50&include=logs")["items"]
    assert [(each["outcome"], each["logs"]) for each in history] == [("QUEUED", [])]
    assert admin.post("/scheduler/stop") == {"changed": True}
    assert "no reason was given" in admin.get("/scheduler/status")["stands_because"]
    assert admin.post("/scheduler/start") == {"changed": True}
    assert admin.post(f"{place}/disable")["enabled"] is False
    assert admin.send("DELETE", place)["id"] == "nightly-full-sync"


def test_every_endpoint_of_section_7_is_offered() -> None:
    asked = [line.split() for line in SECTION_7.strip().splitlines()]
    offered = {
        (each.method, re.sub(r"<\w+>", ":id", each.path)): each for each in OPERATIONS.values()
    }
    assert len(asked) == 14
    assert [each for each in map(tuple, asked) if each not in offered] == []


def test_no_operation_of_the_document_always_refuses() -> None:
    assert [name for name, each in OPERATIONS.items() if each.output is None] == []


def times(program: Program, **body: object) -> list[datetime]:
    """The next instants of a schedule that is not made yet."""
    found = program.post("/schedules/preview-runs", {"name": "Not yet", **body})["times"]
    return [datetime.fromisoformat(at) for at in found]


def test_a_preview_takes_an_interval(viewer: Program) -> None:
    found = times(viewer, scheduleType="INTERVAL", intervalMs=5_400_000, count=4)
    assert {after - before for before, after in pairwise(found)} == {timedelta(minutes=90)}


def test_a_preview_takes_a_single_instant(viewer: Program) -> None:
    found = times(viewer, scheduleType="ONCE", runAt="2100-01-01T02:00:00+01:00")
    assert [at.isoformat() for at in found] == ["2100-01-01T01:00:00+00:00"]


def test_a_preview_keeps_bounds_and_the_number_of_runs(viewer: Program) -> None:
    between = {"starts_at": "2100-01-01T00:00:00Z", "ends_at": "2100-01-01T23:00:00Z"}
    found = times(viewer, cron="0 */6 * * *", **between, count=100)
    assert [at.hour for at in found] == [0, 6, 12, 18]
    assert len(times(viewer, cron="0 */6 * * *", **between, max_runs=3, count=100)) == 3


@pytest.mark.parametrize("timing", [{"cron": "H H * * *"}, {"cron": "0 2 * * *", "jitter": 3600}])
def test_a_preview_tells_the_slot_that_the_schedule_will_have(
    admin: Program, timing: dict[str, object]
) -> None:
    first = times(admin, **timing)[0]
    made = admin.post("/schedules", {"name": "Not yet", "enabled": True, **timing})
    assert datetime.fromisoformat(made["nextRunAt"]) == first
    # The name is taken now, so that the next one of it has another id, and another slot.
    assert times(admin, **timing)[0] != first
    assert times(admin, id="not-yet", **timing)[0] == first


def test_a_preview_counts_what_the_schedule_has_fired_already(world: World, admin: Program) -> None:
    limited = {"name": "Few", "cron": "* * * * *", "max_runs": 3}
    admin.post("/schedules", limited | {"enabled": True})
    world.tick(world.now.replace(second=0, microsecond=0) + timedelta(hours=9))
    assert world.schedule("few").run_count == 1
    assert len(times(admin, **limited | {"id": "few"})) == 2
    assert len(times(admin, **limited)) == 3


def test_a_preview_leaves_out_what_a_window_will_keep_from_firing(admin: Program) -> None:
    window = {
        "starts_at": "2100-01-01T02:00:00Z",
        "ends_at": "2100-01-01T04:00:00Z",
        "reason": "a move",
    }
    admin.post("/windows", window)
    found = times(admin, cron="0 * * * *", after="2100-01-01T00:30:00Z", count=4)
    assert [at.hour for at in found] == [1, 4]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "Late", "cron": "0 25 * * *", "job": "match-scores"}, "body.cron"),
        ({"name": "Late", "cron": "0 2 * * *", "jobName": "metch"}, "body.job"),
        ({"name": "Late", "intervalMs": 5, "scheduleType": "CRON"}, "body.schedule_type"),
        ({"name": "Late", "cron": "0 2 * * *", "command": "rm"}, "body.command"),
    ],
)
def test_a_preview_names_the_mistakes_that_making_it_would(
    admin: Program, body: dict[str, object], where: str
) -> None:
    for path in ("/schedules/preview-runs", "/schedules"):
        problem = admin.refused(422, "POST", path, body)
        assert [mistake.where for mistake in problem.mistakes] == [where]
