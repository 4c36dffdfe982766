"""The database's schema: upgraded by migrations, and checked before anything relies on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tick.errors import DatabaseError
from tick.store.backups import keep_copy
from tick.store.database import Database
from tick.store.migration import WAIT_SECONDS, migrating
from tick.store.outages import sentence

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script, ScriptDirectory

# What this release needs: the newest migration. A constant, so that no tick waits for Alembic.
REVISION = "0024"
_VERSION = sa.text("SELECT version_num FROM alembic_version")


def migrations_folder() -> Path:
    """The migrations: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "_migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def _config(connection: sa.Connection | None = None) -> Config:
    # Alembic takes a third of a second to import, and only these commands need it.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["connection"] = connection
    return config


@dataclass(frozen=True)
class Migrated:
    """From which revision to which one; and where the copy from before it is, if one was kept."""

    before: str | None
    after: str | None
    copy: Path | None = None


def upgrade(
    database: Database,
    revision: str = "head",
    *,
    keeps_copy: bool = True,
    wait_seconds: float = WAIT_SECONDS,
) -> Migrated:
    """Bring the schema up to a revision; at that one already, or beyond, it locks nothing.

    A SQLite file with something in it is copied first, if `keeps_copy`. Raises DatabaseError.
    """
    database.create()
    script = _script()
    last = script.get_revision(revision).revision

    def ahead(current: str | None) -> list[Script]:
        if current is not None and current >= last:
            return []  # a newer release may have been here: what it added, this one can do without
        return [*script.iterate_revisions(last, current or "base")][::-1]

    return _move(database, ahead, _up, keeps_copy, wait_seconds)


def downgrade(database: Database, revision: str, *, keeps_copy: bool = True) -> Migrated:
    """Take the schema back to an older revision, or to "base". Raises DatabaseError."""
    script = _script()

    def behind(current: str | None) -> list[Script]:
        return [*script.iterate_revisions(current or "base", revision)]

    return _move(database, behind, _down, keeps_copy, WAIT_SECONDS)


def _move(
    database: Database,
    way: Callable[[str | None], list[Script]],
    step: Callable[[Config, Script], None],
    keeps_copy: bool,
    wait_seconds: float,
) -> Migrated:
    """Migrate step by step, each in its transaction, for as long as there is a way to go."""
    before = current_revision(database)
    copy = None
    left = way(before)
    if left and before is not None and keeps_copy and database.url.get_backend_name() == "sqlite":
        copy = keep_copy(database, before)
    while left:
        shrinks = getattr(left[0].module, "SHRINKS", ())
        with migrating(database, wait_seconds, shrinks) as connection:
            # Whoever had the turn before may have gone this way, too.
            left = way(_read_revision(connection))
            if left:
                step(_config(connection), left[0])
        left = left[1:]
    return Migrated(before, current_revision(database), copy)


def _up(config: Config, script: Script) -> None:
    from alembic import command

    command.upgrade(config, script.revision)


def _down(config: Config, script: Script) -> None:
    from alembic import command

    command.downgrade(config, str(script.down_revision or "base"))


def _script() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def newest_revision() -> str | None:
    """The newest migration there is; a test holds REVISION to it."""
    return _script().get_current_head()


def current_revision(database: Database) -> str | None:
    """The revision that the database is at; None for one that was never migrated."""
    with database.read.connect() as connection:
        return _read_revision(connection)


def _read_revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(_VERSION).scalar()
    return found


def check_schema(database: Database) -> None:
    """Raise DatabaseError unless the database is reachable and not older than this release."""
    try:
        database.want_file()
        current = current_revision(database)
    except sa.exc.SQLAlchemyError as error:
        raise DatabaseError(
            f"The database at {database.url!r} cannot be reached: {sentence(error)}"
        ) from error
    # A newer one is fine: migrations only expand until the next release needs them.
    if current is None or current < REVISION:
        found = f"at revision {current}" if current else "empty"
        raise DatabaseError(
            f"The database is {found}, and this release needs revision {REVISION}: "
            "run `tick db upgrade`."
        )
