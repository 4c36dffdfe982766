"""How PostgreSQL is opened: nothing depends on what a database session was told.

What a session is told is lost behind a transaction pooler, and some of those refuse whoever asks
for it at the start. So each transaction says it for itself, in the round trip that begins it.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from tick.errors import DatabaseError

LOCK_SECONDS = 5
BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED;"
    " SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO';"
    f" SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; SET LOCAL statement_timeout = '15s';"
    " SET LOCAL idle_in_transaction_session_timeout = '30s'"
)


def postgresql_engine(url: sa.URL) -> sa.Engine:
    """The engine of a PostgreSQL server, or of a pooler before one. Raises DatabaseError."""
    try:
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=10,
            connect_args={
                "connect_timeout": 10,
                "fallback_application_name": "tick",
                "keepalives_idle": 30,
                # A transaction pooler in between would lose server-side statements.
                "prepare_threshold": None,
            },
        )
    except ModuleNotFoundError:
        raise DatabaseError(
            "PostgreSQL needs its driver: pip install 'job-schedule-manager[postgres]'."
        ) from None

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.autocommit = True  # the driver must not begin on its own

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(BEGIN)

    return engine


def is_pooled(connection: Any) -> bool:
    """Whether a pooler stands between this psycopg connection and the server."""
    # It makes up the process number that a client is told, as it is of no one server process.
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid != connection.info.backend_pid)
