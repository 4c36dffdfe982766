"""The plans of statements, over the statistics of a long history, as both databases choose them."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from tick.store.database import Database

LONG = ("job_run", "occurrence", "job_log")
"""The tables that grow with every firing."""
# Indexes of what is not over yet: as small after ten years as on the first day.
SMALL = frozenset(
    {
        *("ix_job_run_claimable", "ix_job_run_running", "uq_job_run_unfinished"),
        *("ix_job_run_uncounted", "ix_occurrence_uncounted"),
        *("ix_occurrence_live", "ix_occurrence_unjudged"),
    }
)
# Those of one kind of rows, by id: a page of them is read in order, and ends when it is full.
IN_ORDER = frozenset({"ix_job_run_failed"})
# Read in order and under a limit, in a part of the statement that has no other order.
LIMITED = "ix_occurrence_ranges|ix_occurrence_unusual|ix_occurrence_unusual_of_schedule"
_STEP = re.compile(
    r"(?P<kind>SCAN|SEARCH) (?P<table>\w+)(?: USING (?:COVERING )?(?:INDEX (?P<index>\w+))?)?"
)
_HALF_OPEN = re.compile(rf"^(?!.* (?:{LIMITED}) ).*\((?!.*>\?.*<\?).*[<>]\?\)")
_ALIAS = re.compile(rf"\b({'|'.join(LONG)})(?: AS)? (\w+)")


@dataclass(frozen=True)
class Sent:
    """A statement as it was sent."""

    statement: str
    parameters: Any


@contextmanager
def recorded(database: Database) -> Iterator[list[Sent]]:
    """The statements that are sent meanwhile."""
    sent: list[Sent] = []

    def note(_c: object, _u: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append(Sent(statement, parameters))

    engines = {database.read, database.write}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def pretend_long(database: Database, times: int) -> None:
    """Let the planner think that there are so many times as many rows as there are."""
    with database.write.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
        if database.url.get_backend_name() == "sqlite":
            _pretend_sqlite(connection, times)
        else:
            # A plan is made for the pages that there are, times the rows that one of them has.
            connection.exec_driver_sql(
                f"UPDATE pg_class SET reltuples = reltuples * {times} WHERE relname IN {LONG!r}"
                " OR oid IN (SELECT indexrelid FROM pg_index JOIN pg_class AS own"
                f" ON own.oid = indrelid WHERE own.relname IN {LONG!r})"
            )
    database.close()  # who connects anew reads the statistics anew


def _pretend_sqlite(connection: sa.Connection, times: int) -> None:
    """`stat` is the number of rows, then how many share the first columns of the index."""
    for table, index, stat in connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1"):
        rows, *alike = map(int, stat.split())
        if table in LONG:
            more = [number * times if number > 1 else number for number in (rows, *alike)]
            connection.exec_driver_sql(
                "UPDATE sqlite_stat1 SET stat = ? WHERE tbl = ? AND idx IS ?",
                (" ".join(map(str, more)), table, index),
            )


def walks(database: Database, sent: Sent) -> list[str]:
    """The steps of its plan that go through a long table, or through an index of all its rows.

    A first page of everything may: it stops when the page is full.
    """
    if not sent.statement.lstrip().upper().startswith(("SELECT", "WITH")):
        return []
    find: Callable[[sa.Connection, Sent], list[str]] = _walks_of_sqlite
    if database.url.get_backend_name() == "postgresql":
        find = _walks_of_postgresql
    with database.read.connect() as connection:
        return find(connection, sent)


def _walks_of_sqlite(connection: sa.Connection, sent: Sent) -> list[str]:
    rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sent.statement, sent.parameters)
    names = {alias: table for table, alias in _ALIAS.findall(sent.statement)}
    steps = [row[-1] for row in rows]
    ends_early = "LIMIT" in sent.statement and "USE TEMP B-TREE FOR ORDER BY" not in steps
    found = []
    for step in steps:
        scan = _STEP.match(step)
        if scan is None or names.get(scan["table"], scan["table"]) not in LONG:
            continue
        is_page = ends_early and (scan["index"] in IN_ORDER or "WHERE" not in sent.statement)
        if scan["kind"] == "SEARCH":
            is_page = ends_early or not _HALF_OPEN.search(step)
        if not (is_page or scan["index"] in SMALL):
            found.append(step)
    return found


def _walks_of_postgresql(connection: sa.Connection, sent: Sent) -> list[str]:
    plan = connection.exec_driver_sql(
        "EXPLAIN (FORMAT JSON) " + sent.statement, sent.parameters
    ).scalar_one()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return list(_in_node(plan[0]["Plan"], limited=False))


def _in_node(node: dict[str, Any], *, limited: bool) -> Iterator[str]:
    limited = limited or node["Node Type"] == "Limit"
    if node.get("Relation Name") in LONG and not _is_bounded(node, limited=limited):
        yield f"{node['Node Type']} on {node['Relation Name']}: {node.get('Filter', 'no filter')}"
    for child in node.get("Plans", ()):
        yield from _in_node(child, limited=limited)


def _is_bounded(node: dict[str, Any], *, limited: bool) -> bool:
    if node["Node Type"].startswith("Bitmap Heap"):
        return all(_looks_up(each) for each in _indexes_of(node))
    return _looks_up(node) or (limited and "Index Name" in node and "Filter" not in node)


def _indexes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in node["Plans"]:
        if "Index Name" in child:
            yield child
        else:
            yield from _indexes_of(child)


def _looks_up(node: dict[str, Any]) -> bool:
    return "Index Cond" in node or "TID Cond" in node or node.get("Index Name") in SMALL
