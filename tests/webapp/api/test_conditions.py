"""Requests on a condition: not what is known already, and not what somebody changed meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.api.client import Program, described_operation
from tick.interface.table import OPERATIONS
from tick.store.tables import audit_entry

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


@dataclass(frozen=True)
class Shared:
    """What two people may have before them: where its revision stands, and how each changes it."""

    make: tuple[str, dict[str, str]]
    revision: Callable[[Program], str]
    first: tuple[str, dict[str, str]]
    second: tuple[str, dict[str, str]]
    said: str


def revision_in(path: str, name: str) -> Callable[[Program], str]:
    """The revision of an item of a list, by its name or id."""

    def read(program: Program) -> str:
        items = program.get(path)["items"]
        return str(next(each for each in items if name in map(str, each.values()))["revision"])

    return read


def revision_of_the_scheduler(program: Program) -> str:
    return str(program.get("/scheduler/status")["revision"])


WINDOW = {"starts_at": "2098-12-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z", "reason": "move"}
SOON = {"reason": "noise", "until": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
SHARED = {
    "a queue": Shared(
        ("/queues/media/pause", {"reason": "disk full"}),
        revision_in("/queues", "media"),
        ("/queues/media/resume", {}),
        ("/queues/media/pause", {"reason": "disk replaced"}),
        "it is not paused",
    ),
    "a paused queue": Shared(
        ("/queues/default/pause", {"reason": "disk full"}),
        revision_in("/queues", "default"),
        ("/queues/default/resume", {}),
        ("/queues/default/resume", {}),
        "it is not paused",
    ),
    "the scheduler": Shared(
        ("/jobs/run", {}),
        revision_of_the_scheduler,
        ("/scheduler/stop", {"reason": "year end"}),
        ("/scheduler/stop", {"reason": "a move"}),
        "stopped by token:deployer: year end",
    ),
    "the scheduler at rest": Shared(
        ("/scheduler/stop", {"reason": "year end"}),
        revision_of_the_scheduler,
        ("/scheduler/start", {}),
        ("/scheduler/start", {}),
        "it is not stopped",
    ),
    "a maintenance window": Shared(
        ("/windows", WINDOW),
        revision_in("/windows", "move"),
        ("/windows/1/end", {}),
        ("/windows/1/end", {}),
        "token:deployer ended it",
    ),
    "a mute": Shared(
        ("/mutes", SOON),
        revision_in("/mutes", "noise"),
        ("/mutes/1/end", {}),
        ("/mutes/1/end", {}),
        "token:deployer ended it",
    ),
}


def act(program: Program, what: tuple[str, dict[str, str]], **headers: str) -> None:
    status = program.ask("POST", *what, headers=headers).status_code
    assert status in (200, 201, 202), what


@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
def test_of_two_people_with_one_thing_the_second_learns_of_the_first(
    world: World, admin: Program, shared: Shared
) -> None:
    act(admin, shared.make)
    both_read = shared.revision(admin)
    act(admin, shared.first, **{"If-Match": f'"{both_read}"'})
    before = len(world.rows(sa.select(audit_entry.c.id)))
    problem = admin.refused(412, "POST", *shared.second, headers={"If-Match": f'"{both_read}"'})
    assert shared.said in problem.detail
    assert problem.detail.endswith("Read it again, then decide.")
    assert len(world.rows(sa.select(audit_entry.c.id))) == before
    act(admin, shared.second)


def test_a_stale_revision_cannot_resume_a_queue_paused_since(
    admin: Program,
) -> None:
    admin.post("/queues/media/pause", {"reason": "disk full"})
    read = revision_in("/queues", "media")(admin)
    admin.post("/queues/media/resume")
    admin.post("/queues/media/pause", {"reason": "licence"})
    problem = admin.refused(
        412, "POST", "/queues/media/resume", {}, headers={"If-Match": f'"{read}"'}
    )
    assert "it is paused by token:deployer: licence" in problem.detail


def test_a_scheduler_that_was_stopped_and_started_is_not_as_it_was_read(
    world: World, admin: Program
) -> None:
    read = revision_of_the_scheduler(admin)
    admin.post("/scheduler/stop", {"reason": "year end"})
    admin.post("/scheduler/start")
    problem = admin.refused(
        412, "POST", "/scheduler/stop", {"reason": "a move"}, headers={"If-Match": f'"{read}"'}
    )
    assert "it is not stopped" in problem.detail
    # A window that somebody plans is none of the scheduler's stops.
    read = revision_of_the_scheduler(admin)
    act(admin, ("/windows", WINDOW))
    assert revision_of_the_scheduler(admin) == read


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
        assert (
            ("If-Match" in named) is operation.takes_revision is ("412" in described["responses"])
        )


@pytest.mark.parametrize("tag", ['""', 'W/"1"', '"", W/"1"'])
def test_a_weak_or_empty_tag_matches_nothing(admin: Program, tag: str) -> None:
    admin.refused(412, "POST", "/schedules/daily/enable", {}, headers={"If-Match": tag})
