"""How the database is opened."""

import errno
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.worker.forking import in_a_copy
from tick.errors import DatabaseError
from tick.store.database import Database


def test_an_error_shows_no_value_that_its_statement_carried(database: Database) -> None:
    wrong = sa.text("SELECT nowhere FROM job_run WHERE reason = :reason")
    with database.write.connect() as connection, pytest.raises(sa.exc.DBAPIError) as found:
        connection.execute(wrong, {"reason": "hunter2"})
    assert "nowhere" in str(found.value)
    assert "hunter2" not in str(found.value)


def test_a_copy_of_the_process_opens_connections_of_its_own(database: Database) -> None:
    question = sa.text("SELECT 1")

    def asks() -> None:
        """Ask, and throw the connection away."""
        with database.write.connect() as connection:
            assert connection.execute(question).scalar_one() == 1
        database.close()

    with database.write.connect() as connection:
        connection.execute(question)
    assert in_a_copy(asks) == 0
    with database.write.connect() as connection:
        assert connection.execute(question).scalar_one() == 1


def test_what_sqlite_has_committed_outlives_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'tick.db'}")
    database.create()
    with database.write.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        ]
    database.close()
    assert found == ["wal", 2]  # 2 is FULL


def test_an_impossible_database_gets_one_clear_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    database = Database(f"sqlite:///{tmp_path}/tick.db")
    monkeypatch.setattr(Path, "touch", forbid)
    with pytest.raises(DatabaseError, match=r"tick\.db can't be made: Permission denied; give"):
        database.create()
    monkeypatch.undo()
    database.create()
    database.create()
    assert (tmp_path / "tick.db").exists()
    database.close()
