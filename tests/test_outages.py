"""A database that is away, full, damaged or replaced: told once, nobody blamed, made good later."""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.cli.conftest import CommandLine
from tests.support.factories import World, a_job, a_schedule
from tick.cli import database_checks
from tick.cli.doctor_checks import Level
from tick.store import outages, sqlite
from tick.store.database import Database
from tick.store.tables import job_schedule, tick_log
from tick.ticks import firing_loop

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def driver_error(kind: type[sqlite3.Error], name: str, code: int, said: str) -> sqlite3.Error:
    """What the driver raises with a result code of SQLite."""
    error = kind(said)
    error.sqlite_errorname, error.sqlite_errorcode = name, code
    return error


OUTAGES = {
    "full": driver_error(sqlite3.OperationalError, "SQLITE_FULL", 13, "database or disk is full"),
    "damaged": driver_error(
        sqlite3.DatabaseError, "SQLITE_CORRUPT", 11, "database disk image is malformed"
    ),
    "read-only": driver_error(
        sqlite3.OperationalError, "SQLITE_READONLY_DBMOVED", 1032, "attempt to write a readonly"
    ),
    "stopping": psycopg.errors.AdminShutdown("terminating connection"),
    "server full": psycopg.errors.DiskFull("could not extend file"),
    "standby": psycopg.errors.ReadOnlySqlTransaction("cannot execute UPDATE"),
    "gone": psycopg.OperationalError("consuming input failed: server closed the connection"),
}
ITS_OWN = {
    "a lock": psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
    "too long": psycopg.errors.QueryCanceled("canceling statement due to statement timeout"),
    "a deadlock": psycopg.errors.DeadlockDetected("deadlock detected"),
    "too much": driver_error(sqlite3.OperationalError, "SQLITE_ERROR", 1, "too many variables"),
    "a key": driver_error(sqlite3.IntegrityError, "SQLITE_CONSTRAINT_UNIQUE", 2067, "UNIQUE"),
}


def wrapped(orig: Exception) -> sa.exc.DBAPIError:
    """As SQLAlchemy hands it on."""
    driver: Any = psycopg if isinstance(orig, psycopg.Error) else sqlite3
    made = sa.exc.DBAPIError.instance("UPDATE …", {}, orig, driver.Error)
    assert isinstance(made, sa.exc.DBAPIError)
    return made


@pytest.mark.parametrize("orig", OUTAGES.values(), ids=OUTAGES)
def test_a_database_that_fails_as_a_whole_is_told_apart_in_one_sentence(orig: Exception) -> None:
    assert outages.is_outage(wrapped(orig))
    said = outages.sentence(wrapped(orig))
    assert str(orig) in said and said.endswith(".") and "UPDATE …" not in said


@pytest.mark.parametrize("orig", ITS_OWN.values(), ids=ITS_OWN)
def test_what_one_statement_met_is_no_outage(orig: Exception) -> None:
    assert not outages.is_outage(wrapped(orig))


@pytest.mark.parametrize("name", ["a lock", "too long", "a deadlock"])
def test_a_lock_conflict_is_not_told_as_an_outage(name: str) -> None:
    error = wrapped(ITS_OWN[name])
    advice = outages.advice_on(error)
    assert advice is not None and advice != outages.CHECK
    assert outages.sentence(error) == f"{ITS_OWN[name]}. {advice}"


