"""A migration keeps every row, and what stands around a table that it makes anew."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.full import ROWS, counts, fill
from tick.errors import DatabaseError
from tick.store import backups, schema
from tick.store.backups import copies_of
from tick.store.database import Database
from tick.store.tables import metadata

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
STEP = """
import sqlalchemy as sa
from alembic import op

from tick.store.tables import metadata

revision = "9999"
down_revision = "{below}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
"""
SHRINK = {"setting", "alert", "alert_delivery"}
"""What 0005 and 0006 say that they take rows from."""
REBUILD_ALL = """for table in metadata.sorted_tables:
        with op.batch_alter_table(table.name, recreate="always"):
            pass"""


@pytest.fixture
def full(database: Database) -> Database:
    """A database with rows in every table."""
    with database.write.begin() as connection:
        fill(connection)
    return database


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Adds a last migration, of the given lines."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.migrations_folder(), folder)

    def add(up: str, down: str = "pass") -> None:
        text = STEP.format(below=schema.REVISION, up=up, down=down)
        (folder / "versions" / "9999_step.py").write_text(text)

    monkeypatch.setattr(schema, "migrations_folder", lambda: folder)
    return add


def read_counts(database: Database) -> dict[str, int]:
    with database.read.connect() as connection:
        return counts(connection)


def read_schema(database: Database) -> dict[str, str]:
    """The statements that would make what is there: indexes and triggers in full."""
    made = "SELECT name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql <> ''"
    with database.read.connect() as connection:
        return dict(connection.exec_driver_sql(made).all())


def read_rules(database: Database) -> dict[str, list[object]]:
    """Each table's CHECKs, keys, unique keys and foreign keys, by name."""
    with database.read.connect() as connection:
        look = sa.inspect(connection)
        return {
            table: [
                *sorted(map(str, look.get_check_constraints(table))),
                *sorted(map(str, look.get_unique_constraints(table))),
                *sorted(map(str, look.get_foreign_keys(table))),
                str(look.get_pk_constraint(table)),
            ]
            for table in look.get_table_names()
        }


@ON_SQLITE
def test_making_every_table_anew_forward_and_back_keeps_every_row(full: Database, step) -> None:
    before = read_counts(full)
    assert all(before[table.name] >= ROWS for table in metadata.sorted_tables)
    step(REBUILD_ALL, REBUILD_ALL)
    schema.upgrade(full)
    assert read_counts(full) == before
    schema.downgrade(full, schema.REVISION)
    assert read_counts(full) == before


@ON_SQLITE
def test_a_table_made_anew_keeps_triggers_indexes_and_rules(full: Database, step) -> None:
    indexes, rules = read_schema(full), read_rules(full)
    step(REBUILD_ALL)
    schema.upgrade(full)
    assert read_schema(full) == indexes
    assert read_rules(full) == rules
    with full.write.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@ON_SQLITE
def test_a_rebuilt_table_gets_the_indexes_of_its_migration(full: Database, step) -> None:
    step(
        'with op.batch_alter_table("audit_entry", recreate="always") as batch:\n'
        '        batch.alter_column("request_id", new_column_name="asked_by")\n'
        '        batch.create_index("ix_audit_entry_actor", ["actor"])'
    )
    schema.upgrade(full)
    with full.read.connect() as connection:
        made = {index["name"] for index in sa.inspect(connection).get_indexes("audit_entry")}
    assert "ix_audit_entry_actor" in made
    assert "audit_entry_no_delete" in read_schema(full)


def test_each_migration_up_and_down_keeps_every_row(
    full: Database,
) -> None:
    before = read_counts(full)
    number = int(schema.REVISION)
    for older in range(number - 1, 0, -1):
        schema.downgrade(full, f"{older:04}")
        now = read_counts(full)
        kept = {name: before[name] for name in now if name not in SHRINK}
        assert {name: now[name] for name in kept} == kept, f"at {older:04}"
        before |= now
    schema.upgrade(full)
    assert read_counts(full)["job_run"] == before["job_run"]


