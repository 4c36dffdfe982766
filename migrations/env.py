"""How Alembic reaches the database: always through a connection that the caller opened."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.ddl.sqlite import SQLiteImpl

from tick.store.tables import metadata

_MADE_ANEW = "_alembic_tmp_"


class KeepingImpl(SQLiteImpl):
    """Makes a SQLite table anew (`batch_alter_table`) with all that stood around the old one.

    Alembic by itself loses its triggers, and the direction of its indexes.
    """

    __dialect__ = "sqlite"

    def drop_table(self, table: sa.Table, **options: Any) -> None:
        """Drop a table; of one that is made anew, remember what goes with it."""
        self._indexes, self._triggers = {}, []
        if sa.inspect(self.connection).has_table(f"{_MADE_ANEW}{table.name}"):
            self._indexes = dict(self._made_for(table, "index"))
            self._triggers = [sql for _, sql in self._made_for(table, "trigger")]
        super().drop_table(table, **options)

    def rename_table(self, old_table_name: str, new_table_name: str, schema: Any = None) -> None:
        """Rename a table; one that was made anew gets the triggers of the old one back."""
        super().rename_table(old_table_name, new_table_name, schema)
        if old_table_name.startswith(_MADE_ANEW):
            for sql in self._triggers:
                self.connection.exec_driver_sql(sql)

    def create_index(self, index: sa.Index, **options: Any) -> None:
        """Create an index; one of a table that was made anew in its old words, if they fit."""
        sql = getattr(self, "_indexes", {}).pop(index.name, None)
        if sql is not None and all(f"{column.name}" in sql for column in index.columns):
            self.connection.exec_driver_sql(sql)
        else:
            super().create_index(index, **options)

    def _made_for(self, table: sa.Table, kind: str) -> list[tuple[str, str]]:
        """The names and statements of a table's indexes or triggers."""
        made = sa.text(
            "SELECT name, sql FROM sqlite_schema"
            " WHERE type = :kind AND tbl_name = :table AND sql IS NOT NULL"
        )
        rows = self.connection.execute(made, {"kind": kind, "table": table.name})
        return [(row.name, row.sql) for row in rows]


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite changes a table by making it anew.
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
