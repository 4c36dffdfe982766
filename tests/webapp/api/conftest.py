"""Programs in front of the small system of the console's tests: one reads, one acts."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.support.factories import TESTER, World
from tests.webapp.api.client import Program
from tick.engine.ledger.audit import Act
from tick.ops.access import tokens
from tick.states import Role
from tick.store.tables import alert


def make_token(world: World, name: str, role: Role, now: datetime, days: int = 30) -> str:
    """The text of a new token."""
    _, text = tokens.create_token(world.database, Act(now, TESTER), name, role, days=days)
    return text


@pytest.fixture
def admin(app: Flask, world: World) -> Program:
    """A program that may do everything."""
    return Program(app, make_token(world, "deployer", Role.ADMIN, world.now))


@pytest.fixture
def viewer(app: Flask, world: World) -> Program:
    """A program that may look."""
    return Program(app, make_token(world, "dashboard", Role.VIEWER, world.now))


@pytest.fixture
def nobody(app: Flask) -> Program:
    """A program without a token."""
    return Program(app)


@pytest.fixture
def expired(app: Flask, world: World, now: datetime) -> Program:
    """A program whose admin's token ended a moment ago."""
    made_at = now - timedelta(days=1, seconds=1)
    return Program(app, make_token(world, "old", Role.ADMIN, made_at, days=1))


@pytest.fixture
def revoked(app: Flask, world: World) -> Program:
    """A program whose admin's token was revoked."""
    token, text = tokens.create_token(
        world.database, Act(world.now, TESTER), "stolen", Role.ADMIN, days=30
    )
    tokens.revoke_token(world.database, Act(world.now, TESTER), token.id)
    return Program(app, text)


@pytest.fixture(autouse=True)
def an_alert(world: World) -> None:
    """Something that is wrong, told by alert 1."""
    row = {"id": 1, "key": "k", "rule": "missed", "title": "t", "message": "m", "at": world.now}
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(alert), row | {"expires_at": world.now + timedelta(days=1)})


@pytest.fixture
def run_id(admin: Program) -> int:
    """A queued run of the daily schedule."""
    started = admin.post("/schedules/daily/trigger")
    found: int = admin.get(f"/occurrences/{started['occurrence_id']}")["runs"][0]["id"]
    return found
