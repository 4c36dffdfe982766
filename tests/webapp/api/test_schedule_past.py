"""A schedule's past by the API: its history with logs, its statistics, its versions."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import FAILED, Hands
from tests.support.factories import World, a_schedule
from tests.webapp.api.client import Program
from tests.webapp.conftest import JOBS
from tick.ops.queries.history_logs import MESSAGE_LENGTH, MOST_LINES
from tick.store.tables import job_log


def log(world: World, run_id: int, *lines: tuple[str, str]) -> None:
    """Let a run log lines: a level and a message each."""
    rows = [
        {"run_id": run_id, "attempt": 1, "at": world.now, "level": level, "message": message}
        for level, message in lines
    ]
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(job_log), rows)


def fired(admin: Program, times: int = 1) -> list[int]:
    """The ids of the daily schedule's firings by hand, oldest first."""
    again = {"override_overlap": True}
    return [admin.post("/schedules/daily/trigger", again)["occurrence_id"] for _ in range(times)]


def said(item: Any) -> list[tuple[str, str, str]]:
    """The lines of an occurrence."""
    return [(line["job_name"], line["level"], line["message"]) for line in item["logs"]]


def test_history_is_as_long_as_was_asked_for(admin: Program) -> None:
    started = fired(admin, 3)
    page = admin.get("/schedules/daily/history?limit=2")
    assert [item["id"] for item in page["items"]] == started[:0:-1]
    assert page["next"].endswith(f"/schedules/daily/history?limit=2&before={started[1]}")
    rest = admin.get(page["next"])
    assert ([item["id"] for item in rest["items"]], rest["next"]) == (started[:1], None)
    queued = admin.get("/schedules/daily/history?limit=1&outcome=QUEUED")
    assert [item["id"] for item in queued["items"]] == started[2:]
    assert len(admin.get("/occurrences?limit=1")["items"]) == 1


@pytest.mark.parametrize("wrong", ["limit=0", "limit=101", "limit=some", "include=runs"])
def test_history_refuses_other_lengths_and_parts(viewer: Program, wrong: str) -> None:
    problem = viewer.refused(422, "GET", f"/schedules/daily/history?{wrong}")
    assert problem.mistakes[0].where == f"query.{wrong.partition('=')[0]}"


def test_history_has_errors_and_milestones_of_its_runs_when_asked(
    world: World, admin: Program
) -> None:
    first, second = fired(admin, 2)
    runs = {(run.occurrence_id, run.job_name): run.id for run in world.runs()}
    log(
        world,
        runs[first, "match-scores"],
        ("milestone", "half"),
        ("info", "a detail"),
        ("error", "no more space"),
    )
    log(world, runs[first, "compatibility"], ("error", "x" * 2 * MESSAGE_LENGTH))
    newer, older = admin.get("/schedules/daily/history?include=logs")["items"]
    assert (newer["id"], newer["logs"], newer["logs_cut"]) == (second, [], False)
    assert said(older) == [
        ("match-scores", "milestone", "half"),
        ("match-scores", "error", "no more space"),
        ("compatibility", "error", "x" * MESSAGE_LENGTH),
    ]
    assert admin.get("/schedules/daily/history")["items"][1]["logs"] is None


def test_too_many_lines_are_cut_and_errors_kept(world: World, admin: Program) -> None:
    fired(admin)
    run_id = world.runs()[0].id
    log(world, run_id, *[("milestone", f"{number}") for number in range(MOST_LINES)])
    item = admin.get("/schedules/daily/history?include=logs")["items"][0]
    assert (len(item["logs"]), item["logs_cut"]) == (MOST_LINES, False)
    log(world, run_id, ("error", "no more space"))
    item = admin.get("/schedules/daily/history?include=logs")["items"][0]
    assert (len(item["logs"]), item["logs_cut"]) == (MOST_LINES, True)
    assert said(item)[-2:] == [
        (JOBS[0].name, "milestone", str(MOST_LINES - 2)),
        (JOBS[0].name, "error", "no more space"),
    ]


def test_statistics_of_a_schedule_are_those_of_what_it_fired_by_itself(
    world: World, admin: Program
) -> None:
    world.enable("hourly")
    hands = Hands(world)
    for _ in range(2):
        world.tick(world.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
        hands.work_off()
    admin.post("/schedules/hourly/trigger")
    hands.work_off(compatibility=FAILED)
    found = admin.get("/schedules/hourly/statistics?window=7d&timezone=Europe/Paris")
    assert (found["schedule_id"], found["window"]) == ("hourly", "7d")
    assert (found["succeeded"], found["failed"], found["success_rate"]) == (2, 0, 1.0)
    assert found["took"]["count"] == 2
    assert (len(found["periods"]), found["last_day"]["firings"]["succeeded"]) == (8, 2)
    assert sum(each["firings"]["succeeded"] for each in found["periods"]) == 2
    none = admin.get("/schedules/daily/statistics")
    assert (none["window"], none["succeeded"], none["success_rate"]) == ("30d", 0, None)


def test_versions_say_what_each_of_them_changed(world: World, viewer: Program) -> None:
    for hour in (3, 4):
        world.define(a_schedule("daily", cron=f"0 {hour} * * *"), jobs=JOBS)
    page = viewer.get("/schedules/daily/versions?limit=2")
    assert [each["number"] for each in page["items"]] == [3, 2]
    newest = page["items"][0]
    assert newest["changes"] == [{"part": "when", "before": "At 03:00", "after": "At 04:00"}]
    assert (newest["rule"]["cron"], newest["mode"]) == ("0 4 * * *", "ALL_JOBS")
    oldest = viewer.get(page["next"])
    assert [(each["number"], each["changes"]) for each in oldest["items"]] == [(1, None)]
    assert oldest["next"] is None


@pytest.mark.parametrize("part", ["history", "statistics", "versions"])
def test_what_never_was_has_no_past(viewer: Program, part: str) -> None:
    assert "nowhere" in viewer.refused(404, "GET", f"/schedules/nowhere/{part}").detail
