"""How the database is opened: one engine that writes, one that reads, and the types they share.

SQLite needs care (every choice was measured against lost updates and "database is locked"): the
driver's own BEGIN is off, writers begin IMMEDIATE so that a read inside a transaction can't be
overtaken, readers have an engine of their own so that a console page never takes the write lock.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError

from tick.errors import DatabaseError
from tick.forks import in_every_copy
from tick.store.postgresql import LOCK_SECONDS, postgresql_engine
from tick.store.sqlite import BUSY_SECONDS, DatabaseFile, in_memory_engine

# What another try may mend: the connection, a lock, a deadlock; never the statement itself.
# InternalError: what PostgreSQL says of a transaction that it timed out, and after a failover.
# TimeoutError: every connection of the pool is in use.
TRANSIENT = (OperationalError, InterfaceError, InternalError, sa.exc.TimeoutError)
AnyRow: TypeAlias = sa.Row[*tuple[Any, ...]]
MOST_BOUND = 5000
_INSTANT_LENGTH = len("2026-03-29 00:30:00.000000")


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC instant; SQLite, which has no such type, keeps it as sortable UTC text."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant, and hand the driver UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive instant {value!r}: pass an aware one")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def instant_text(instant: datetime | None) -> str | None:
    """An instant inside a JSON parameter: with its offset, so that no session's zone matters."""
    return None if instant is None else instant.astimezone(UTC).isoformat(" ", "microseconds")


def slices(ids: Iterable[int], size: int = MOST_BOUND) -> Iterator[list[int]]:
    """The ids in rising order, in lists that one statement can bind."""
    rising = iter(sorted(set(ids)))
    while part := list(islice(rising, size)):
        yield part


def in_short(error: Exception) -> str:
    """An error in one line: its kind and what the database or the code said, without any SQL."""
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}"[:500]


class Database:
    """The two engines of one database. `write` begins for writing; `read` never locks."""

    file: DatabaseFile | None = None
    """Where SQLite keeps it."""

    def __init__(self, url: str) -> None:
        try:
            # Some platforms still hand out the scheme that SQLAlchemy dropped.
            self.url = sa.make_url(url.replace("postgres://", "postgresql://", 1))
        except sa.exc.ArgumentError:
            raise DatabaseError(
                "TICK_DATABASE_URL is not a database URL; write sqlite:///var/tick.db or "
                "postgresql+psycopg://user:password@host/name."
            ) from None
        if self.url.get_backend_name() == "sqlite":
            self.file = DatabaseFile(self.url)
            self.write = self.file.engine(self.url, "IMMEDIATE")
            self.read = self.file.engine(self.url, "DEFERRED")
        elif self.url.get_backend_name() == "postgresql":
            self.write = self.read = postgresql_engine(self.url)
        else:
            raise DatabaseError(
                f"{self.url.get_backend_name()} is not supported; use SQLite or PostgreSQL."
            )
        in_every_copy(self._begin_as_copy)

    @classmethod
    def in_memory(cls) -> "Database":
        """A database that only the calling thread sees, and that ends with `close`."""
        made = cls.__new__(cls)
        made.url = sa.make_url("sqlite://")
        made.write = made.read = in_memory_engine()
        return made

    def create(self) -> None:
        """Make the file of a new SQLite database, unless it is there. Raises DatabaseError."""
        if self.file is not None:
            self.file.create()

    def want_file(self) -> None:
        """Raise OperationalError when the file is no longer the one that this process opened."""
        if self.file is not None:
            self.file.want()

    def close(self) -> None:
        """Close every pooled connection."""
        self.write.dispose()
        self.read.dispose()

    def _begin_as_copy(self) -> None:
        # Kept, for a connection that is thrown away says goodbye for the process that opened it.
        self._inherited = self.write.pool, self.read.pool
        self.write.dispose(close=False)
        self.read.dispose(close=False)


