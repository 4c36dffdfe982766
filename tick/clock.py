"""The only reader of time. Everything below the edge is handed its `now`."""

from datetime import UTC, datetime

import sqlalchemy as sa

YEARS = range(1970, 2200)
"""In which years an instant that a person names may lie, so that sums with it are instants, too."""


def now() -> datetime:
    """The host's clock: an aware UTC instant."""
    return datetime.now(UTC)


def database_now(connection: sa.Connection) -> datetime:
    """The clock that all machines share: PostgreSQL's own, or the host's on SQLite.

    Lateness, leases and the high-water mark are only comparable when every tick and every worker
    reads the same clock; on SQLite they all run on one host.
    """
    if connection.dialect.name != "postgresql":
        return now()
    instant: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return instant.astimezone(UTC)
