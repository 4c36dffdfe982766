"""An idle worker hears at once of what becomes ready, and polls while it hears nothing."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import Hands, only_postgres
from tests.support.postgres import free_port
from tests.worker.conftest import WorkWorld
from tests.worker.processes import Process, eventually, has_ended
from tick.store.database import Database
from tick.worker.wakeup import WakeupListener

WITHIN_SECONDS = 30.0
"""Starting a child takes most of it on a machine that is busy."""


@pytest.fixture
def told(database: Database) -> Iterator[threading.Semaphore]:
    """Counts what a listener tells; the first time, that it listens, is taken off."""
    told = threading.Semaphore(0)
    listener = WakeupListener(database, told.release)
    assert told.acquire(timeout=WITHIN_SECONDS)
    yield told
    listener.close()


def test_a_worker_that_hardly_ever_polls_starts_a_run_promptly(
    work: WorkWorld, serve: Callable[..., Process]
) -> None:
    serve(poll_seconds=60)
    for _ in range(3):
        run_id = work.order("add")
        eventually(has_ended(work, run_id), WITHIN_SECONDS)
    first, second = work.order("sleeps"), work.order("add")
    eventually(has_ended(work, second), WITHIN_SECONDS)
    assert work.run(first).status == "RUNNING"


def test_what_others_commit_is_told(work: WorkWorld, told: threading.Semaphore) -> None:
    for _ in range(3):
        work.order("add")
        assert told.acquire(timeout=WITHIN_SECONDS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_claim_that_finds_nothing_leaves_no_mark_for_others(work: WorkWorld) -> None:
    """Or idle workers would wake each other for ever."""
    hands = Hands(work)
    with closing(sqlite3.connect(str(work.database.url.database))) as connection:
        before = connection.execute("PRAGMA data_version").fetchone()
        assert hands.claim() == []
        assert connection.execute("PRAGMA data_version").fetchone() == before


@only_postgres
def test_a_lost_connection_is_replaced_and_what_was_missed_is_looked_for(
    work: WorkWorld, told: threading.Semaphore
) -> None:
    with work.database.write.begin() as connection:
        listening = sa.text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        assert connection.execute(listening).scalar() == 1
    assert told.acquire(timeout=WITHIN_SECONDS)
    work.order("add")
    assert told.acquire(timeout=WITHIN_SECONDS)


def test_a_database_that_is_away_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    database = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/away")
    with closing(WakeupListener(database, lambda: None)):
        eventually(lambda: caplog.text.count("hears of no new runs") == 2, WITHIN_SECONDS)
    assert "listener" not in [thread.name for thread in threading.enumerate()]
    database.close()
