"""The migrations, the models and the states say the same."""

import re
from enum import StrEnum
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.support.postgres import PostgresServer
from tick import states
from tick.errors import DatabaseError
from tick.store import schema, tables
from tick.store.database import Database


def test_models_and_migrations_agree(database: Database) -> None:
    def is_compared(_thing: object, name: str | None, *_: object) -> bool:
        # Alembic can't compare an index with a direction on SQLite; PostgreSQL's is compared.
        return not (is_sqlite and name == "ix_job_run_claimable")

    with database.write.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        options = {"compare_type": True, "include_object": is_compared}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def test_the_conditions_of_partial_indexes_are_those_of_the_models(database: Database) -> None:
    migrated = conditions(database)
    tables.metadata.drop_all(database.write)
    tables.metadata.create_all(database.write)
    assert migrated == conditions(database)
    assert "QUEUED" in migrated["uq_job_run_unfinished"]


def conditions(database: Database) -> dict[str | None, str]:
    """The conditions of the partial indexes, by name: Alembic compares none."""
    with database.read.connect() as connection:
        inspector, where = sa.inspect(connection), f"{connection.dialect.name}_where"
        found = [index for name in tables.metadata.tables for index in inspector.get_indexes(name)]
    partial = ((index["name"], index.get("dialect_options", {}).get(where)) for index in found)
    return {name: str(condition) for name, condition in partial if condition is not None}


def test_up_down_up_ends_where_it_began(database: Database) -> None:
    schema.downgrade(database, "base")
    with database.read.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    schema.upgrade(database)
    schema.check_schema(database)


def test_others_on_the_machine_cannot_read_a_new_sqlite_database(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.db")
    schema.upgrade(database)
    for_others = {path.name: path.stat().st_mode & 0o007 for path in tmp_path.iterdir()}
    database.close()
    assert for_others == {"new.db": 0, "new.db-wal": 0, "new.db-shm": 0}


def test_the_release_needs_the_newest_migration() -> None:
    assert schema.newest_revision() == schema.REVISION


def test_a_database_that_was_never_migrated_is_told_what_to_run(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(DatabaseError, match="run `tick db upgrade`"):
        schema.check_schema(database)
    database.close()


@pytest.mark.postgres
def test_a_server_that_is_away_is_told_with_its_address_and_no_password(
    postgres_server: PostgresServer,
) -> None:
    database = Database("postgresql://tick:hidden-password@127.0.0.1:1/tick")
    with pytest.raises(DatabaseError) as told:
        schema.check_schema(database)
    assert "127.0.0.1:1" in str(told.value)
    assert "hidden-password" not in str(told.value)
    database.close()


STATES = {
    ("job_schedule", "source"): states.ScheduleSource,
    ("job_schedule", "state"): states.ScheduleState,
    ("occurrence", "kind"): states.OccurrenceKind,
    ("occurrence", "outcome"): states.Outcome,
    ("job_run", "status"): states.RunStatus,
    ("job_run", "trigger"): states.Trigger,
    ("alert_delivery", "status"): states.DeliveryStatus,
    ("job_log", "level"): states.LogLevel,
    ("worker_instance", "worker_type"): states.WorkerType,
    ("worker_instance", "status"): states.WorkerStatus,
    ("user", "role"): states.Role,
    ("api_token", "role"): states.Role,
    ("api_token", "scope"): states.TokenScope,
}


@pytest.mark.parametrize(("place", "enum"), STATES.items(), ids=lambda part: str(part))
def test_the_database_knows_exactly_the_states_of_the_code(
    database: Database, place: tuple[str, str], enum: type[StrEnum]
) -> None:
    table, column = place
    with database.read.connect() as connection:
        checks = sa.inspect(connection).get_check_constraints(table)
    text = next(check["sqltext"] for check in checks if check["name"] == f"ck_{table}_{column}")
    assert set(re.findall(r"'(\w+)'", text)) == set(enum)


def test_both_unique_keys_of_an_occurrence_are_there(database: Database) -> None:
    with database.read.connect() as connection:
        inspector = sa.inspect(connection)
        occurrence = inspector.get_unique_constraints("occurrence")
        run = inspector.get_unique_constraints("job_run")
    assert ["schedule_id", "scheduled_for"] in [key["column_names"] for key in occurrence]
    assert ["schedule_id", "scheduled_for", "job_name"] in [key["column_names"] for key in run]
