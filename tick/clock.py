"""The only reader of time. Everything below the edge is handed its `now`."""

from datetime import UTC, datetime

import sqlalchemy as sa

from tick.utc import Utc, in_utc


def now() -> Utc:
    """Return the host's clock: an aware UTC instant."""
    return Utc(datetime.now(UTC))


def database_now(connection: sa.Connection) -> Utc:
    """Return the instant by the clock that all machines share."""
    # Lateness and leases are only comparable by one clock; with SQLite all run on one host.
    if connection.dialect.name != "postgresql":
        return now()
    instant: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return in_utc(instant)
