"""The audit can only be added to, whoever holds the application's connection."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER
from tick.engine.ledger.audit import Act
from tick.store import schema
from tick.store.database import Database

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def entry(database: Database) -> Database:
    """A database with one entry."""
    with database.write.begin() as connection:
        Act(NOW, TESTER).record(connection, "run.cancel", "1")
    return database


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'somebody else'",
        "UPDATE audit_entry SET actor = 'somebody else' WHERE id = 1",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry WHERE id = 1",
    ],
)
def test_what_is_written_can_be_neither_changed_nor_removed(
    entry: Database, statement: str
) -> None:
    refused(entry, statement)


def test_a_postgresql_table_of_the_audit_cannot_be_emptied(entry: Database) -> None:
    if entry.write.dialect.name == "postgresql":
        refused(entry, "TRUNCATE audit_entry")


def test_an_entry_cannot_be_replaced_by_another_of_its_number(entry: Database) -> None:
    if entry.write.dialect.name == "sqlite":
        refused(
            entry,
            "INSERT OR REPLACE INTO audit_entry (id, at, actor, action, subject) "
            "VALUES (1, '2026-03-01', 'somebody else', 'run.cancel', '1')",
        )


def test_the_guard_goes_and_comes_with_its_migration(entry: Database) -> None:
    schema.downgrade(entry, "0003")
    with entry.write.begin() as connection:
        assert connection.execute(sa.text("UPDATE audit_entry SET subject = '2'")).rowcount == 1
    schema.upgrade(entry)
    refused(entry, "UPDATE audit_entry SET subject = '1'")


def refused(database: Database, statement: str) -> None:
    """The database refuses the statement by name, and the entry stands as it stood."""
    before = entries(database)
    with (
        pytest.raises(sa.exc.DBAPIError, match="audit_entry can only be added to"),
        database.write.begin() as connection,
    ):
        connection.execute(sa.text(statement))
    assert entries(database) == before


def entries(database: Database) -> list[object]:
    """All that the audit holds."""
    with database.read.connect() as connection:
        return list(connection.execute(sa.text("SELECT * FROM audit_entry")))
