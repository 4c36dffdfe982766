"""Requests on a condition: not what is known already, and not what somebody changed meanwhile."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.api.client import OPERATIONS, Program, described_operation
from tick.models import audit_entry

ACTIONS = {
    "enable": {},
    "disable": {"reason": "moved"},
    "pause": {"reason": "year end"},
    "resume": {},
}


def test_what_is_known_already_is_not_sent_again(viewer: Program) -> None:
    for path in ("/schedules", "/schedules/daily", "/jobs", "/jobs/match-scores", "/queues"):
        first = viewer.ask("GET", path)
        again = viewer.ask("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b""), path
        assert again.headers["ETag"] == first.headers["ETag"]


def test_what_changed_is_sent(admin: Program) -> None:
    tag = admin.ask("GET", "/schedules/daily").headers["ETag"]
    admin.post("/schedules/daily/enable")
    response = admin.ask("GET", "/schedules/daily", headers={"If-None-Match": tag})
    assert response.status_code == 200
    assert response.get_json()["schedule"]["enabled"] is True


@pytest.mark.parametrize("action", ACTIONS)
def test_of_two_people_the_second_learns_of_the_first(
    world: World, admin: Program, action: str
) -> None:
    tag = admin.ask("GET", "/schedules/daily").headers["ETag"]
    world.enable()
    if action == "resume":
        admin.post("/schedules/daily/pause", {"reason": "year end"})
    before = world.schedule()
    problem = admin.refused(
        412, "POST", f"/schedules/daily/{action}", ACTIONS[action], headers={"If-Match": tag}
    )
    assert "daily was changed since you read it: it is on by tester" in problem.detail
    assert world.schedule() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_whoever_read_the_present_state_may_act(world: World, admin: Program, action: str) -> None:
    if action == "resume":
        admin.post("/schedules/daily/pause", {"reason": "year end"})
    tag = admin.ask("GET", "/schedules/daily").headers["ETag"]
    changed = admin.post(f"/schedules/daily/{action}", ACTIONS[action], If_Match=tag)
    # The revision alone does as well as the tag.
    admin.post("/schedules/daily/enable", If_Match=f'"{changed["revision"]}"')
    admin.post("/schedules/daily/disable", If_Match="*")


def test_a_firing_does_not_change_the_revision(world: World, admin: Program) -> None:
    world.enable()
    tag = admin.ask("GET", "/schedules/daily").headers["ETag"]
    admin.post("/schedules/daily/trigger")
    admin.post("/schedules/daily/pause", {"reason": "year end"}, If_Match=tag)


def test_a_deploy_changes_the_revision(world: World, admin: Program) -> None:
    tag = admin.ask("GET", "/schedules/hourly").headers["ETag"]
    schedule = next(each for each in world.schedules if each.id == "hourly")
    world.define(replace(schedule, cron="30 * * * *"))
    admin.refused(412, "POST", "/schedules/hourly/enable", {}, headers={"If-Match": tag})


def test_a_condition_on_what_is_not_there_is_404(admin: Program) -> None:
    headers = {"If-Match": '"anything"'}
    admin.refused(404, "POST", "/schedules/nowhere/enable", {}, headers=headers)
    admin.refused(400, "POST", "/schedules/daily/enable", {}, headers={"If-Match": '"a", "b"'})
    admin.refused(400, "POST", "/schedules/daily/enable", {}, headers={"If-Match": '"'})


def test_a_refused_condition_leaves_no_trace(world: World, admin: Program) -> None:
    before = len(world.rows(sa.select(audit_entry.c.id)))
    admin.refused(412, "POST", "/schedules/daily/enable", {}, headers={"If-Match": '"stale"'})
    assert len(world.rows(sa.select(audit_entry.c.id))) == before


def test_the_document_tells_of_both(world: World) -> None:
    for name, operation in OPERATIONS.items():
        described = described_operation(name)
        assert ("304" in described["responses"]) is (operation.method == "GET"), name
        named = [parameter["name"] for parameter in described["parameters"]]
        assert ("If-Match" in named) is operation.may_be_stale is ("412" in described["responses"])


@pytest.mark.parametrize("tag", ['""', 'W/"1"', '"", W/"1"'])
def test_a_weak_or_empty_tag_matches_nothing(admin: Program, tag: str) -> None:
    admin.refused(412, "POST", "/schedules/daily/enable", {}, headers={"If-Match": tag})
