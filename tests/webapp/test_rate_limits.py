"""Nobody acts or guesses faster than the settings allow, over all web workers."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.factories import World
from tests.webapp.scenes import PASSWORD, SETTINGS
from tests.webapp.visitor import Visitor
from tick.ops.access.login_attempts import FREE_ATTEMPTS, STRANGERS_A_MINUTE
from tick.runtime import Runtime
from webapp import create_app


def console(world: World, **settings: Any) -> Flask:
    return create_app(Runtime(SETTINGS.model_copy(update=settings), world.database))


def test_a_person_who_acts_too_fast_waits_whichever_web_worker_serves(world: World) -> None:
    workers = [Visitor(console(world, actions_a_minute=3)).log_in("ada") for _ in range(2)]
    statuses = [workers[number % 2].post("/schedules/daily/run").status_code for number in range(3)]
    assert statuses == [303, 303, 303]
    refused = workers[1].post("/schedules/daily/run")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert "too fast" in refused.text
    assert workers[1].get("/schedules").status_code == 200


def test_a_viewer_has_a_pace_too_and_may_always_leave(world: World) -> None:
    vic = Visitor(console(world, actions_a_minute=2)).log_in("vic")
    made = [vic.post("/upcoming/feed").status_code for _ in range(3)]
    assert made == [200, 200, 429]
    assert vic.post("/logout").status_code == 303


def test_what_is_refused_anyway_costs_nothing(world: World) -> None:
    app = console(world, actions_a_minute=1)
    vic, ada = Visitor(app).log_in("vic"), Visitor(app).log_in("ada")
    assert [vic.post("/schedules/daily/run").status_code for _ in range(3)] == [403, 403, 403]
    assert ada.post("/schedules/daily/run").status_code == 303


def test_an_address_that_tries_many_names_waits_unread(world: World, compared: list[str]) -> None:
    visitor = Visitor(console(world, logins_a_minute=3))
    visitor.get("/login")
    for number in range(3):
        assert visitor.post("/login", name=f"n{number}", password="a guess").status_code == 401
    refused = visitor.post("/login", name="ada", password="a guess")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "20")
    assert "too many attempts from your address" in refused.text
    assert len(compared) == 3


def attempt(client: FlaskClient, address: str) -> int:
    """A login without a form's token is refused before it is counted; so take one first."""
    page = client.get("/login", environ_overrides={"REMOTE_ADDR": address}).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "name": "nobody", "password": "a guess"}
    where = {"REMOTE_ADDR": address}
    return client.post("/login", data=form, environ_overrides=where).status_code


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("", "", True),
    ],
)
def test_an_address_is_a_house(world: World, first: str, second: str, shared: bool) -> None:
    client = console(world, logins_a_minute=1).test_client()
    assert attempt(client, first) == 401
    assert attempt(client, second) == (429 if shared else 401)


@pytest.fixture
def still(world: World, now: datetime, monkeypatch: pytest.MonkeyPatch) -> World:
    """The system at one instant: no turn comes back while a slow machine works."""
    monkeypatch.setattr(Runtime, "now", lambda _: now)
    return world


def try_as_ada(client: FlaskClient, address: str, password: str, **headers: str) -> int:
    """A login from an address."""
    where = {"REMOTE_ADDR": address}
    page = client.get("/login", environ_overrides=where, headers=headers).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "name": "Ada", "password": password}
    return client.post("/login", data=form, environ_overrides=where, headers=headers).status_code


def test_the_owner_gets_in_from_elsewhere_while_somebody_guesses(still: World) -> None:
    app = console(still)
    guesser = app.test_client()
    for _ in range(3 * FREE_ATTEMPTS):
        assert try_as_ada(guesser, "192.0.2.4", "a wrong guess") == 401
    assert try_as_ada(app.test_client(), "192.0.2.9", PASSWORD) == 303


def test_a_house_of_ipv6_addresses_guesses_as_one(still: World) -> None:
    app = console(still)
    for number in range(3 * FREE_ATTEMPTS):
        try_as_ada(app.test_client(), f"2001:db8:1:2::{number}", "a wrong guess")
    assert try_as_ada(app.test_client(), "2001:db8:1:2:3::9", PASSWORD) == 401
    assert try_as_ada(app.test_client(), "2001:db8:1:3::9", PASSWORD) == 303


def test_behind_a_proxy_it_is_the_visitors_address_that_counts(still: World) -> None:
    app = console(still, proxy_hops=1)
    for _ in range(3 * FREE_ATTEMPTS):
        try_as_ada(app.test_client(), "10.0.0.1", "a guess", **{"X-Forwarded-For": "192.0.2.4"})
    claimed = {"X-Forwarded-For": "198.51.100.7, 192.0.2.4"}  # the first is the guesser's word
    assert try_as_ada(app.test_client(), "10.0.0.1", PASSWORD, **claimed) == 401
    other = {"X-Forwarded-For": "192.0.2.9"}
    assert try_as_ada(app.test_client(), "10.0.0.1", PASSWORD, **other) == 303


def test_a_browser_that_has_signed_in_before_gets_in_though_many_guess(still: World) -> None:
    app = console(still, logins_a_minute=STRANGERS_A_MINUTE)
    mine = app.test_client()
    assert try_as_ada(mine, "192.0.2.200", PASSWORD) == 303
    mine.delete_cookie("tick")
    for number in range(STRANGERS_A_MINUTE):  # from everywhere, and from my own address
        try_as_ada(app.test_client(), f"192.0.2.{number}", "a wrong guess")
        try_as_ada(app.test_client(), "192.0.2.200", "a wrong guess")
    assert try_as_ada(app.test_client(), "198.51.100.1", PASSWORD) == 401
    assert try_as_ada(app.test_client(), "192.0.2.200", PASSWORD) == 429
    assert try_as_ada(mine, "192.0.2.200", PASSWORD) == 303


def test_forged_or_borrowed_device_cookies_are_ignored(
    still: World,
) -> None:
    app = console(still)
    made, others = app.test_client(), Visitor(app).log_in("vic").client
    made.set_cookie("tick-device", "eyJhZGEiOlsiYyIsMF19.Zm9yZ2Vk.c2lnbmF0dXJl")
    for number in range(STRANGERS_A_MINUTE):
        try_as_ada(app.test_client(), f"192.0.2.{number}", "a wrong guess")
    others.delete_cookie("tick")
    for client in (made, others):
        assert try_as_ada(client, "198.51.100.1", PASSWORD) == 401
