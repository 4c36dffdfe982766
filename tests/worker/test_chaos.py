"""Workers and their database are killed, frozen and cut off at random; no run is lost by it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.postgres import EmbeddedPostgres
from tests.worker.conftest import WorkWorld
from tests.worker.havoc import Havoc
from tests.worker.processes import Process
from tick.store import schema
from tick.store.database import Database

HUNDRED = 100
SOAK_INJURIES = int(os.environ.get("SOAK_INJURIES", "1000"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def own_server(request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres | None]:
    """A server that these tests may kill; none for SQLite."""
    if request.param == "sqlite":
        yield None
        return
    with EmbeddedPostgres() as server:
        yield server


@pytest.fixture
def database_url(own_server: EmbeddedPostgres | None, tmp_path: Path) -> str:
    """An empty migrated database on it."""
    url = own_server.create_database("chaos") if own_server else f"sqlite:///{tmp_path}/tick.db"
    database = Database(url)
    schema.upgrade(database)
    database.close()
    return url


@pytest.fixture
def havoc(
    work: WorkWorld,
    serve: Callable[..., Process],
    own_server: EmbeddedPostgres | None,
    tmp_path: Path,
) -> Havoc:
    """Workers that are in for it."""
    return Havoc(work, serve, tmp_path / "finished", own_server, seed=4)


@pytest.mark.timeout(600)
def test_two_dozen_injuries_lose_no_run_and_end_none_twice(work: WorkWorld, havoc: Havoc) -> None:
    havoc.injure(24)
    havoc.settle()
    check(work, havoc)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_thousand_injuries_lose_no_run_and_end_none_twice(work: WorkWorld, havoc: Havoc) -> None:
    for _ in range(SOAK_INJURIES // HUNDRED):
        havoc.injure(HUNDRED)
        print(dict(havoc.injuries), len(work.runs()), "runs", flush=True)
    havoc.settle()
    check(work, havoc)


def check(work: WorkWorld, havoc: Havoc) -> None:
    runs = work.runs()
    assert {run.status for run in runs} <= {"SUCCESS", "FAILED"}
    assert {run.error_type for run in runs} <= {None, "Abandoned", "Died"}
    assert {row.outcome for row in work.occurrences()} <= {"SUCCESS", "FAILED"}
    # What succeeded did its work at least once; a lost attempt may have done it before as well.
    written = havoc.written()
    assert written.keys() >= {run.id for run in runs if run.status == "SUCCESS"}
    once = [run.id for run in runs if run.job_name == "writes-down-once"]
    assert max(written[run_id] for run_id in once) == 1
