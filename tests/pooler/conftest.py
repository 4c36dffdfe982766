"""Databases that are reached through PgBouncer in transaction mode, on a server of another zone."""

import itertools
from collections.abc import Iterator

import psycopg
import pytest

from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import PostgresServer
from tick.store.database import Database

_numbers = itertools.count(1)
ZONE = "Europe/Berlin"


@pytest.fixture(scope="session")
def pooler(postgres_server: PostgresServer) -> Iterator[PgBouncer]:
    """PgBouncer before the session's server."""
    with PgBouncer(postgres_server) as pooler:
        yield pooler


@pytest.fixture
def direct_url(
    request: pytest.FixtureRequest, pooler: PgBouncer, postgres_server: PostgresServer
) -> str:
    """An empty migrated database whose sessions begin in another zone, without the pooler."""
    name = f"pooled_{getattr(request.config, 'workerinput', {}).get('workerid', 'main')}"
    name = f"{name}_{next(_numbers)}"
    template = request.getfixturevalue("postgres_template")
    url = postgres_server.create_database(name, template)
    request.addfinalizer(lambda: postgres_server.drop_database(name))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET timezone = '{ZONE}'")
        connection.execute(f"ALTER DATABASE {name} SET datestyle = 'SQL, DMY'")
    return url


@pytest.fixture
def database_url(pooler: PgBouncer, direct_url: str) -> str:
    """The same database through the pooler; all that the suite opens goes there."""
    return pooler.url(direct_url)


@pytest.fixture
def direct(direct_url: str) -> Iterator[Database]:
    """The same database without the pooler."""
    database = Database(direct_url)
    yield database
    database.close()
