"""The database's schema: upgraded by migrations, and checked before anything relies on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tick.db import Database
from tick.errors import DatabaseError
from tick.turns import Turn

if TYPE_CHECKING:
    from alembic.config import Config

# What this release needs: the newest migration. A constant, so that no tick waits for Alembic.
REVISION = "0006"


def migrations_folder() -> Path:
    """The migrations: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "_migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def _config(connection: sa.Connection | None = None) -> Config:
    # Alembic takes a third of a second to import, and only these commands need it.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to a revision; at the newest one already, it does nothing."""
    from alembic import command

    with database.write.connect() as connection:
        _take_turn(connection)
        command.upgrade(_config(connection), revision)


def _take_turn(connection: sa.Connection) -> None:
    """One upgrade at a time, and as long as it takes: the lock goes with the connection."""
    if connection.dialect.name != "postgresql":
        return  # SQLite's writers take turns anyway
    connection.execute(sa.text("SET statement_timeout = 0"))
    connection.execute(sa.text("SET lock_timeout = 0"))
    connection.execute(sa.text(f"SELECT pg_advisory_lock({Turn.UPGRADE:d})"))
    connection.commit()


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to an older revision."""
    from alembic import command

    with database.write.connect() as connection:
        command.downgrade(_config(connection), revision)


def newest_revision() -> str | None:
    """The newest migration there is; a test holds REVISION to it."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(database: Database) -> str | None:
    """The revision that the database is at; None for one that was never migrated."""
    with database.read.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def check_schema(database: Database) -> None:
    """Raise DatabaseError unless the database is reachable and not older than this release."""
    try:
        current = current_revision(database)
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        raise DatabaseError(
            f"The database at {database.url!r} cannot be reached: {reason}. "
            "Check TICK_DATABASE_URL, and that the server runs or the file may be written."
        ) from error
    # A newer one is fine: migrations only expand until the next release needs them.
    if current is None or current < REVISION:
        found = f"at revision {current}" if current else "empty"
        raise DatabaseError(
            f"The database is {found}, and this release needs revision {REVISION}: "
            "run `tick db upgrade`."
        )
