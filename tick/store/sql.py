"""How our SQL is written, and why.

Core only: a statement is built once for each database, by a function with a `@cache`, and run with
parameters. Its text never depends on how many values it is given, for a text that changes would be
parsed and planned anew each time. So:

- Many values travel as one parameter: an array, a JSON array on SQLite (`any_of_param`). Whole
  rows travel as JSON (`json_rows`), and are joined by key. No limit on bound values is met, and a
  thousand schedules take as many statements as one.
- Instants in JSON carry their offset (`json_param`), so that no session's time zone matters.
- States stand in the text as literals (`literal_state`). A partial index serves a query only if the
  planner can see that its predicate holds: a bound value it can't see in SQLite, nor in the generic
  plan of a statement that PostgreSQL has prepared. What a predicate says in other words, such as
  `enabled AND state = 'ACTIVE'`, is repeated word for word, as a `text`.
- A condition that the planner's statistics get wrong is hidden from them (`opaque_filter`): they
  know nothing of what this transaction has just written. `OFFSET 0` in a subquery does the same on
  PostgreSQL: the subquery is asked for each row, and not turned into a join over the whole history.
- `column || ''` or `column + 0` keeps SQLite from an index on that column where another serves.
- An INSERT to which a row is there already adds nothing and raises nothing (`insert_ignore`): the
  unique keys decide who was first. Its row count is therefore no truth; ask for the rows.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect

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
    """The text of an instant inside a JSON parameter; None stays None."""
    return None if instant is None else instant.astimezone(UTC).isoformat(" ", "microseconds")


def json_param(value: Any) -> str:
    """The text of a parameter that is JSON, its instants as `instant_text` writes them."""
    return json.dumps(value, default=instant_text)


def batches(ids: Iterable[int], size: int = MOST_BOUND) -> Iterator[list[int]]:
    """Yields the ids in rising order, in lists that one statement can bind."""
    rising = iter(sorted(set(ids)))
    while part := list(islice(rising, size)):
        yield part


def json_rows(
    dialect: str, parameter: str, columns: Sequence[sa.ColumnClause[Any]], name: str
) -> sa.FromClause:
    """A table named `name` out of one bound parameter, an array of objects by `json_param`."""
    if dialect == "postgresql":
        rows = sa.cast(sa.bindparam(parameter, type_=sa.Text), postgresql.JSON)
        source = sa.func.json_to_recordset(rows)
        typed = [sa.column(column.name, _plain(column.type)) for column in columns]
        return source.table_valued(*typed, name=name).render_derived(with_types=True)
    each = sa.func.json_each(sa.bindparam(parameter)).table_valued("value").alias(f"{name}_json")

    def read(name: str, type_: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
        found = sa.func.json_extract(each.c.value, sa.literal_column(f"'$.{name}'"))
        return sa.type_coerce(_plain_text(found, type_), type_).label(name)

    every = sa.select(*(read(column.name, column.type) for column in columns))
    # The limit makes SQLite read the JSON once, and join by an index that it builds for that.
    return every.limit(sa.literal_column("-1")).subquery(name)


class _Listed(sa.TypeDecorator[Collection[Any]]):
    """Values as one parameter: an array, or a JSON array on SQLite."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: sa.types.TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """Return the value for the driver."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(self.item))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        """A list, or its JSON."""
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


def any_of_param(
    dialect: str, column: sa.ColumnElement[Any], parameter: str
) -> sa.ColumnElement[bool]:
    """Whether a column has one of the values that are bound as one parameter, a collection."""
    listed = sa.bindparam(parameter, type_=_Listed(column.type))
    if dialect == "postgresql":
        return column == sa.any_(listed)
    return column.in_(sa.select(sa.func.json_each(listed).table_valued("value").c.value))


def literal_state(column: sa.ColumnElement[str], *states: str) -> sa.ColumnElement[bool]:
    """Whether a column has one of the states, which stand in the statement as literals."""
    literals = [sa.literal_column(f"'{state}'", sa.String) for state in states]
    return column == literals[0] if len(literals) == 1 else column.in_(literals)


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


def insert_ignore(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that leaves out rows that are already there, without an error."""
    return insert_into(dialect, table).on_conflict_do_nothing()


def opaque_filter(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition, as a filter from which the query planner concludes nothing."""
    # About a value that this transaction wrote, statistics say that no row has it; a plan made for
    # no row is slow for thousands. So joins go by their keys alone.
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
