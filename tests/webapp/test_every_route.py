"""Every route by everybody: exactly what the table says, for whole pages and for fragments.

The routes are those of the application, so a new one is walked without a word here; only a new
name in a path needs a value.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.support.factories import TESTER, World
from tests.webapp.scenes import SETTINGS
from tests.webapp.visitor import Visitor
from tick.engine.ledger.audit import Act
from tick.interface.permissions import ROLES, Permission
from tick.interface.table import OPERATIONS
from tick.ops.access import tokens
from tick.runtime import Runtime
from tick.states import Role, TokenScope
from tick.store.tables import user_session
from webapp import create_app
from webapp.access.permissions import NEEDED, PUBLIC

VALUES: dict[str, Any] = {
    "backfill": 1,
    "backfill_id": 1,
    "day": "2026-03-01",
    "filename": "theme.css",
    "group": "matching",
    "job_name": "match-scores",
    "name": "match-scores",
    "number": 1,
    "occurrence_id": 1,
    "queue": "default",
    "run_id": 1,
    "schedule_id": "daily",
    "window_id": 1,
    "worker_id": "c0ffee",
}
OF_ROUTE = {"preferences.remember": {"name": "theme"}}
"""Where a name in a path stands for something else than usual."""
API = {f"api.{name}": operation.needs for name, operation in OPERATIONS.items()}
FRAGMENT = {"HX-Request": "true", "HX-Source": "main#page"}


@pytest.fixture
def app(world: World) -> Flask:
    """A console whose pace is no obstacle, and whose forms need no token of their page."""
    brisk = SETTINGS.model_copy(update={"actions_a_minute": 10_000})
    app = create_app(Runtime(brisk, world.database))
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def routes(app: Flask, table: Any) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and path of every route that the table names."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint in table:
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                    yield rule.endpoint, method, _path(rule)


def _path(rule: Rule) -> str:
    values = VALUES | OF_ROUTE.get(rule.endpoint, {})
    built = rule.build({name: values.get(name, "1") for name in rule.arguments})
    assert built is not None, f"give VALUES a value for each of {rule.arguments}"
    return built[1]


def walk(
    app: Flask, table: Any, client: FlaskClient, headers: dict[str, str]
) -> dict[tuple[str, str], str]:
    """What somebody is told at each route: `closed`, `log in`, `refused`, `broken` or `open`."""
    told = {}
    # Signing out comes last, or the rest would be walked by a stranger.
    for endpoint, method, path in sorted(routes(app, table), key=lambda one: one[2] == "/logout"):
        response = client.open(path, method=method, headers=headers)
        told[endpoint, method] = _word(response)
        response.close()
    return told


def _word(response: TestResponse) -> str:
    to_login = response.headers.get("Location") or response.headers.get("HX-Redirect") or ""
    if response.status_code in (200, 303) and to_login.startswith("/login"):
        return "log in"
    words = {401: "closed", 403: "refused", 500: "broken"}
    return words.get(response.status_code, "open")


def expected(app: Flask, table: dict[str, Permission], role: Role | None, otherwise: str) -> Any:
    """The same by the table, for somebody of that role; None is somebody without any."""
    words = {}
    for endpoint, method, _ in routes(app, table):
        may = role is not None and table[endpoint] in ROLES[role]
        words[endpoint, method] = "open" if may else "refused" if role else otherwise
    return words


def test_every_route_is_in_exactly_one_table(app: Flask) -> None:
    known = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert known == PUBLIC | NEEDED.keys() | API.keys()
    assert not PUBLIC & NEEDED.keys() and not (PUBLIC | NEEDED.keys()) & API.keys()


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "fragment"])
def test_a_stranger_is_asked_to_log_in_everywhere(app: Flask, headers: dict[str, str]) -> None:
    told = walk(app, NEEDED, app.test_client(), headers)
    assert told == expected(app, NEEDED, None, "log in")


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "fragment"])
def test_a_session_that_has_ended_is_a_stranger(
    app: Flask, world: World, headers: dict[str, str]
) -> None:
    client = Visitor(app).log_in("ada").client
    with world.database.write.begin() as connection:
        connection.execute(sa.update(user_session).values(created_at=world.now - timedelta(days=2)))
    assert walk(app, NEEDED, client, headers) == expected(app, NEEDED, None, "log in")


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "fragment"])
@pytest.mark.parametrize(("name", "role"), [("vic", Role.VIEWER), ("ada", Role.ADMIN)])
def test_somebody_inside_may_what_the_table_says(
    app: Flask, failed_run: int, name: str, role: Role, headers: dict[str, str]
) -> None:
    told = walk(app, NEEDED, Visitor(app).log_in(name).client, headers)
    told["auth.leave", "POST"] = "open"  # whoever leaves is led to the login page
    assert told == expected(app, NEEDED, role, "log in")


def token(world: World, role: Role, scope: TokenScope = TokenScope.API, days_ago: int = 0) -> Any:
    """The header of a token that lives for a day."""
    made_at = world.now - timedelta(days=days_ago)
    name = f"{role}-{scope}-{days_ago}".lower()
    _, text = tokens.create_token(
        world.database, Act(made_at, TESTER), name, role, days=1, scope=scope
    )
    return {"Authorization": f"Bearer {text}"}


def test_no_token_opens_a_page(app: Flask, world: World) -> None:
    for headers in (token(world, Role.ADMIN), token(world, Role.VIEWER, TokenScope.FEED)):
        told = walk(app, NEEDED, app.test_client(), headers)
        assert told == expected(app, NEEDED, None, "log in")


@pytest.mark.parametrize("role", Role)
def test_a_token_may_in_the_api_what_the_table_says(
    app: Flask, world: World, failed_run: int, role: Role
) -> None:
    told = walk(app, API, app.test_client(), token(world, role))
    assert told == expected(app, API, role, "closed")


@pytest.mark.parametrize("who", ["nobody", "expired", "feed", "metrics", "trigger", "session"])
def test_anything_else_is_closed_out_of_the_api(app: Flask, world: World, who: str) -> None:
    client = (Visitor(app).log_in("ada") if who == "session" else Visitor(app)).client
    headers = {
        "expired": lambda: token(world, Role.ADMIN, days_ago=2),
        "feed": lambda: token(world, Role.VIEWER, TokenScope.FEED),
        "metrics": lambda: token(world, Role.VIEWER, TokenScope.METRICS),
        "trigger": lambda: {"Authorization": "Bearer a trigger secret for tests"},
    }.get(who, dict)()
    assert walk(app, API, client, headers) == expected(app, API, None, "closed")


def test_what_is_public_asks_nobody_to_log_in(app: Flask) -> None:
    told = walk(app, PUBLIC - {"sign_in.finish"}, app.test_client(), {})
    assert set(told.values()) == {"open", "closed"}  # closed: those that have a secret of their own
    assert told["tick.fire", "POST"] == "closed"


def test_every_form_needs_the_token_of_its_page(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = Visitor(app).log_in("ada").client
    without_session = {"tick", "work", "api"}
    for endpoint, method, path in routes(app, PUBLIC | NEEDED.keys()):
        if method != "GET" and endpoint.partition(".")[0] not in without_session:
            assert client.open(path, method=method).status_code == 400, path
