"""The database is killed, restarted, or cuts connections while workers are busy."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.support.postgres import EmbeddedPostgres
from tests.worker.conftest import WorkWorld
from tests.worker.processes import Process, eventually, workers
from tick.store import schema
from tick.store.database import Database

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server that these tests may kill."""
    with EmbeddedPostgres() as server:
        yield server


@pytest.fixture
def database_url(own_server: EmbeddedPostgres) -> str:
    """An empty migrated database on it."""
    url = own_server.create_database("away")
    database = Database(url)
    schema.upgrade(database)
    database.close()
    return url


def all_ended(work: WorkWorld) -> Callable[[], bool]:
    """Whether every run has ended and every occurrence is settled."""
    return lambda: (
        {run.status for run in work.runs()} <= {"SUCCESS"}
        and {row.outcome for row in work.occurrences()} == {"SUCCESS"}
    )


def test_a_killed_and_restarted_server_costs_no_run(
    work: WorkWorld, serve: Callable[..., Process], own_server: EmbeddedPostgres
) -> None:
    serve()
    eventually(lambda: workers(work) == ["RUNNING"])
    for _ in range(3):
        for _ in range(20):
            work.order("add")
        own_server.restart()
    work.order("add")
    eventually(all_ended(work))
    assert {run.attempt for run in work.runs()} == {1}
    assert workers(work) == ["RUNNING"]


def test_cut_connections_cost_no_run(
    work: WorkWorld, serve: Callable[..., Process], own_server: EmbeddedPostgres
) -> None:
    serve()
    for _ in range(60):
        work.order("add")
    address = own_server.url.set(drivername="postgresql").render_as_string(hide_password=False)
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'away'"
    with psycopg.connect(address, autocommit=True) as connection:
        for _ in range(20):
            connection.execute(cut)
    eventually(all_ended(work))
    assert {run.attempt for run in work.runs()} == {1}
