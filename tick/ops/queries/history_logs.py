"""A schedule's occurrences with what their runs said of it: their errors and milestones."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.ops.queries.logs import LogLine
from tick.ops.queries.occurrences import Occurrence, list_occurrences
from tick.ops.queries.paging import PAGE_ROWS
from tick.ops.schemas import Page
from tick.states import LogLevel, Outcome
from tick.store.sql import AnyRow
from tick.store.tables import job_log, job_run

MOST_LINES = 100
MESSAGE_LENGTH = 1000
_l, _r = job_log.c, job_run.c
_LEVELS = (LogLevel.ERROR, LogLevel.MILESTONE)


class HistoryLine(LogLine):
    """One line that a run of the occurrence logged."""

    run_id: int
    job_name: str
    message: str = Field(description=f"its first {MESSAGE_LENGTH} characters")


class HistoryItem(Occurrence):
    """An occurrence; with `include=logs` also the errors and milestones that its runs logged."""

    logs: tuple[HistoryLine, ...] | None = Field(
        default=None,
        description=f"the first {MOST_LINES}, errors before milestones; null unless asked for",
    )
    logs_cut: bool = Field(default=False, description="whether there are more of them")


class HistoryPage(Page[HistoryItem]):
    """A schedule's occurrences, newest first."""


def list_history(
    connection: sa.Connection,
    schedule_id: str,
    *,
    with_logs: bool = False,
    outcomes: Iterable[Outcome] = (),
    before: int | None = None,
    size: int = PAGE_ROWS,
) -> HistoryPage:
    """Return a page of a schedule's ledger, newest first; its logs take one statement."""
    page = list_occurrences(connection, schedule_id, outcomes=outcomes, before=before, size=size)
    if not with_logs:
        items = tuple(HistoryItem(**dict(each)) for each in page.items)
        return HistoryPage(items=items, next=page.next)
    lines = _lines(connection, [each.id for each in page.items])
    return HistoryPage(
        items=tuple(_with_logs(each, lines.get(each.id, [])) for each in page.items),
        next=page.next,
    )


def _with_logs(occurrence: Occurrence, rows: Sequence[AnyRow]) -> HistoryItem:
    kept = sorted(rows[:MOST_LINES], key=lambda row: row.id)
    return HistoryItem(
        **dict(occurrence),
        logs=tuple(HistoryLine.model_validate(row) for row in kept),
        logs_cut=len(rows) > MOST_LINES,
    )


def _lines(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[AnyRow]]:
    """Return the lines of each occurrence, one more than are shown, the errors first."""
    found: dict[int, list[AnyRow]] = {}
    for row in connection.execute(_FIRST, {"ids": ids}) if ids else ():
        found.setdefault(row.occurrence_id, []).append(row)
    return found


def _numbered() -> sa.Select[Any]:
    errors_first = sa.case((_l.level == LogLevel.ERROR, 0), else_=1)
    place = sa.func.row_number().over(partition_by=_r.occurrence_id, order_by=(errors_first, _l.id))
    message = sa.func.substr(_l.message, 1, MESSAGE_LENGTH).label("message")
    columns = (_l.id, _l.run_id, _l.attempt, _l.at, _l.level, _l.fields, message)
    query = sa.select(*columns, _r.occurrence_id, _r.job_name, place.label("place"))
    its = _r.occurrence_id.in_(sa.bindparam("ids", expanding=True))
    return query.join_from(job_run, job_log, _l.run_id == _r.id).where(its, _l.level.in_(_LEVELS))


_OF_EACH = _numbered().subquery()
_FIRST = sa.select(_OF_EACH).where(_OF_EACH.c.place <= MOST_LINES + 1).order_by(_OF_EACH.c.place)
