"""The console below a path of its host: behind a proxy that strips it, by SCRIPT_NAME, mounted."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

from tests.support.factories import World
from tests.webapp.api.conftest import make_token
from tests.webapp.scenes import PASSWORD, SETTINGS
from tests.webapp.stripping import PREFIX, StrippingProxy
from tests.webapp.test_every_route import routes
from tick.runtime import Runtime
from tick.states import Role
from webapp import create_app
from webapp.access.permissions import NEEDED

ADDRESS = re.compile(r'(?:href|action|src|formaction|hx-get|hx-post|data-stream)="(/[^"#]*)')
HOSTILE = [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    '/"><script>alert(1)</script>',
    "/..",
    "/a/../b",
    "/a b",
    "/a\r\nX: y",
    "ops",
    "/" + "a" * 300,
]


def by_script_name(app: Flask) -> Any:
    """As gunicorn does with SCRIPT_NAME in its environment."""

    def served(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"].removeprefix(PREFIX)
        return app(environ | {"SCRIPT_NAME": PREFIX, "PATH_INFO": path}, start_response)

    return served


def mounted(app: Flask) -> Any:
    """In somebody's own application."""
    return DispatcherMiddleware(Flask("somebody_else"), {PREFIX: app})


@pytest.fixture(params=[StrippingProxy, by_script_name, mounted], ids=lambda way: way.__name__)
def below(world: World, request: pytest.FixtureRequest) -> "Browser":
    """Ada, who has signed in below the path."""
    settings = SETTINGS.model_copy(update={"proxy_hops": 1, "actions_a_minute": 10_000})
    app = create_app(Runtime(settings, world.database))
    browser = Browser(app, request.param)
    browser.post("/login", name="ada", password=PASSWORD)
    return browser


class Browser:
    """A client that knows the console only below its path."""

    def __init__(self, app: Flask, way: Callable[[Flask], Any]) -> None:
        self.app, self.client, self.token = app, Client(way(app)), ""

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for a page."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.get(f"{PREFIX}{path}", headers=named)
        found = re.search(r'name="csrf_token" value="([^"]+)"', response.get_data(as_text=True))
        self.token = found[1] if found else self.token
        return response

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form."""
        for form in ("/login", "/account"):  # the one that somebody outside has, or inside
            self.get(form)
        return self.client.post(f"{PREFIX}{path}", data={"csrf_token": self.token, **fields})


def test_every_address_in_every_page_lies_below_the_path(below: Browser, world: World) -> None:
    below.get("/schedules")
    below.post("/schedules/daily/run")
    for endpoint, method, path in routes(below.app, NEEDED):
        if method != "GET" or endpoint in ("audit.export", "logs.stream"):
            continue
        response = below.get(path)
        led_to = [response.headers["Location"]] if "Location" in response.headers else []
        for address in [*ADDRESS.findall(response.get_data(as_text=True)), *led_to]:
            assert address == PREFIX or address.startswith(f"{PREFIX}/"), (path, address)


def test_whoever_signs_in_comes_to_the_page_that_was_asked_for(below: Browser) -> None:
    below.post("/logout")
    asked = below.get("/runs?status=FAILED")
    assert asked.headers["Location"] == f"{PREFIX}/login?next={PREFIX}/runs?status%3DFAILED"
    at = f"https://tick.example{PREFIX}/runs/7"
    polled = below.get("/runs/7", HX_Request="true", HX_Current_URL=at)
    assert polled.headers["HX-Redirect"] == f"{PREFIX}/login?next={PREFIX}/runs/7"
    target = f"{PREFIX}/runs?status=FAILED"
    led = below.post("/login", name="ada", password=PASSWORD, next=target)
    assert (led.status_code, led.headers["Location"]) == (303, target)


def test_keys_and_live_regions_lead_below_the_path(below: Browser) -> None:
    page = below.get("/runs?status=FAILED").get_data(as_text=True)
    assert f'data-root="{PREFIX}"' in page
    assert f'hx-get="{PREFIX}/runs?status=FAILED"' in page


def test_cookies_are_sent_to_this_console_alone(below: Browser) -> None:
    below.post("/logout")
    led = below.post("/login", name="ada", password=PASSWORD)
    zone = below.post("/zone", zone="utc")
    cookies = [*led.headers.getlist("Set-Cookie"), *zone.headers.getlist("Set-Cookie")]
    assert len(cookies) >= 3
    assert all(f"Path={PREFIX}" in cookie.split("; ") for cookie in cookies), cookies


def test_programs_and_calendars_find_the_path_in_what_they_get(
    below: Browser, world: World
) -> None:
    text = make_token(world, "deployer", Role.ADMIN, world.now)
    headers = {"Authorization": f"Bearer {text}"}
    root = f"{PREFIX}/api/admin"
    made = below.client.post(f"{root}/schedules/daily/trigger", json={}, headers=headers)
    assert made.get_json()["occurrence"].startswith(f"{root}/occurrences/")
    document = below.client.get(f"{root}/openapi.json").get_json()
    assert document["servers"] == [{"url": PREFIX}]
    for _ in range(60):
        below.client.post(f"{root}/jobs/compatibility/run", json={}, headers=headers)
    listed = below.client.get(f"{root}/runs", headers=headers).get_json()
    assert listed["next"].startswith(f"{root}/runs?before=")
    world.enable("hourly")
    calendar = below.get("/upcoming.ics").get_data(as_text=True)
    assert f"http://localhost{PREFIX}/schedules/hourly" in calendar.replace("\r\n ", "")


def test_a_secure_cookie_below_a_path_claims_no_whole_host(world: World) -> None:
    settings = SETTINGS.model_copy(update={"proxy_hops": 1, "cookie_secure": True})
    browser = Browser(create_app(Runtime(settings, world.database)), StrippingProxy)
    (cookie,) = browser.get("/login").headers.getlist("Set-Cookie")
    assert cookie.startswith("__Secure-tick=")
    assert f"Path={PREFIX}" in cookie


@pytest.mark.parametrize("said", HOSTILE)
def test_a_hostile_prefix_is_passed_over(world: World, said: str) -> None:
    settings = SETTINGS.model_copy(update={"proxy_hops": 1})
    app = create_app(Runtime(settings, world.database))
    browser = Browser(app, lambda app: StrippingProxy(app, says=said))
    page = browser.get("/login").get_data(as_text=True)
    assert 'action="/login"' in page
    assert "evil.example" not in page and "<script>alert" not in page


def test_without_a_trusted_proxy_nobody_is_believed(world: World) -> None:
    app = create_app(Runtime(SETTINGS, world.database))
    page = Browser(app, StrippingProxy).get("/login").get_data(as_text=True)
    assert 'action="/login"' in page


def test_only_what_the_nearest_proxy_added_counts(world: World) -> None:
    settings = SETTINGS.model_copy(update={"proxy_hops": 1})
    app = create_app(Runtime(settings, world.database))
    browser = Browser(app, lambda app: StrippingProxy(app, says=f"/forged, {PREFIX}"))
    assert f'action="{PREFIX}/login"' in browser.get("/login").get_data(as_text=True)
