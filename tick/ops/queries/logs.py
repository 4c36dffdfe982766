"""The log of a run: its lines and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.engine.runs.requeue import ENDED
from tick.ops.queries import runs
from tick.ops.schemas import Schema
from tick.states import LogLevel, RunStatus
from tick.store.tables import job_log

_l = job_log.c
LOG_ROWS = 500
FILE_ROWS = 5000


class LogLine(Schema):
    """One line that a run logged."""

    id: int
    attempt: int
    at: datetime
    level: LogLevel
    message: str
    fields: Any


@dataclass(frozen=True)
class LineFilter:
    """The conditions on lines: their levels, and a text that they hold in whatever case."""

    levels: Sequence[LogLevel] = ()
    text: str | None = None


ALL_LINES = LineFilter()


class LogPage(Schema):
    """Consecutive lines, oldest first."""

    items: tuple[LogLine, ...]
    previous: str | None = Field(description="the lines before these; null at the top")
    next: str | None = Field(
        description="the lines after these, to be asked for again and again; "
        "null when the run has ended and these are its last"
    )
    status: RunStatus = Field(description="of the run")
    cut: int = Field(default=0, description="how many lines of the log were too many to be kept")


@dataclass(frozen=True)
class LogLines:
    """Consecutive lines, oldest first.

    `earlier` leads on upwards as `before=`, `later` downwards as the line to look around; None at
    either end.
    """

    lines: tuple[LogLine, ...]
    earlier: int | None = None
    later: int | None = None

    @property
    def last_id(self) -> int | None:
        """The id that a tail goes on after."""
        return self.lines[-1].id if self.lines else None


@dataclass(frozen=True)
class AttemptLog:
    """The part of the log that one attempt wrote."""

    number: int
    lines: int
    first_at: datetime
    last_at: datetime
    ended: str | None = None
    """The state in which it ended, if a person had the run put back, and the reason below."""
    said: str | None = None


def last_lines(
    connection: sa.Connection,
    run_id: int,
    wanted: LineFilter = ALL_LINES,
    *,
    before: int | None = None,
    limit: int = LOG_ROWS,
) -> LogLines:
    """Return the newest lines of a run, or the newest before an id."""
    # One more than is shown tells whether earlier ones exist.
    query = _lines(run_id, wanted).order_by(_l.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(_l.id < before)
    rows = [LogLine(**row._mapping) for row in connection.execute(query)]
    kept = tuple(reversed(rows[:limit]))
    return LogLines(kept, kept[0].id if len(rows) > limit else None, before)


def lines_around(
    connection: sa.Connection, run_id: int, line_id: int, wanted: LineFilter = ALL_LINES
) -> LogLines:
    """Return a page of lines with the line of that id in its middle."""
    half = LOG_ROWS // 2  # the line itself is the first of the lower half
    above = last_lines(connection, run_id, wanted, before=line_id, limit=half)
    below = lines_after(connection, run_id, line_id - 1, wanted, limit=half + 1)
    kept = below[:half]
    return LogLines(
        above.lines + kept, above.earlier, below[-1].id if len(below) > len(kept) else None
    )


def lines_after(
    connection: sa.Connection,
    run_id: int,
    after: int,
    wanted: LineFilter = ALL_LINES,
    *,
    limit: int = LOG_ROWS,
) -> tuple[LogLine, ...]:
    """Return the lines after an id, oldest first."""
    query = _lines(run_id, wanted).where(_l.id > after).order_by(_l.id).limit(limit)
    return tuple(LogLine(**row._mapping) for row in connection.execute(query))


def read_log(
    connection: sa.Connection,
    run_id: int,
    *,
    after: int | None = None,
    before: int | None = None,
    levels: Sequence[LogLevel] = (),
) -> LogPage:
    """Return the newest lines, or the lines after or before an id. Raises NotFound."""
    # The state first: lines that come between the two reads are seen by this or the next page.
    run = runs.get_run(connection, run_id)
    if after is None:
        page = last_lines(connection, run_id, LineFilter(levels), before=before)
    else:
        page = LogLines(lines_after(connection, run_id, after, LineFilter(levels)))
    # Lines of a run that has ended can only be missing from a full page, or below a page upwards.
    goes_on = run.is_live or before is not None or len(page.lines) == LOG_ROWS
    return LogPage(
        items=page.lines,
        previous=None if page.earlier is None else str(page.earlier),
        next=str(page.last_id or after or 0) if goes_on else None,
        status=run.status,
        cut=count_cut_lines(connection, run_id),
    )


def attempts_in_log(connection: sa.Connection, run_id: int) -> tuple[AttemptLog, ...]:
    """Return the attempts that logged something, in order."""
    query = (
        sa.select(
            _l.attempt,
            sa.func.count().label("lines"),
            sa.func.min(_l.at).label("first_at"),
            sa.func.max(_l.at).label("last_at"),
            sa.func.max(_l.id).label("last_id"),
        )
        .where(_l.run_id == run_id)
        .group_by(_l.attempt)
        .subquery("attempt")
    )
    rows = connection.execute(
        sa.select(*list(query.c)[:4], _l.fields, _l.message)
        .join_from(query, job_log, _l.id == query.c.last_id)
        .order_by(query.c.attempt)
    )
    found = []
    for row in rows:
        ended = row.fields.get(ENDED) if isinstance(row.fields, dict) else None
        said = row.message if ended else None
        found.append(AttemptLog(row.attempt, row.lines, row.first_at, row.last_at, ended, said))
    return tuple(found)


def count_cut_lines(connection: sa.Connection, run_id: int) -> int:
    """Count the lines of the run, in all attempts, that were too many to be kept."""
    # One WARNING stands for the lines that were cut at its place, and holds their number.
    cut = _l.fields["cut"].as_integer()
    found = sa.select(sa.func.sum(cut)).where(_l.run_id == run_id, _l.level == LogLevel.WARNING)
    return int(connection.execute(found).scalar_one() or 0)


def count_lines(connection: sa.Connection, run_id: int) -> int:
    """Count the lines of the run."""
    found = sa.select(sa.func.count()).where(_l.run_id == run_id)
    return int(connection.execute(found).scalar_one())


def _lines(run_id: int, wanted: LineFilter) -> sa.Select[Any]:
    query = sa.select(_l.id, _l.attempt, _l.at, _l.level, _l.message, _l.fields)
    query = query.where(_l.run_id == run_id)
    if wanted.levels:
        query = query.where(_l.level.in_(wanted.levels))
    if wanted.text:
        query = query.where(_l.message.icontains(wanted.text, autoescape=True))
    return query
