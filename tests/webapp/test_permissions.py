"""Deny by default, and what follows from it. Each route is walked in test_every_route.py."""

from flask import Flask

from tests.webapp.visitor import Visitor, location


def test_a_route_that_is_in_no_table_is_closed_to_everyone(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert Visitor(app).log_in("ada").get("/forgotten").status_code == 403


def test_a_viewer_sees_no_button_that_acts(vic: Visitor) -> None:
    page = vic.page("/schedules") + vic.page("/schedules/daily") + vic.page("/jobs")
    assert "Run now" not in page
    assert 'role="switch"' not in page
    head = vic.page("/schedules/daily").partition('<div class="head-actions">')[2]
    assert head.partition("</div>")[0].count("Off") == 1


def test_a_fragment_asks_the_whole_page_to_log_in(stranger: Visitor) -> None:
    response = stranger.get("/schedules", HX_Request="true")
    assert response.headers["HX-Redirect"] == "/login"
    assert response.text == ""


def test_login_returns_to_the_page_that_was_asked_for(stranger: Visitor) -> None:
    shown = "https://tick.example/runs/7?level=error#log-title"
    asked = stranger.get("/runs/7", HX_Request="true", HX_Current_URL=shown)
    assert asked.headers["HX-Redirect"] == "/login?next=/runs/7?level%3Derror"
    foreign = stranger.get("/runs/7", HX_Request="true", HX_Current_URL="https://a//evil.example")
    assert location(stranger.log_in("ada", next="//evil.example").answer) == "/"
    assert foreign.headers["HX-Redirect"] == "/login?next=//evil.example"


def test_the_page_that_was_asked_for_comes_after_the_login(stranger: Visitor) -> None:
    assert location(stranger.get("/runs?status=FAILED")) == "/login?next=/runs?status%3DFAILED"
