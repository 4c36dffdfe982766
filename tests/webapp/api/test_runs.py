"""Runs, their logs, jobs, workers and the scheduler's state by the API."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_worker
from tests.webapp.api.client import Program
from tests.webapp.conftest import JOBS
from tick.ops.queries import logs
from tick.store.tables import job_log, job_run, worker_instance


def log(world: World, run_id: int, *messages: str, level: str = "info") -> None:
    lines = [
        {"run_id": run_id, "attempt": 1, "at": world.now, "level": level, "message": message}
        for message in messages
    ]
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(job_log), lines)


def test_runs_are_listed_by_what_they_are(admin: Program, run_id: int) -> None:
    assert len(admin.get("/runs")["items"]) == len(JOBS)
    (found,) = admin.get("/runs?job=match-scores&status=QUEUED&trigger=MANUAL")["items"]
    assert (found["schedule_id"], found["job_group"]) == ("daily", "matching")
    assert admin.get("/runs?status=FAILED")["items"] == []
    assert admin.get(f"/runs?before={run_id}")["items"] == []


def test_pages_of_runs_lead_on_and_keep_the_filter(world: World, admin: Program) -> None:
    for _ in range(20):
        admin.post("/schedules/daily/trigger", {"override_overlap": True})
    first = admin.get("/runs?schedule=daily")
    second = admin.get(first["next"])
    assert (len(first["items"]), len(second["items"]), second["next"]) == (50, 10, None)
    assert "schedule=daily" in first["next"]
    ids = [run["id"] for run in first["items"] + second["items"]]
    assert ids == sorted({run.id for run in world.runs()}, reverse=True)


def test_a_run_names_its_neighbours(admin: Program, run_id: int) -> None:
    found = admin.get(f"/runs/{run_id + 1}")
    assert found["run"]["job_name"] == "match-scores"
    assert [other["job_name"] for other in found["waits_for"]] == ["content-features"]
    assert [other["job_name"] for other in found["needed_by"]] == ["compatibility"]


def test_a_run_is_cancelled_once(world: World, admin: Program, run_id: int) -> None:
    cancelled = admin.post(f"/runs/{run_id}/cancel")
    assert (cancelled["status"], cancelled["reason"]) == (
        "CANCELLED",
        "cancelled by token:deployer",
    )
    assert "already" in admin.refused(409, "POST", f"/runs/{run_id}/cancel").detail


def test_what_ended_badly_is_put_back(admin: Program, run_id: int) -> None:
    admin.post(f"/runs/{run_id}/cancel")
    assert admin.post(f"/runs/{run_id}/retry")["status"] == "QUEUED"
    admin.post(f"/runs/{run_id}/cancel")
    occurrence_id = admin.get(f"/runs/{run_id}")["run"]["occurrence_id"]
    again = admin.post(f"/occurrences/{occurrence_id}/retry")
    assert run_id in again["run_ids"]
    assert admin.post(f"/occurrences/{occurrence_id}/retry")["run_ids"] == []


def test_a_log_is_followed_to_its_end(world: World, admin: Program, run_id: int) -> None:
    log(world, run_id, "one", "two")
    page = admin.get(f"/runs/{run_id}/logs")
    assert [line["message"] for line in page["items"]] == ["one", "two"]
    assert page["previous"] is None
    log(world, run_id, "three")
    page = admin.get(page["next"])
    assert [line["message"] for line in page["items"]] == ["three"]
    assert admin.get(page["next"])["items"] == []
    admin.post(f"/runs/{run_id}/cancel")
    assert admin.get(page["next"])["next"] is None


def test_a_long_log_is_read_upwards(
    world: World, viewer: Program, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(world, run_id, *map(str, range(logs.LOG_ROWS + 3)))
    log(world, run_id, "bad", level="error")
    page = viewer.get(f"/runs/{run_id}/logs")
    assert (len(page["items"]), page["items"][-1]["message"]) == (logs.LOG_ROWS, "bad")
    top = viewer.get(page["previous"])
    assert [line["message"] for line in top["items"]] == ["0", "1", "2", "3"]
    assert top["previous"] is None
    assert viewer.get(top["next"])["items"] == page["items"]
    (bad,) = viewer.get(f"/runs/{run_id}/logs?level=error")["items"]
    assert bad["message"] == "bad"


def test_jobs_are_listed_with_their_latest_run(viewer: Program, run_id: int) -> None:
    jobs = viewer.get("/jobs")["items"]
    assert [job["name"] for job in jobs] == sorted(job.name for job in JOBS)
    assert jobs[1]["depends_on"] == []
    assert jobs[1]["latest_run"]["id"] == run_id
    assert [job["name"] for job in viewer.get("/jobs?group=search")["items"]] == [
        "content-features"
    ]
    assert viewer.get("/jobs?after=match-scores")["items"] == []


def test_the_latest_run_of_a_job_is_its_newest(admin: Program) -> None:
    for number in (1, 2):
        admin.post("/jobs/match-scores/run")
        jobs = {job["name"]: job["latest_run"] for job in admin.get("/jobs")["items"]}
        assert jobs["match-scores"]["id"] == number
        assert jobs["compatibility"] is None


def test_jobs_groups_and_everything_run_now(world: World, admin: Program) -> None:
    params = {"weights": {"tempo": 0.5}, "names": ["ä", None]}
    unfit = admin.refused(422, "POST", "/jobs/match-scores/run", json={"params": {"keep": 0}})
    assert unfit.mistakes[0].where == "body.params.keep"
    started = admin.post("/jobs/match-scores/run", {"params": params}, Idempotency_Key="k1")
    assert started == admin.post("/jobs/match-scores/run", {"params": params}, Idempotency_Key="k1")
    problem = admin.refused(
        409, "POST", "/jobs/match-scores/run", {}, headers={"Idempotency-Key": "k1"}
    )
    assert "was started with other parameters. Take a new key" in problem.detail
    elsewhere = admin.post("/groups/matching/run", {}, Idempotency_Key="k1")
    assert elsewhere["occurrence_id"] != started["occurrence_id"]
    (run,) = admin.get(started["occurrence"])["runs"]
    assert admin.get(f"/runs/{run['id']}")["run"]["params"] == params
    assert len(admin.get(admin.post("/groups/matching/run")["occurrence"])["runs"]) == 2
    assert len(admin.get(admin.post("/jobs/run")["occurrence"])["runs"]) == len(JOBS)
    assert "nothing" in admin.refused(404, "POST", "/jobs/nothing/run").detail
    assert "nothing" in admin.refused(404, "POST", "/groups/nothing/run").detail


def test_parameters_of_many_jobs_go_to_those_that_know_them(world: World, admin: Program) -> None:
    unknown = admin.refused(422, "POST", "/groups/matching/run", json={"params": {"kept": 1}})
    assert unknown.mistakes[0].where == "body.params.kept"
    assert "match-scores takes keep" in unknown.mistakes[0].problem
    unfit = admin.refused(422, "POST", "/jobs/run", json={"params": {"keep": 0}})
    assert unfit.mistakes[0].problem.startswith("match-scores: ")
    assert world.runs() == []
    for path in ("/groups/matching/run", "/jobs/run"):
        started = admin.post(path, {"params": {"keep": 3}})
        runs = [
            admin.get(f"/runs/{run['id']}")["run"]
            for run in admin.get(started["occurrence"])["runs"]
        ]
        assert [run["params"] for run in runs if run["params"]] == [{"keep": 3}]


def test_a_refusal_names_the_address_of_what_is_in_the_way(world: World, admin: Program) -> None:
    first, second = (admin.post("/jobs/match-scores/run")["occurrence_id"] for _ in range(2))
    with world.database.write.begin() as connection:
        unique = sa.update(job_run).values(unique_key="same")
        connection.execute(unique.where(job_run.c.id == second))
        connection.execute(unique.where(job_run.c.id == first).values(status="FAILED"))
    problem = admin.refused(409, "POST", f"/runs/{first}/retry")
    assert problem.in_the_way == f"/api/admin/runs/{second}"
    assert f"run {second} of the same job is QUEUED" in problem.detail
    assert admin.get(problem.in_the_way)["run"]["id"] == second
    running = admin.post("/schedules/daily/trigger")["occurrence"]
    assert admin.refused(409, "POST", "/schedules/daily/trigger").in_the_way == running


@pytest.mark.parametrize("number", ["NaN", "1e400", '"\\u0000"', '{"a\\u0000": 1}'])
def test_parameters_that_no_database_could_keep_are_refused(admin: Program, number: str) -> None:
    problem = admin.refused(
        422,
        "POST",
        "/jobs/match-scores/run",
        data=f'{{"params": {{"a": {number}}}}}',
        content_type="application/json",
    )
    assert problem.mistakes[0].where == "body.params.a"


def test_the_scheduler_says_whether_it_ticks(world: World, admin: Program, now: datetime) -> None:
    status = admin.get("/scheduler/status")
    assert (status["last_tick_at"], status["workers"]) == (None, 0)
    world.tick(now - timedelta(seconds=5))
    add_worker(world, now)
    admin.post("/schedules/daily/trigger")
    status = admin.get("/scheduler/status")
    assert (status["workers"], status["queued"], status["ticks_are_late"]) == (1, 3, False)
    assert status["last_tick_source"] == "test"
    assert [process["id"] for process in status["processes"]] == ["c0ffee"]


def test_workers_are_listed_and_drained(world: World, admin: Program, now: datetime) -> None:
    add_worker(world, now)
    assert [worker["id"] for worker in admin.get("/workers?status=RUNNING")["items"]] == ["c0ffee"]
    assert admin.post("/workers/c0ffee/drain") == {"changed": True}
    assert admin.post("/workers/c0ffee/drain") == {"changed": False}
    assert admin.get("/workers?status=RUNNING")["items"] == []
    assert admin.get("/workers?after=c0ffee")["items"] == []


def test_queues_are_paused_for_a_reason_and_resumed(admin: Program) -> None:
    assert admin.post("/queues/media/pause", {"reason": "disk is full"}) == {"changed": True}
    assert admin.post("/queues/media/pause", {"reason": "disk is full"}) == {"changed": False}
    assert admin.post("/queues/media/resume") == {"changed": True}


def test_queues_say_what_waits_and_why_nothing_moves(admin: Program, run_id: int) -> None:
    admin.post("/queues/default/pause", {"reason": "disk is full"})
    (queue,) = admin.get("/queues")["items"]
    assert (queue["name"], queue["queued"], queue["paused_by"]) == ("default", 3, "token:deployer")
    assert queue["paused_reason"] == "disk is full"


def test_what_comes_next_over_all_schedules_that_are_on(admin: Program) -> None:
    assert admin.get("/scheduler/upcoming")["items"] == []
    admin.post("/schedules/hourly/enable")
    items = admin.get("/scheduler/upcoming?count=3")["items"]
    assert [item["schedule_id"] for item in items] == ["hourly"] * 3
    admin.refused(422, "GET", "/scheduler/upcoming?count=201")


def test_the_audit_comes_in_pages(admin: Program, run_id: int) -> None:
    newest = admin.get("/audit")["items"][0]
    assert (newest["action"], newest["subject"]) == ("schedule.run", "daily")
    assert admin.get("/audit?actor=token:deployer")["items"] == [newest]
    assert newest["id"] not in [
        entry["id"] for entry in admin.get(f"/audit?before={newest['id']}")["items"]
    ]


def test_what_is_not_there(admin: Program) -> None:
    for path in ("/runs/4711", "/runs/4711/logs", "/occurrences/4711"):
        assert "4711" in admin.refused(404, "GET", path).detail
    for path in ("/runs/4711/cancel", "/runs/4711/retry", "/occurrences/4711/retry"):
        assert "4711" in admin.refused(404, "POST", path).detail


def add_worker(world: World, now: datetime) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance), a_worker(now))


def test_a_result_and_an_error_are_told(world: World, viewer: Program, failed_run: int) -> None:
    run = viewer.get(f"/runs/{failed_run}")["run"]
    assert (run["error_type"], run["status"]) == ("KeyError", "FAILED")
    assert run["error_traceback"].startswith("Traceback")
    assert world.rows(sa.select(job_run.c.id))


def test_an_occurrence_is_cancelled_as_a_whole(admin: Program, run_id: int) -> None:
    assert admin.post("/occurrences/1/cancel") == {"runs": 3}
    found = admin.get("/occurrences/1")
    assert {run["status"] for run in found["runs"]} == {"CANCELLED"}
    assert found["occurrence"]["outcome"] == "CANCELLED"
    assert "ended as CANCELLED" in admin.refused(409, "POST", "/occurrences/1/cancel").detail
    assert admin.refused(404, "POST", "/occurrences/4711/cancel")


def test_what_a_tick_would_do_is_read_and_not_done(
    world: World, viewer: Program, now: datetime
) -> None:
    world.now = now - timedelta(hours=2)
    world.enable("hourly")
    before = world.ledger("hourly")
    found = viewer.get("/scheduler/dry-run")
    assert {line["schedule_id"] for line in found["lines"]} == {"hourly"}
    assert found["errors"] == {}
    assert world.ledger("hourly") == before


def test_why_a_program_starts_cancels_and_retries_is_kept(admin: Program) -> None:
    started = [
        admin.post("/schedules/daily/trigger", {"reason": "late feed"}),
        admin.post("/jobs/match-scores/run", {"reason": "new scores"}),
        admin.post("/groups/matching/run", {"reason": "new rules"}),
        admin.post("/jobs/run", {"reason": "new disk"}),
    ]
    places = [each["occurrence"] for each in started]
    reasons = [admin.get(place)["occurrence"]["reason"] for place in places]
    assert reasons == ["late feed", "new scores", "new rules", "new disk"]
    cancelled = admin.post("/runs/1/cancel", {"reason": "wrong day"})
    assert cancelled["reason"] == "cancelled by token:deployer: wrong day"
    again = admin.post("/runs/1/retry", {"reason": "right day"})
    assert again["reason"] == "put back by token:deployer: right day"
    admin.post("/occurrences/2/cancel", {"reason": "too early"})
    admin.post("/occurrences/2/retry", {"reason": "in time"})
    audited = [entry["reason"] for entry in admin.get("/audit")["items"]][:8]
    assert audited == ["in time", "too early", "right day", "wrong day", *reasons[::-1]]


@pytest.mark.parametrize("reason", ["", "x" * 501, "nul\x00", 7])
def test_a_reason_has_bounds(admin: Program, reason: object) -> None:
    admin.refused(422, "POST", "/schedules/daily/trigger", {"reason": reason})
