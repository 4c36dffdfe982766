"""Behind a transaction pooler nothing relies on what a database session was told."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import FAILED, RETURNED, Hands
from tests.pooler.conftest import ZONE
from tests.support.factories import World, a_job, a_schedule
from tick.cli.database_checks import check_sessions
from tick.cli.doctor_checks import Level
from tick.errors import DatabaseError
from tick.store import migration, schema
from tick.store.advisory_locks import AdvisoryLock, try_acquire
from tick.store.database import Database
from tick.store.tables import job_run, occurrence
from tick.worker.wakeup import WakeupListener

pytestmark = pytest.mark.postgres
TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def soiled(database_url: str) -> Iterator[None]:
    """Other clients of the pooler have left settings behind on the connections that all share."""
    plain = database_url.replace("+psycopg", "")
    others = [psycopg.connect(plain, prepare_threshold=None) for _ in range(3)]
    for other in others:  # all in a transaction at once, so that each has another connection
        other.execute("SET statement_timeout = '1s'")
        other.execute("SET lock_timeout = '1ms'")
        other.execute("SET extra_float_digits = 0")
    for other in others:
        other.commit()
        other.close()
    yield


def test_the_sessions_of_the_server_are_of_another_zone(database: Database) -> None:
    with database.read.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.execute("SHOW timezone").fetchone() == (ZONE,)


def test_each_transaction_has_its_own_zone_and_time_outs(database: Database) -> None:
    names = ("timezone", "lock_timeout", "statement_timeout")
    for _ in range(4):
        with database.read.connect() as connection:
            found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
        assert found == ["UTC", "5s", "15s"]


def test_what_is_due_fires_at_its_instant(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("a")])
    world.enable()
    assert world.tick(TWO).errors == {}
    (row,) = world.rows(sa.select(occurrence))
    assert row.scheduled_for == row.decided_at == TWO
    (run,) = world.runs()
    assert run.scheduled_for == run.available_at == TWO
    assert run.run_metadata["scheduledFor"] == "2026-03-01T02:00:00Z"


def test_a_run_has_started_when_it_did_and_its_retry_keeps_its_distance(world: World) -> None:
    world.define(a_schedule(), jobs=[a_job("a", retries=1)])
    world.enable()
    world.tick(TWO)
    hands = Hands(world)
    (claimed,) = hands.claim()
    assert world.runs()[0].started_at == TWO
    hands.end(claimed, end=FAILED)
    (run,) = world.runs()
    assert timedelta(seconds=5) <= run.available_at - TWO <= timedelta(seconds=10)
    assert hands.claim() == []
    world.now = run.available_at
    hands.end(*hands.claim(), end=RETURNED)
    assert [run.status for run in world.runs()] == ["SUCCESS"]


def test_a_turn_ends_with_its_transaction(database: Database) -> None:
    for _ in range(8):
        with database.write.begin() as connection:
            assert try_acquire(connection, AdvisoryLock.NAMES)


def test_upgrades_while_others_work_leave_no_lock_behind(
    database: Database, database_url: str, direct: Database, world: World
) -> None:
    stop = threading.Event()

    def work() -> None:
        with closing(Database(database_url)) as busy:
            while not stop.is_set():
                with busy.write.begin() as connection:
                    connection.execute(sa.select(sa.func.count()).select_from(job_run)).scalar()

    others = [threading.Thread(target=work) for _ in range(4)]
    for other in others:
        other.start()
    try:
        schema.downgrade(database, "0005")
        for _ in range(2):
            assert schema.upgrade(database, wait_seconds=20).after == schema.REVISION
    finally:
        stop.set()
        for other in others:
            other.join()
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    with direct.read.connect() as connection:
        assert connection.exec_driver_sql(held).scalar() == 0


def test_an_upgrade_names_who_keeps_it_waiting(database: Database, direct: Database) -> None:
    schema.downgrade(database, "0005")
    with direct.write.begin() as rival:
        pid = rival.exec_driver_sql(
            f"SELECT pg_backend_pid() FROM pg_advisory_xact_lock({AdvisoryLock.UPGRADE:d})"
        ).scalar()
        with pytest.raises(
            DatabaseError, match=rf"another upgrade \(process {pid} .*, tick, since"
        ):
            schema.upgrade(database, wait_seconds=0.05)
    assert schema.upgrade(database).after == schema.REVISION


def test_an_upgrade_waits_only_briefly_for_a_table_in_use(
    database: Database, direct: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "TABLE_SECONDS", 0.05)
    schema.downgrade(database, "0005")
    with direct.write.begin() as rival:
        pid = rival.exec_driver_sql(
            "SELECT pg_backend_pid() FROM job_run FULL JOIN (VALUES (1)) v(x) ON false"
        ).scalar()
        with pytest.raises(DatabaseError, match=rf"a table .* \(process {pid} "):
            schema.upgrade(database)
        assert schema.current_revision(direct) == "0005"
    assert schema.upgrade(database).after == schema.REVISION


def test_nothing_to_migrate_needs_no_turn(database: Database, direct: Database) -> None:
    with direct.write.begin() as rival:
        assert try_acquire(rival, AdvisoryLock.UPGRADE)
        done = schema.upgrade(database, wait_seconds=0.05)
    assert done.before == done.after


def test_the_doctor_finds_the_pooler_and_the_zone(database: Database, direct: Database) -> None:
    through = {finding.text: finding.level for finding in check_sessions(database)}
    assert {text.partition(":")[0]: level for text, level in through.items()} == {
        "A pooler stands before the server": Level.GOOD,
        f"Sessions of this server, database or role begin in the zone {ZONE}.": Level.WARNING,
    }
    assert [finding.level for finding in check_sessions(direct)] == [Level.WARNING]


def test_a_listener_leaves_it_to_polling(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    told = threading.Semaphore(0)
    with closing(WakeupListener(database, told.release)) as listener:
        listener._thread.join(30)
        assert not listener._thread.is_alive()
    assert "a pooler stands before the database" in caplog.text
    assert told.acquire(blocking=False)
