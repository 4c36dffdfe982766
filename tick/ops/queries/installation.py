"""The installation: the database, its schema, and the set of definitions synced last."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.store.tables import definition_set

_g = definition_set.c
_VERSIONS = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}


@dataclass(frozen=True)
class Installation:
    """The parts of a running system, as the database knows them."""

    database: str
    revision: str | None
    generation: int | None = None
    digest: str | None = None
    release: str | None = None
    synced_at: datetime | None = None


def describe_installation(connection: sa.Connection) -> Installation:
    """Describe the database and the newest set of definitions in it; three statements."""
    kind = connection.dialect.name
    version = connection.execute(sa.text(_VERSIONS[kind])).scalar()
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[kind]
    revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    newest = sa.select(_g.generation, _g.digest, _g.release, _g.created_at)
    row = connection.execute(newest.order_by(_g.generation.desc()).limit(1)).one_or_none()
    return Installation(f"{name} {version}", revision, *(row or ()))
