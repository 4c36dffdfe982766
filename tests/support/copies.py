"""PostgreSQL databases for one test after another: emptying one costs less than making one."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
from psycopg import sql

from tests.support.kept import Keeper
from tests.support.postgres import PostgresServer

# What a test may change besides rows: tables, triggers, functions, rights, statistics, settings.
SHAPE = """
SELECT
    (SELECT version_num FROM alembic_version),
    (SELECT (count(*), max(oid::bigint), count(relacl))::text FROM pg_class),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_attribute),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_constraint),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_index),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_sequence),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_trigger),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_proc),
    (SELECT (count(*), max(xmin::text::bigint))::text FROM pg_type),
    (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND reltuples >= 0),
    (SELECT count(*) FROM pg_statistic WHERE starelid >= 16384),
    (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON s.setdatabase = d.oid
        WHERE d.datname = current_database())
"""
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL(%s)
"""
FILLED = """
SELECT relname, pg_relation_size(oid) > 65536 FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
"""


class Copies:
    """Copies of a migrated database, each as it was at first when it is handed out.

    A copy is thrown away when a test has changed more than rows, or when somebody is still in it.
    """

    def __init__(self, server: PostgresServer, template: str, prefix: str, keeper: Keeper) -> None:
        self._server, self._template, self._prefix = server, template, prefix
        self._keeper = keeper
        self._numbers = count(1)
        self._free: list[str] = []
        name = self._make()
        with self._inside(name) as connection:
            self._shape = connection.execute(SHAPE).fetchone()
            self._first = first_state(connection)
        self._free.append(name)

    def take(self) -> tuple[str, str]:
        """The name and URL of a copy."""
        name = self._free.pop() if self._free else self._make()
        return name, self._server.url_of(name)

    def give_back(self, name: str) -> None:
        """Empty a copy for the next test, or drop it: no later copy has its name."""
        self._keeper.next_use(name)
        try:
            emptied = self._empty(name)
        except psycopg.Error:
            emptied = False  # the test took something away, or this user may not do it
        if emptied:
            self._free.append(name)
        else:
            self._keeper.forget(name)
            self._server.drop_database(name)

    def _make(self) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self._server.create_database(name, self._template)
        return name

    def _empty(self, name: str) -> bool:
        with self._inside(name) as connection:
            if connection.execute(SHAPE).fetchone() != self._shape:
                return False
            if connection.execute(OTHERS, [self._keeper.processes(name)]).fetchone() != (0,):
                return False
            connection.execute(sql.SQL("; ").join([emptying(connection), *self._first]))
        return True

    @contextmanager
    def _inside(self, name: str) -> Iterator[psycopg.Connection[Any]]:
        conninfo = self._server.url_of(name).replace("+psycopg", "")
        how = {"conninfo": conninfo, "connect_timeout": 10, "prepare_threshold": None}
        with self._keeper.connect(name, how) as connection:
            yield connection


def emptying(connection: psycopg.Connection[Any]) -> sql.Composed:
    """Statements that delete all rows, in a transaction in which nothing is checked.

    DELETE costs less than TRUNCATE, which makes all files of a table anew, as long as few rows
    were there. What is referred to elsewhere goes too: no trigger objects.
    """
    steps: list[sql.Composable] = [sql.SQL("SET LOCAL session_replication_role = replica")]
    for table, is_large in connection.execute(FILLED):
        empty = "TRUNCATE {} CASCADE" if is_large else "DELETE FROM {}"
        steps.append(sql.SQL(empty).format(sql.Identifier(table)))
    return sql.Composed(steps).join("; ")


def first_state(connection: psycopg.Connection[Any]) -> list[sql.Composed]:
    """Statements that fill empty tables as they are now, and set all sequences so."""
    steps = []
    for table, _ in connection.execute(FILLED).fetchall():
        fill = "INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, {1})"
        steps.append(sql.SQL(fill).format(sql.Identifier(table), _rows(connection, table)))
    sequences = "SELECT relname FROM pg_class WHERE relkind = 'S'"
    for (name,) in connection.execute(sequences).fetchall():
        state = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
        last, called = connection.execute(state).fetchone() or (1, False)
        steps.append(sql.SQL("SELECT setval({}, {}, {})").format(name, last, called))
    return steps


def _rows(connection: psycopg.Connection[Any], table: str) -> str:
    """The rows of a table as a JSON array."""
    rows = sql.SQL("SELECT coalesce(json_agg(t), '[]')::text FROM {} t")
    found = connection.execute(rows.format(sql.Identifier(table))).fetchone()
    return str(found[0]) if found else "[]"
