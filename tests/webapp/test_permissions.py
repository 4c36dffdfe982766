"""Deny by default: every route is in the table, and the table is what happens."""

from flask import Flask

from tests.webapp.visitor import Visitor, location
from tick.states import Role
from webapp.permissions import API, NEEDED, PUBLIC

PLACES = {
    "audit.index": "/audit",
    "auth.leave": "/logout",
    "jobs.index": "/jobs",
    "jobs.run": "/jobs/match-scores/run",
    "jobs.run_all": "/jobs/run",
    "jobs.run_group": "/groups/matching/run",
    "occurrences.confirm_retry": "/occurrences/1/retry",
    "occurrences.retry": "/occurrences/1/retry",
    "occurrences.show": "/occurrences/1",
    "overview.index": "/",
    "runs.cancel": "/runs/1/cancel",
    "runs.index": "/runs",
    "runs.log": "/runs/1/log.txt",
    "runs.retry": "/runs/1/retry",
    "runs.show": "/runs/1",
    "runs.tail": "/runs/1/tail",
    "schedules.confirm_disable": "/schedules/daily/disable",
    "schedules.confirm_enable": "/schedules/daily/enable",
    "schedules.confirm_pause": "/schedules/daily/pause",
    "schedules.confirm_resume": "/schedules/daily/resume",
    "schedules.disable": "/schedules/daily/disable",
    "schedules.enable": "/schedules/daily/enable",
    "schedules.index": "/schedules",
    "schedules.pause": "/schedules/daily/pause",
    "schedules.resume": "/schedules/daily/resume",
    "schedules.run": "/schedules/daily/run",
    "schedules.run_slots": "/schedules/daily/slots",
    "schedules.show": "/schedules/daily",
    "upcoming.feed": "/upcoming.ics",
    "upcoming.index": "/upcoming",
    "users.index": "/users",
    "users.set_active": "/users/active",
    "users.set_role": "/users/role",
    "workers.confirm_drain": "/workers/c0ffee/drain",
    "workers.confirm_pause_queue": "/queues/default/pause",
    "workers.drain": "/workers/c0ffee/drain",
    "workers.index": "/workers",
    "workers.pause_queue": "/queues/default/pause",
    "workers.resume_queue": "/queues/default/resume",
}


def _ask(visitor: Visitor, app: Flask, endpoint: str) -> int:
    rule = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)
    if "GET" in (rule.methods or ()):
        return visitor.get(PLACES[endpoint]).status_code
    return visitor.post(PLACES[endpoint]).status_code


def test_every_route_is_in_the_table(app: Flask) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert routes == PUBLIC | NEEDED.keys() | API.keys()
    assert set(PLACES) == set(NEEDED)


def test_a_route_that_is_in_no_table_is_closed_to_everyone(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert Visitor(app).log_in("ada").get("/forgotten").status_code == 403


def test_a_stranger_is_asked_to_log_in_everywhere(app: Flask, stranger: Visitor) -> None:
    stranger.get("/login")
    answers = {endpoint: _ask(stranger, app, endpoint) for endpoint in NEEDED}
    assert answers == dict.fromkeys(NEEDED, 303)


def test_a_viewer_may_not_act(app: Flask, vic: Visitor) -> None:
    closed = [endpoint for endpoint, role in NEEDED.items() if role is Role.ADMIN]
    answers = {endpoint: _ask(vic, app, endpoint) for endpoint in closed}
    assert answers == dict.fromkeys(closed, 403)


def test_a_viewer_may_look_everywhere_else(app: Flask, vic: Visitor, failed_run: int) -> None:
    for endpoint, role in NEEDED.items():
        if role is Role.VIEWER and endpoint != "auth.leave":
            assert _ask(vic, app, endpoint) in (200, 204, 303), endpoint


def test_a_viewer_sees_no_button_that_acts(vic: Visitor) -> None:
    page = vic.page("/schedules") + vic.page("/schedules/daily") + vic.page("/jobs")
    assert "Run now" not in page
    assert 'role="switch"' not in page


def test_a_fragment_asks_the_whole_page_to_log_in(stranger: Visitor) -> None:
    response = stranger.get("/schedules", HX_Request="true")
    assert response.headers["HX-Redirect"] == "/login"
    assert response.text == ""


def test_the_page_that_was_asked_for_comes_after_the_login(stranger: Visitor) -> None:
    assert location(stranger.get("/runs?status=FAILED")) == "/login?next=/runs?status%3DFAILED"
