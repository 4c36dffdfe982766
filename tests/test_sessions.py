"""No zone that a session begins in, and no way in which it was set, changes an instant."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule
from tests.support.postgres import PostgresServer
from tick.store.tables import occurrence

ZONE = "Asia/Kolkata"
TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture(params=["database", "role", "client", "url"])
def database_url(
    request: pytest.FixtureRequest,
    postgres_server: PostgresServer,
    postgres_template: str,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A PostgreSQL database whose sessions begin in Kolkata, for one reason or another."""
    name = f"zoned_{getattr(request.config, 'workerinput', {}).get('workerid', 'main')}"
    given = postgres_server.create_database(name, postgres_template)
    request.addfinalizer(lambda: postgres_server.drop_database(name))
    url = sa.make_url(given)
    if request.param == "client":
        monkeypatch.setenv("PGTZ", ZONE)
    elif request.param == "url":
        url = url.update_query_dict({"options": f"-c timezone={ZONE}"})
    else:
        role = f"ROLE {url.username} IN " if request.param == "role" else ""
        with psycopg.connect(given.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"ALTER {role}DATABASE {name} SET timezone = '{ZONE}'")
    return url.render_as_string(hide_password=False)


@pytest.mark.postgres
def test_an_instant_is_the_same_however_a_sessions_zone_was_set(world: World) -> None:
    with world.database.read.connect() as connection:
        driver: Any = connection.connection.driver_connection
        assert driver.execute("SHOW timezone").fetchone() == (ZONE,)
    world.define(a_schedule(), jobs=[a_job("a")])
    world.enable()
    assert world.tick(TWO).errors == {}
    (row,) = world.rows(sa.select(occurrence))
    (run,) = world.runs()
    assert row.scheduled_for == row.decided_at == run.available_at == TWO
    assert run.run_metadata["scheduledFor"] == "2026-03-01T02:00:00Z"
