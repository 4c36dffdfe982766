"""POST /internal/tick: what any minute trigger may rely on."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.support.factories import World
from tests.webapp.scenes import SETTINGS
from tick.runtime import Runtime
from tick.store.tables import tick_log
from webapp import create_app
from webapp.machines import tick
from webapp.machines.tick import _source, asked_seconds

SECRET = {"Authorization": "Bearer a trigger secret for tests"}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def _with(world: World, **settings: Any) -> FlaskClient:
    return create_app(Runtime(SETTINGS.model_copy(update=settings), world.database)).test_client()


def test_any_usual_method_ticks_without_cookie_token_or_redirect(
    world: World, client: FlaskClient
) -> None:
    for method in ("GET", "POST", "PUT"):
        for path in ("/internal/tick", "/internal/tick/"):
            response = client.open(path, method=method, headers=SECRET, data=b"\xff not json")
            assert response.status_code == 200, (method, path)
            assert response.json is not None
            assert response.json["more"] is False
            assert "Set-Cookie" not in response.headers
    assert len(world.rows(sa.select(tick_log))) == 6


def test_a_due_schedule_is_fired_and_listed(world: World, client: FlaskClient) -> None:
    world.enable("hourly")
    response = client.post("/internal/tick", headers=SECRET)
    assert response.json is not None
    decided = response.json["fired_count"] + response.json["not_fired_count"]
    assert decided >= 1
    again = client.post("/internal/tick", headers=SECRET).json
    assert again is not None
    assert again["fired_count"] + again["not_fired_count"] == 0


def test_the_clock_is_the_servers_own(world: World, client: FlaskClient) -> None:
    client.post("/internal/tick?now=2001-01-01T00:00:00Z", headers=SECRET, json={"now": "2001"})
    (row,) = world.rows(sa.select(tick_log))
    assert row.now >= world.now


def test_anything_but_the_secret_is_401(world: World, client: FlaskClient) -> None:
    assert client.post("/internal/tick").status_code == 401
    for authorization in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic a trigger secret for tests",
        "a trigger secret for tests",
        "Bearer a trigger secret for test",
        "Bearer a trigger secret for tests!",
        "Bearer schlüssel",
        "Bearer \xff\xfe",
    ):
        response = client.post("/internal/tick", headers={"Authorization": authorization})
        assert response.status_code == 401, authorization
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.json is not None
    assert world.rows(sa.select(tick_log)) == []


def test_two_secrets_are_valid_while_one_replaces_the_other(world: World) -> None:
    client = _with(
        world,
        trigger_secret=SecretStr("the new secret of two"),
        trigger_secret_previous=SecretStr("a trigger secret for tests"),
    )
    new = {"Authorization": "bearer the new secret of two"}
    assert client.post("/internal/tick", headers=SECRET).status_code == 200
    assert client.post("/internal/tick", headers=new).status_code == 200


def test_without_a_configured_secret_there_is_no_endpoint(world: World) -> None:
    client = _with(world, trigger_secret=None)
    assert client.post("/internal/tick", headers=SECRET).status_code == 404
    assert client.post("/internal/tick").status_code == 404


def test_a_login_does_not_open_it(ada: Any) -> None:
    assert ada.post("/internal/tick").status_code == 401


def test_a_body_beyond_64_kib_is_refused(client: FlaskClient) -> None:
    small, large = b"x" * 64 * 1024, b"x" * (64 * 1024 + 1)
    assert client.post("/internal/tick", headers=SECRET, data=small).status_code == 200
    assert client.post("/internal/tick", headers=SECRET, data=large).status_code == 413


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("", 1.5),
        ("?max_ms=200", 0.2),
        ("?max_ms=99999", 1.5),
        ("?max_ms=0", 1.5),
        ("?max_ms=-5", 1.5),
        ("?max_ms=1e3", 1.5),
        ("?max_ms=٣٣", 1.5),
    ],
)
def test_a_caller_may_ask_for_less_time_but_not_for_more(query: str, seconds: float) -> None:
    with Flask(__name__).test_request_context(f"/internal/tick{query}"):
        assert asked_seconds(SETTINGS.http_budget_seconds) == seconds


@pytest.mark.parametrize(
    ("agent", "source"),
    [
        ("Google-Cloud-Scheduler", "http Google-Cloud-Scheduler"),
        ("", "http unknown"),
        ("<script>alert(1)</script>\xe9", "http script alert 1 /script"),
        ("x" * 500, "http " + "x" * 60),
    ],
)
def test_the_caller_is_named_by_a_clean_short_label(agent: str, source: str) -> None:
    headers = {"User-Agent": agent}
    with Flask(__name__).test_request_context("/internal/tick", headers=headers):
        assert _source() == source


def test_the_log_of_ticks_names_the_caller(world: World, client: FlaskClient) -> None:
    client.post("/internal/tick", headers={**SECRET, "User-Agent": "Google-Cloud-Scheduler"})
    sources = [row.source for row in world.rows(sa.select(tick_log))]
    assert sources == ["http Google-Cloud-Scheduler"]


def test_an_unreachable_database_is_503_with_a_time_to_come_back(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    monkeypatch.setattr(tick, "run_tick", unreachable)
    response = client.post("/internal/tick", headers=SECRET)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "server closed" not in response.text


def test_an_error_of_ours_is_json_without_a_stack(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tick, "run_tick", lambda *_, **__: 1 / 0)
    response = client.post("/internal/tick", headers=SECRET)
    assert response.status_code == 500
    assert response.json is not None
    assert response.json["request_id"] == response.headers["X-Request-ID"]
    assert "ZeroDivisionError" not in response.text