@ON_SQLITE
@pytest.mark.parametrize(
    ("up", "said"),
    [
        ('op.execute("DELETE FROM job_log")', "0 of 2 rows of job_log"),
        ('op.execute("DELETE FROM job_run")', "rows of job_run"),
        ('op.execute("UPDATE job_log SET run_id = 77")', "refer to nothing in job_run"),
    ],
)
def test_a_migration_that_loses_rows_is_taken_back(full: Database, step, up, said) -> None:
    before = read_counts(full)
    step(up)
    with pytest.raises(DatabaseError, match=said):
        schema.upgrade(full)
    assert read_counts(full) == before
    assert schema.current_revision(full) == schema.REVISION


@ON_SQLITE
def test_a_migration_that_fails_half_way_leaves_all_as_it_was(full: Database, step) -> None:
    before, rules = read_counts(full), read_rules(full)
    step(REBUILD_ALL + "\n    raise RuntimeError('half way')")
    with pytest.raises(RuntimeError, match="half way"):
        schema.upgrade(full)
    assert (read_counts(full), read_rules(full)) == (before, rules)
    assert schema.current_revision(full) == schema.REVISION


@ON_SQLITE
def test_rows_that_already_referred_to_nothing_stop_no_migration(full: Database, step) -> None:
    with closing(sqlite3.connect(str(full.url.database))) as connection:
        connection.execute("UPDATE job_log SET run_id = 77 WHERE id = 1")
        connection.commit()
    step(REBUILD_ALL)
    assert schema.upgrade(full).after == "9999"


@pytest.fixture
def old(full: Database, step) -> Iterator[Database]:
    """A database at the release's revision, before one more migration."""
    step(REBUILD_ALL)
    yield full


@ON_SQLITE
def test_a_file_is_copied_before_it_is_migrated(old: Database) -> None:
    source = Path(str(old.url.database))
    source.chmod(0o600)
    before = read_counts(old)
    copy = schema.upgrade(old).copy
    assert copy is not None
    assert copy.name == f"{source.name}.at-{schema.REVISION}"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(Database(f"sqlite:///{copy}")) as kept:
        assert read_counts(kept) == before
        assert schema.current_revision(kept) == schema.REVISION


@ON_SQLITE
def test_nothing_is_copied_unless_asked_for_and_needed(old: Database) -> None:
    source = Path(str(old.url.database))
    assert schema.upgrade(old, keeps_copy=False).copy is None
    assert schema.upgrade(old).copy is None
    assert copies_of(source) == []


def test_a_new_file_needs_no_copy(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'new.db'}")) as database:
        assert schema.upgrade(database).copy is None


@ON_SQLITE
def test_the_newest_two_copies_stay(old: Database) -> None:
    for _ in range(3):
        last = schema.upgrade(old).copy
        schema.downgrade(old, schema.REVISION, keeps_copy=False)
    kept = copies_of(Path(str(old.url.database)))
    assert len(kept) == backups.KEPT
    assert last in kept


@ON_SQLITE
def test_without_room_for_a_copy_nothing_is_migrated(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=0)
    monkeypatch.setattr(backups.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DatabaseError, match="--no-copy"):
        schema.upgrade(old)
    assert schema.current_revision(old) == schema.REVISION


@ON_SQLITE
def test_a_failed_copy_stops_the_migration_and_is_removed(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(str(old.url.database))
    monkeypatch.setattr(backups.os, "fsync", _no_space)
    with pytest.raises(DatabaseError, match=r"could not be copied.*No space left"):
        schema.upgrade(old)
    assert not [path for path in source.parent.iterdir() if path.name.endswith(".part")]
    assert schema.current_revision(old) == schema.REVISION


def _no_space(_number: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_release_that_finds_a_newer_database_leaves_it_alone(database: Database, step) -> None:
    step("pass")
    schema.upgrade(database)
    (schema.migrations_folder() / "versions" / "9999_step.py").unlink()
    done = schema.upgrade(database)
    assert (done.before, done.after) == ("9999", "9999")
