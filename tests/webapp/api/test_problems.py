"""Every error is a problem document that says what to do next, and gives nothing away."""

import logging

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.support.factories import World
from tests.webapp.api.client import Program
from tests.webapp.scenes import SETTINGS
from tick.errors import DefinitionsInvalid
from tick.ops.queries import runs
from tick.runtime import Runtime
from webapp import create_app


def test_401_says_how_to_authenticate(nobody: Program, expired: Program) -> None:
    response = nobody.ask("GET", "/runs")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tick"'
    assert "tick token create" in response.get_json()["detail"]
    response = expired.ask("GET", "/runs")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tick", error="invalid_token"'


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Basic YTpi", "Bearer é", "bearer \x7f", "Bearer tick_ tick_", "tick_x"],
)
def test_odd_authorization_is_401(nobody: Program, authorization: str) -> None:
    nobody.refused(401, "GET", "/runs", headers={"Authorization": authorization})


def test_a_refused_token_is_not_in_the_log(
    nobody: Program, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        nobody.refused(401, "GET", "/runs", headers={"Authorization": "Bearer tick_secret"})
    assert "a token was refused" in caplog.text
    assert "tick_secret" not in caplog.text


def test_404_and_405_are_problems_too(admin: Program) -> None:
    assert "nothing here" in admin.refused(404, "GET", "/nowhere").detail
    assert "nothing here" in admin.refused(404, "GET", "/runs/0").detail
    response = admin.ask("DELETE", "/runs")
    assert (response.status_code, "GET" in response.headers["Allow"]) == (405, True)


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("status=DONE", "query.status"),
        ("before=0", "query.before"),
        ("before=x", "query.before"),
        (f"before={2**63}", "query.before"),
        ("job=", "query.job"),
        ("surprise=1", "query.surprise"),
        ("job=a&job=b", "query.job"),
    ],
)
def test_a_query_that_does_not_fit_is_422(viewer: Program, query: str, where: str) -> None:
    problem = viewer.refused(422, "GET", f"/runs?{query}")
    assert [mistake.where for mistake in problem.mistakes] == [where]


def test_a_nul_is_400(viewer: Program) -> None:
    assert "NUL" in viewer.refused(400, "GET", "/runs?job=%00").detail
    assert "NUL" in viewer.refused(400, "GET", "/schedules/%00").detail


@pytest.mark.parametrize("body", ["{", '{"a": "\\ud800"}', "\udcff", "[" * 5000, "{}x"])
def test_a_body_that_is_not_json_is_400(admin: Program, body: str) -> None:
    problem = admin.refused(
        400,
        "POST",
        "/schedules/daily/trigger",
        data=body.encode("utf-8", "surrogateescape"),
        content_type="application/json",
    )
    assert "not JSON" in problem.detail


@pytest.mark.parametrize("body", ["[]", "null", "1", '{"surprise": 1}', '{"override_overlap": 1}'])
def test_json_that_does_not_fit_is_422(admin: Program, body: str) -> None:
    admin.refused(
        422, "POST", "/schedules/daily/trigger", data=body, content_type="application/json"
    )


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_only_json_is_taken(admin: Program, content_type: str) -> None:
    admin.refused(415, "POST", "/schedules/daily/trigger", data="a=1", content_type=content_type)


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_over_64_kib_is_413(admin: Program, content_type: str) -> None:
    admin.refused(
        413,
        "POST",
        "/schedules/daily/trigger",
        data=b" " * (64 * 1024 + 1),
        content_type=content_type,
    )


def test_a_token_that_writes_too_often_is_429_and_still_reads(world: World, admin: Program) -> None:
    settings = SETTINGS.model_copy(update={"actions_a_minute": 2})
    admin.client = create_app(Runtime(settings, world.database)).test_client(use_cookies=False)
    admin.post("/schedules/daily/enable")
    admin.post("/schedules/daily/disable")
    response = admin.ask("POST", "/schedules/daily/enable")
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    admin.get("/schedules")


def test_500_names_the_request_and_nothing_else(
    admin: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "list_runs", lambda *_, **__: 1 / 0)
    problem = admin.refused(500, "GET", "/runs", headers={"X-Request-ID": "abc12345-6789"})
    assert problem.request_id == "abc12345-6789"
    assert "ZeroDivision" not in problem.detail


@pytest.mark.parametrize(
    "kind", [sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError]
)
def test_a_database_that_is_away_is_503_with_a_time_to_wait(
    admin: Program, monkeypatch: pytest.MonkeyPatch, kind: type[sa.exc.DBAPIError]
) -> None:
    def away(*_: object, **__: object) -> None:
        raise kind("SELECT secret", {}, Exception("host db.internal is down"))

    monkeypatch.setattr(runs, "list_runs", away)
    response = admin.ask("GET", "/runs")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert "secret" not in response.text and "internal" not in response.text


def test_definitions_with_mistakes_are_503(world: World, admin: Program) -> None:
    class Broken(Runtime):
        @property
        def registry(self) -> None:  # type: ignore[override]
            raise DefinitionsInvalid(["jobs.py:1: a mistake"])

    app: Flask = create_app(Broken(world.settings, world.database))
    program = Program(app)
    program.headers = admin.headers
    assert "tick check" in program.refused(503, "GET", "/jobs").detail
    assert program.ask("GET", "/schedules").status_code == 200