@contextmanager
def begin_within(engine: sa.Engine, seconds: float) -> Iterator[sa.Connection]:
    """A transaction that writes, and waits for what others have locked at most so long each time.

    It never waits longer than any other transaction would.
    """
    is_postgresql = engine.dialect.name == "postgresql"
    usual = LOCK_SECONDS if is_postgresql else BUSY_SECONDS
    if seconds >= usual:
        with engine.begin() as connection:
            yield connection
        return
    milliseconds = max(int(seconds * 1000), 1)
    with engine.connect() as connection:
        if is_postgresql:
            with connection.begin():
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
                yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            with connection.begin():
                yield connection
        finally:
            if not connection.invalidated:
                driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def json_rows(
    dialect: str, parameter: str, columns: Sequence[sa.ColumnClause[Any]], name: str
) -> sa.FromClause:
    """A table named `name` out of one bound parameter that holds a JSON array of objects.

    One parameter however many rows: the statement's text stays the same, and no limit on bound
    values is met. Instants travel as `instant_text` writes them.
    """
    if dialect == "postgresql":
        rows = sa.cast(sa.bindparam(parameter, type_=sa.Text), postgresql.JSON)
        source = sa.func.json_to_recordset(rows)
        typed = [sa.column(column.name, _plain(column.type)) for column in columns]
        return source.table_valued(*typed, name=name).render_derived(with_types=True)
    each = sa.func.json_each(sa.bindparam(parameter)).table_valued("value").alias(f"{name}_json")
    read = sa.select(
        *(
            sa.type_coerce(
                _plain_text(
                    sa.func.json_extract(each.c.value, sa.literal_column(f"'$.{column.name}'")),
                    column.type,
                ),
                column.type,
            ).label(column.name)
            for column in columns
        )
    )
    # The limit makes SQLite read the JSON once, and join by an index that it builds for that.
    return read.limit(sa.literal_column("-1")).subquery(name)


class _Listed(sa.TypeDecorator[Collection[Any]]):
    """Values as one parameter: an array, or a JSON array on SQLite."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: sa.types.TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """What the driver is handed."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(self.item))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        """A list, or its JSON."""
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


def one_of(dialect: str, column: sa.ColumnElement[Any], parameter: str) -> sa.ColumnElement[bool]:
    """Whether a column has one of the values that are bound as one parameter, a collection.

    The statement's text stays the same however many they are, and no limit on bound values is met.
    """
    listed = sa.bindparam(parameter, type_=_Listed(column.type))
    if dialect == "postgresql":
        return column == sa.any_(listed)
    return column.in_(sa.select(sa.func.json_each(listed).table_valued("value").c.value))


def in_states(column: sa.ColumnElement[str], states: Iterable[StrEnum]) -> sa.ColumnElement[bool]:
    """Whether a column has one of the states, which stand in the statement as literals.

    A partial index with the same literals serves it, and there is nothing to bind.
    """
    return column.in_([sa.literal_column(f"'{state}'", sa.String) for state in states])


def instant_in(
    dialect: str, parameter: str, key: sa.ColumnElement[str]
) -> sa.ColumnElement[datetime]:
    """The instant under a key of one bound parameter, a JSON object of `instant_text`s."""
    given = sa.bindparam(parameter, type_=sa.Text)
    if dialect == "postgresql":
        text = sa.cast(given, postgresql.JSONB)[key].astext
        return sa.cast(text, sa.DateTime(timezone=True))
    text = sa.func.json_extract(given, sa.literal('$."', sa.Text) + key + '"')
    return _plain_text(text, UtcDateTime())


def insert_into(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may say what to do with a row that is already there."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def quiet_insert(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT to which a row that is already there is no error, and no row."""
    return insert_into(dialect, table).on_conflict_do_nothing()


def unguessed(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition, kept from the query planner's guesses.

    About a value that this transaction wrote, statistics say that no row has it; a plan made for
    no row is slow for thousands. So a join is left to its keys, and this only filters.
    """
    return sa.case((condition, sa.true()), else_=sa.false())


def _plain(type_: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    return sa.DateTime(timezone=True) if isinstance(type_, UtcDateTime) else type_


def _plain_text(
    value: sa.ColumnElement[Any], type_: sa.types.TypeEngine[Any]
) -> sa.ColumnElement[Any]:
    """A value of a JSON parameter as SQLite keeps it: instants without the offset, which is UTC."""
    if not isinstance(type_, UtcDateTime):
        return value
    return sa.func.substr(value, 1, sa.literal_column(str(_INSTANT_LENGTH)))
