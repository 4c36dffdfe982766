"""One migration is one transaction: alone, bounded in what it waits for, checked before it commits.

Nothing is left to a database session: behind a transaction pooler the next transaction of this
process may be on another one, and that of somebody else on this one.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tick.errors import DatabaseError
from tick.store.advisory_locks import AdvisoryLock, acquire
from tick.store.database import Database

WAIT_SECONDS = 300.0
"""The longest wait of a migration for another one."""
TABLE_SECONDS = 5
"""The longest wait for a table: whoever comes after it waits behind it."""
_MISSED_LOCK = "55P03"  # PostgreSQL's lock_not_available

_COUNTED = sa.text(
    "SELECT name FROM sqlite_schema WHERE type = 'table'"
    " AND name NOT GLOB 'sqlite_*' AND name <> 'alembic_version'"
)
_HOLDER = sa.text(
    "SELECT a.pid, a.application_name, coalesce(a.xact_start, a.backend_start) AS since"
    " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = 0"
    " AND l.objid = :turn AND l.database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database())"
)
_OLDEST = sa.text(
    "SELECT pid, application_name, xact_start AS since FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    " ORDER BY xact_start LIMIT 1"
)


@contextmanager
def migrating(
    database: Database, wait_seconds: float, shrinks: Collection[str] = ()
) -> Iterator[sa.Connection]:
    """A transaction for one migration, which is rolled back unless it keeps every row.

    Only tables in `shrinks` may lose some. Raises DatabaseError, and then nothing has changed.
    """
    on = _on_postgresql if database.write.dialect.name == "postgresql" else _on_sqlite
    with on(database, wait_seconds, shrinks) as connection:
        yield connection


@contextmanager
def _on_postgresql(
    database: Database, wait_seconds: float, _shrinks: Collection[str]
) -> Iterator[sa.Connection]:
    with database.write.begin() as connection:
        # Of this transaction alone: the time-outs of all others would end a long migration.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait_seconds * 1000) or 1}")
        with _waiting(database, f"another upgrade ({{}}) for {wait_seconds:.0f} s", _HOLDER):
            acquire(connection, AdvisoryLock.UPGRADE)
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{TABLE_SECONDS}s'")
        with _waiting(database, "a table that others have in use ({})", _OLDEST):
            yield connection


@contextmanager
def _waiting(database: Database, what: str, who: sa.TextClause) -> Iterator[None]:
    """Turn a lock that did not come into a sentence that names its holder."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _MISSED_LOCK:
            raise
        with database.read.connect() as connection:
            holder = connection.execute(
                who, {"turn": AdvisoryLock.UPGRADE} if who is _HOLDER else {}
            )
            named = what.format(_name(holder.first()))
        raise DatabaseError(
            f"The migration waited for {named}, and changed nothing. Try again; if what holds it "
            "does not end, `SELECT pg_terminate_backend(PID)` ends it."
        ) from error


def _name(holder: Any) -> str:
    if holder is None:
        return "which has ended since"
    since = "" if holder.since is None else f", since {holder.since:%Y-%m-%d %H:%M:%S %z}"
    return f"process {holder.pid} of the server, {holder.application_name or 'unnamed'}{since}"


@contextmanager
def _on_sqlite(
    database: Database, _wait_seconds: float, shrinks: Collection[str]
) -> Iterator[sa.Connection]:
    with database.write.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # To make a table anew, SQLite has to drop it, and that deletes what refers to it. Within a
        # transaction this switch does nothing, so it is turned before one begins.
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                before = _count_rows(connection)
                yield connection
                _want_rows(before, _count_rows(connection), shrinks)
                _want_parents(connection, database)
        finally:
            if not connection.invalidated:
                driver.execute("PRAGMA foreign_keys=ON")


def _count_rows(connection: sa.Connection) -> dict[str, int]:
    counted = sa.select(sa.func.count())
    return {
        name: connection.execute(counted.select_from(sa.table(name))).scalar_one()
        for name in connection.execute(_COUNTED).scalars().all()
    }


def _want_rows(before: dict[str, int], after: dict[str, int], shrinks: Collection[str]) -> None:
    for name, count in before.items():
        if name not in shrinks and after.get(name, count) < count:
            raise DatabaseError(
                f"The migration would have left {after[name]:,} of {count:,} rows of {name}: it "
                "was taken back, and nothing has changed. Please report it."
            )


def _want_parents(connection: sa.Connection, database: Database) -> None:
    """No more rows may refer to what is not there than did before."""
    orphans = _count_orphans(connection)
    if not orphans:
        return
    # Another connection still sees what was there before.
    with database.read.connect() as reader:
        before = _count_orphans(reader)
    for (table, parent), count in orphans.items():
        if (more := count - before.get((table, parent), 0)) > 0:
            raise DatabaseError(
                f"The migration would have left {more:,} rows of {table} that refer to nothing in "
                f"{parent}: it was taken back, and nothing has changed. Please report it."
            )


def _count_orphans(connection: sa.Connection) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        counts[row[0], row[2]] = counts.get((row[0], row[2]), 0) + 1
    return counts
