"""A database with rows in every table, made from the models alone."""

import re
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from tick.store.tables import metadata

ROWS = 2
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def fill(connection: sa.Connection) -> None:
    """Put rows into every table; what may refer to another row does."""
    for table in metadata.sorted_tables:
        rows = [_row(table, number) for number in range(1, ROWS + 1)]
        connection.execute(sa.insert(table), rows)


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many rows each table has."""
    counted = sa.select(sa.func.count())
    names = sa.inspect(connection).get_table_names()
    return {
        name: connection.execute(counted.select_from(sa.table(name))).scalar_one() for name in names
    }


def _row(table: sa.Table, number: int) -> dict[str, Any]:
    keyed = {*table.primary_key.columns, *(key.parent for key in table.foreign_keys)}
    wanted = [column for column in table.c if column in keyed or _must_be_given(column)]
    return {column.name: _value(table, column, number) for column in wanted}


def _must_be_given(column: sa.Column[Any]) -> bool:
    return not column.nullable and column.server_default is None


def _value(table: sa.Table, column: sa.Column[Any], number: int) -> Any:
    if (listed := _listed(table, column)) is not None:
        return listed
    kind = getattr(column.type, "impl", column.type)
    if isinstance(kind, sa.DateTime):
        return AT
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.LargeBinary):
        return b"bytes"
    if isinstance(kind, sa.Boolean):
        return False
    return f"{number}" if isinstance(kind, sa.String) else number


def _listed(table: sa.Table, column: sa.Column[Any]) -> str | None:
    """The first value that the column's CHECK lists."""
    for check in table.constraints:
        if isinstance(check, sa.CheckConstraint):
            found = re.match(rf"{column.name} IN \('(\w+)'", str(check.sqltext))
            if found:
                return found[1]
    return None
