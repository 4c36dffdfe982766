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


def test_a_fragment_asks_the_whole_page_to_log_in(stranger: Visitor) -> None:
    response = stranger.get("/schedules", HX_Request="true")
    assert response.headers["HX-Redirect"] == "/login"
    assert response.text == ""


def test_the_page_that_was_asked_for_comes_after_the_login(stranger: Visitor) -> None:
    assert location(stranger.get("/runs?status=FAILED")) == "/login?next=/runs?status%3DFAILED"
