"""The only reader of time. Everything below the edge is handed its `now`."""

from datetime import UTC, datetime

import sqlalchemy as sa

from tick.utc import Utc, in_utc


def now() -> Utc:
    """The host's clock: an aware UTC instant."""
    return Utc(datetime.now(UTC))


def database_now(connection: sa.Connection) -> Utc:
    """The clock that all machines share: PostgreSQL's own, or the host's on SQLite.

    Lateness, leases and the high-water mark are only comparable when every tick and every worker
    reads the same clock; on SQLite they all run on one host.
    """
    if connection.dialect.name != "postgresql":
        return now()
    instant: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return in_utc(instant)
