"""The server that the tests may hurt: what it keeps, and when it falls silent."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.postgres import EmbeddedPostgres

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres() as server:
        yield server


@pytest.fixture
def database(server: EmbeddedPostgres) -> str:
    """The address of a database with one committed row."""
    address = server.create_database("kept").replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    return address


def rows(database: str) -> list[tuple[int]]:
    with psycopg.connect(database, connect_timeout=2) as connection:
        return connection.execute("SELECT n FROM kept").fetchall()


def test_a_killed_server_comes_back_with_what_it_confirmed(server, database):
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        rows(database)
    server.start()
    assert rows(database) == [(1,)]


def test_a_paused_server_answers_only_when_resumed(server, database):
    server.pause()
    with pytest.raises(psycopg.errors.ConnectionTimeout):
        rows(database)
    server.resume()
    assert rows(database) == [(1,)]


def test_a_database_made_from_a_template_has_its_rows(server, database):
    copy = server.create_database("copy", template="kept").replace("+psycopg", "")
    assert rows(copy) == [(1,)]
