"""What the API proves and foresees: verify, plan, backfill, upcoming."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask

from tests.support.factories import World, a_job, a_schedule
from tests.webapp.api.client import Program
from tick.store.tables import schedule_version
from webapp import create_app


def test_the_ledger_is_proven(world: World, viewer: Program) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=3))
    proof = viewer.get("/verify")
    assert (proof["ok"], proof["violations"]) == (True, [])
    assert proof["schedules"] == 2
    assert proof["instants"] > 0


def test_a_year_is_proven_in_parts_of_eight_days(world: World, viewer: Program) -> None:
    world.define(*world.schedules, a_schedule("once", at=world.now + timedelta(days=9)))
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=3))
    since = (world.now - timedelta(days=365)).replace(microsecond=0)
    with world.database.write.begin() as connection:
        known = sa.update(schedule_version).where(schedule_version.c.schedule_id == "once")
        connection.execute(known.values(since=since))
    part = viewer.get(f"/verify?since={since:%Y-%m-%dT%H:%M:%SZ}")
    reached, parts, instants = since, 0, 0
    while True:
        begins, ends = (datetime.fromisoformat(part[name]) for name in ("start", "end"))
        assert (part["ok"], begins) == (True, reached)
        assert ends - begins <= timedelta(days=8)
        reached, parts, instants = ends, parts + 1, instants + part["instants"]
        if part["next"] is None:
            break
        part = viewer.get(part["next"])
    assert (parts, reached >= world.now) == (46, True)
    assert instants == 3


def test_a_proof_of_a_time_that_ends_before_it_begins_is_refused(viewer: Program) -> None:
    query = "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z"
    (mistake,) = viewer.refused(422, "GET", f"/verify?{query}").mistakes
    assert (mistake.where, mistake.problem) == (
        "query.since",
        "lies after `until`, or is yet to come",
    )


def test_a_plan_says_what_a_sync_would_change(world: World, app: Flask, viewer: Program) -> None:
    assert viewer.get("/plan")["changes_nothing"] is True
    world.jobs = (*world.jobs, a_job("new-job"))
    world.schedules = world.schedules[:1]
    elsewhere = Program(create_app(world.runtime), viewer.headers["Authorization"].split()[1])
    plan = elsewhere.get("/plan")
    assert plan["changes_nothing"] is False
    assert "hourly" in {change["schedule_id"] for change in plan["changes"]}


def test_a_backfill_is_looked_at_and_then_run(world: World, admin: Program) -> None:
    world.enable("hourly")
    world.tick(world.now + timedelta(hours=3))
    since = world.now - timedelta(days=1)
    query = f"since={since:%Y-%m-%dT%H:%M:%SZ}&until={world.now:%Y-%m-%dT%H:%M:%SZ}"
    plan = admin.get(f"/schedules/hourly/backfill?{query}")
    assert len(plan["wanted"]) > 20
    started = admin.post("/schedules/hourly/slots", {"scheduled_for": plan["wanted"]})
    assert len(started["occurrence_ids"]) == len(plan["wanted"])
    again = admin.get(f"/schedules/hourly/backfill?{query}")
    assert (again["wanted"], again["done"]) == ([], plan["done"] + len(plan["wanted"]))
    admin.refused(404, "GET", f"/schedules/nowhere/backfill?{query}")
    long_ago = "/schedules/hourly/backfill?since=2000-01-01T00:00:00Z"
    assert "narrow it" in admin.refused(422, "GET", long_ago).mistakes[0].problem


def test_what_is_off_comes_into_the_list_on_demand(viewer: Program) -> None:
    assert viewer.get("/scheduler/upcoming")["items"] == []
    items = viewer.get("/scheduler/upcoming?with_off=true&count=3")["items"]
    assert [item["fires"] for item in items] == [False] * 3


def test_a_job_is_read_alone(admin: Program) -> None:
    admin.post("/jobs/match-scores/run", {})
    job = admin.get("/jobs/match-scores")
    assert job["depends_on"] == ["content-features"]
    assert job["latest_run"]["status"] == "QUEUED"
    assert "`tick jobs`" in admin.refused(404, "GET", "/jobs/nothing").detail


def test_a_schedule_tells_how_many_instants_passed_while_it_was_off(
    world: World, viewer: Program
) -> None:
    assert viewer.get("/schedules/hourly")["undecided"] >= 8
    world.enable("hourly")
    assert viewer.get("/schedules/hourly")["undecided"] == 0