def test_a_tick_that_leaves_what_the_one_before_left_says_why(
    due: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise wrapped(ITS_OWN["too long"])

    def out_of_time(work: firing_loop.FiringLoop) -> bool:
        return work.chunks == 0

    with monkeypatch.context() as locked:
        locked.setattr(firing_loop, "fire_due", fail)
        locked.setattr(firing_loop.FiringLoop, "in_time", out_of_time)
        first, second = due.tick(TWO), due.tick(TWO + timedelta(minutes=1))
    assert first.more and not first.errors, "once is chance"
    assert second.more and list(second.errors) == ["(database)"]
    assert "statement timeout" in second.errors["(database)"]
    assert due.tick(TWO + timedelta(minutes=1)).fired_count == 10


@pytest.fixture
def due(world: World) -> World:
    """Ten schedules that are due."""
    world.define(*(a_schedule(f"s{number}") for number in range(10)), jobs=[a_job("a")])
    for number in range(10):
        world.enable(f"s{number}")
    return world


@pytest.mark.parametrize("orig", OUTAGES.values(), ids=OUTAGES)
def test_a_tick_in_an_outage_stops_says_so_once_and_blames_no_schedule(
    due: World, orig: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = []

    def fail(*_: object, **__: object) -> None:
        tried.append(1)
        raise wrapped(orig)

    caplog.set_level(logging.WARNING)
    with monkeypatch.context() as away:
        away.setattr(firing_loop, "fire_due", fail)
        result = due.tick(TWO)
    assert result.more and list(result.errors) == ["(database)"]
    assert len(tried) <= 2 * firing_loop._TRIES
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    rows = due.rows(sa.select(job_schedule))
    assert {(row.fire_errors, row.retry_after, row.state) for row in rows} == {(0, None, "ACTIVE")}
    assert due.tick(TWO).fired_count == 10


@pytest.mark.parametrize("orig", [ITS_OWN["too long"], OUTAGES["gone"]], ids=["lock", "gone"])
def test_one_schedule_that_always_fails_so_is_not_blamed_and_stops_no_other(
    due: World, monkeypatch: pytest.MonkeyPatch, orig: Exception
) -> None:
    fire = firing_loop.fire_due

    def fail(connection: sa.Connection, *args: Any, **limits: Any) -> Any:
        if limits["only"] is None:
            raise wrapped(ITS_OWN["too long"])
        if limits["only"] == "s0":
            raise wrapped(orig)
        return fire(connection, *args, **limits)

    monkeypatch.setattr(firing_loop, "fire_due", fail)
    result = due.tick(TWO)
    assert (result.fired_count, list(result.errors), result.more) == (9, ["s0"], True)
    assert (due.schedule("s0").fire_errors, due.schedule("s0").retry_after) == (0, None)


def path_of(database: Database) -> Path:
    return Path(str(database.url.database))


@ON_SQLITE
@pytest.mark.parametrize("how", ["moved", "deleted", "replaced", "a folder"])
def test_a_file_that_is_no_longer_the_same_stops_every_tick(
    due: World, database: Database, how: str
) -> None:
    path = path_of(database)
    aside = path.with_name("aside.db")
    database.close()
    shutil.copy(path, path.with_name("backup.db"))
    with database.read.connect():  # this process has it open
        path.rename(aside)
        if how == "replaced":
            path.with_name("backup.db").rename(path)
        elif how == "a folder":
            path.mkdir()
        for _ in range(2):
            with pytest.raises(sa.exc.OperationalError, match="under this process"):
                due.tick(TWO)
        with pytest.raises(sa.exc.OperationalError, match="under this process"):
            database.write.connect()
        assert how in ("replaced", "a folder") or not path.exists()
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        aside.rename(path)
    assert due.tick(TWO).fired_count == 10


@pytest.mark.usefixtures("signals_restored")
def test_nobody_but_an_upgrade_makes_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "var" / "tick.db"
    tick = CommandLine(Database(f"sqlite:///{path}"), f"sqlite:///{path}")
    for command in (["now"], ["schedules"], ["doctor"], ["worker"], ["user", "list"]):
        said = tick(*command)
        assert said.exit_code == 1
        assert f"there is no file {path}" in said.output
        assert "`tick db upgrade` to make a new database" in said.output
        assert not path.parent.exists()
    tick.good("db", "upgrade")
    tick.database.close()


def damage(path: Path, first: int = 4, count: int = 6) -> None:
    """Overwrite some pages."""
    with path.open("r+b") as file:
        file.seek((first - 1) * 4096)
        file.write(os.urandom(count * 4096))


@ON_SQLITE
@pytest.mark.parametrize("first", [1, 4])
def test_a_damaged_file_is_told_with_the_remedy_by_every_command(
    due: World, database: Database, first: int
) -> None:
    database.close()
    damage(path_of(database), first, 60)
    tick = CommandLine(database, f"sqlite:///{path_of(database)}")
    for command in (["now"], ["verify"], ["schedules"], ["runs"], ["doctor"]):
        said = tick(*command)
        assert said.exit_code == 1, said.output
        assert "restore a backup" in said.output
        assert "SELECT" not in said.output and "Traceback" not in said.output


@ON_SQLITE
def test_the_doctor_finds_damage_that_nobody_has_met_yet(due: World, database: Database) -> None:
    assert database_checks.check_pages(database) is None
    with database.read.connect() as connection:
        root = connection.exec_driver_sql(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'ix_tick_log_started_at'"
        ).scalar_one()
    database.close()
    damage(path_of(database), root, 1)
    found = database_checks.check_pages(database)
    assert found is not None and found.level is Level.PROBLEM
    assert found.advice == outages.DAMAGED


@ON_SQLITE
def test_the_doctors_look_for_damage_has_an_end(
    due: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_checks, "_STEPS", 1)
    found = database_checks.check_pages(database, most_seconds=0)
    assert found is not None and "No damage was found" in found.text


@ON_SQLITE
def test_a_log_beside_the_file_that_a_reader_made_grow_shrinks_again(
    due: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAL_BYTES", 100_000)
    database.close()
    log_file = path_of(database).with_name(f"{path_of(database).name}-wal")

    def write(rows: int, first: int) -> None:
        for number in range(first, first + rows):
            with database.write.begin() as connection:
                values = {"id": f"{number}", "source": "x" * 90, "now": TWO, "started_at": TWO}
                connection.execute(sa.insert(tick_log).values(**values, took_seconds=0))

    with closing(sqlite3.connect(path_of(database))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM tick_log").fetchone()
        write(60, 0)
        assert log_file.stat().st_size > 200_000
    with database.read.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(RESTART)")
    write(2, 100)
    assert log_file.stat().st_size <= 100_000
