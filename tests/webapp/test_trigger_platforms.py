"""Every trigger platform's request, replayed: with what it was given it ticks, without it not."""

import base64
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from tests.support.factories import World
from tests.support.identity_provider import Key, Provider, run_provider
from tests.webapp.scenes import SETTINGS
from tick.cli import main
from tick.runtime import Runtime
from tick.store.tables import tick_log
from webapp import create_app

PLATFORMS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("platforms.toml").read_text()
)
CALLERS = [name for name, platform in PLATFORMS.items() if "method" in platform]
COMMANDS = [name for name, platform in PLATFORMS.items() if "command" in platform]
IDENTITIES = [name for name in CALLERS if "claims" in PLATFORMS[name]]
SECRET, AUDIENCE = "a trigger secret for tests", "https://tick.example/internal/tick"


@pytest.fixture(scope="module")
def key() -> Key:
    return Key("first")


@pytest.fixture
def issuer(key: Key) -> Iterator[Provider]:
    """The issuer of a platform's identities."""
    with run_provider(key) as provider:
        yield provider


@pytest.fixture
def client(world: World, issuer: Provider) -> FlaskClient:
    """A console that takes the secret, and the issuer's word for the platforms' identities."""
    claims = [PLATFORMS[name]["claims"] for name in IDENTITIES]
    changed = {
        "trigger_oidc_issuer": issuer.address,
        "trigger_oidc_audience": AUDIENCE,
        "trigger_oidc_subjects": tuple(one["sub"] for one in claims if "email" not in one),
        "trigger_oidc_emails": tuple(one["email"] for one in claims if "email" in one),
    }
    settings = SETTINGS.model_copy(update=changed)
    return create_app(Runtime(settings, world.database)).test_client()


def replay(client: FlaskClient, name: str, secret: str = SECRET, token: str = "") -> int:
    """The status that the platform's request ends with."""
    platform = PLATFORMS[name]
    basic = base64.b64encode(f"eventbridge:{secret}".encode()).decode()
    headers = {
        header: value.format(secret=secret, basic=basic, token=token)
        for header, value in platform["headers"].items()
    }
    body = platform.get("body", "")
    response = client.open("/internal/tick", method=platform["method"], headers=headers, data=body)
    assert "Set-Cookie" not in response.headers
    return response.status_code


def ticks(world: World) -> int:
    return len(world.rows(sa.select(tick_log)))


def sign(issuer: Provider, name: str, **changed: Any) -> str:
    """The platform's own token."""
    return issuer.sign(**{"aud": AUDIENCE, **PLATFORMS[name]["claims"], **changed})


@pytest.mark.parametrize("name", CALLERS)
def test_with_what_it_was_given_it_ticks(
    name: str, world: World, client: FlaskClient, issuer: Provider
) -> None:
    token = sign(issuer, name) if name in IDENTITIES else ""
    assert replay(client, name, token=token) == 200
    assert ticks(world) == 1


@pytest.mark.parametrize("name", CALLERS)
def test_its_labels_alone_prove_nothing(
    name: str, world: World, client: FlaskClient, issuer: Provider
) -> None:
    token = sign(issuer, name, aud="https://elsewhere.example") if name in IDENTITIES else ""
    assert replay(client, name, secret="a secret that is wrong", token=token) == 401
    assert ticks(world) == 0


@pytest.mark.parametrize("name", IDENTITIES)
def test_somebody_else_on_the_same_platform_may_not(
    name: str, world: World, client: FlaskClient, issuer: Provider
) -> None:
    stranger = sign(issuer, name, sub="somebody else", email="somebody@else.example")
    assert replay(client, name, token=stranger) == 403
    assert ticks(world) == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_where_a_command_is_started_there_is_one(name: str, world: World) -> None:
    url = world.database.url.render_as_string(hide_password=False)
    environment = {"TICK_DATABASE_URL": url, "TICK_DEFINITIONS": "tests.cli.team"}
    done = CliRunner().invoke(main, PLATFORMS[name]["command"], env=environment)
    assert done.exit_code == 0, done.output
