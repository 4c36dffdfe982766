"""PostgreSQL databases for one test after another: emptying one costs less than making one."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
from psycopg import sql

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
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
FILLED = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
"""


class Copies:
    """Copies of a migrated database, each as it was at first when it is handed out.

    A copy is thrown away when a test has changed more than rows, or when somebody is still in it.
    """

    def __init__(self, server: PostgresServer, template: str, prefix: str) -> None:
        self._server, self._template, self._prefix = server, template, prefix
        self._numbers = count(1)
        self._free: list[str] = []
        with self._inside(template) as connection:
            self._shape = connection.execute(SHAPE).fetchone()
            self._first_rows = {table: _rows(connection, table) for table in _filled(connection)}

    def take(self) -> tuple[str, str]:
        """The name and URL of a copy under a name of its own, which no earlier test has known."""
        name = f"{self._prefix}_{next(self._numbers)}"
        if self._free:
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            self._server.execute(rename.format(*map(sql.Identifier, (self._free.pop(), name))))
            return name, self._server.url_of(name)
        return name, self._server.create_database(name, self._template)

    def give_back(self, name: str) -> None:
        """Empty a copy for the next test, or drop it."""
        try:
            emptied = self._empty(name)
        except psycopg.Error:
            emptied = False  # the test took something away, or this user may not do it
        if emptied:
            self._free.append(name)
        else:
            self._server.drop_database(name)

    def _empty(self, name: str) -> bool:
        with self._inside(name) as connection:
            if connection.execute(SHAPE).fetchone() != self._shape:
                return False
            if connection.execute(OTHERS).fetchone() != (0,):
                return False
            connection.execute("SET session_replication_role = replica")  # no trigger objects
            if filled := _filled(connection):
                tables = sql.SQL(", ").join(map(sql.Identifier, filled))
                connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(tables))
            for table, rows in self._first_rows.items():
                fill = "INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, {1})"
                connection.execute(sql.SQL(fill).format(sql.Identifier(table), rows))
        return True

    @contextmanager
    def _inside(self, name: str) -> Iterator[psycopg.Connection[Any]]:
        url = self._server.url_of(name).replace("+psycopg", "")
        with psycopg.connect(url, connect_timeout=10) as connection:
            yield connection


def _filled(connection: psycopg.Connection[Any]) -> list[str]:
    """The tables that have, or had, rows."""
    return [name for (name,) in connection.execute(FILLED)]


def _rows(connection: psycopg.Connection[Any], table: str) -> str:
    """The rows of a table as a JSON array."""
    rows = sql.SQL("SELECT coalesce(json_agg(t), '[]')::text FROM {} t")
    found = connection.execute(rows.format(sql.Identifier(table))).fetchone()
    return str(found[0]) if found else "[]"
