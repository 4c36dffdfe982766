"""What a run logged, as people read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.models import job_log
from tick.states import LogLevel

_l = job_log.c
LOG_ROWS = 500
SERIOUS = (LogLevel.WARNING, LogLevel.ERROR)


@dataclass(frozen=True)
class LogLine:
    """One line that a run logged."""

    id: int
    attempt: int
    at: datetime
    level: str
    message: str
    fields: Any


@dataclass(frozen=True)
class LogPage:
    """Consecutive lines, oldest first; `earlier` leads on upwards as `before=`, None at the top."""

    lines: tuple[LogLine, ...]
    earlier: int | None = None

    @property
    def last_id(self) -> int | None:
        """Where a tail goes on."""
        return self.lines[-1].id if self.lines else None


def last_lines(
    connection: sa.Connection,
    run_id: int,
    *,
    before: int | None = None,
    levels: Sequence[LogLevel] = (),
    limit: int = LOG_ROWS,
) -> LogPage:
    """The newest lines of a run, or the newest of those before an id."""
    query = _lines(run_id, levels).order_by(_l.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(_l.id < before)
    rows = [LogLine(**row._mapping) for row in connection.execute(query)]
    kept = tuple(reversed(rows[:limit]))
    return LogPage(kept, kept[0].id if len(rows) > limit else None)


def lines_after(
    connection: sa.Connection,
    run_id: int,
    after: int,
    *,
    levels: Sequence[LogLevel] = (),
    limit: int = LOG_ROWS,
) -> tuple[LogLine, ...]:
    """The lines that came after an id, oldest first."""
    query = _lines(run_id, levels).where(_l.id > after).order_by(_l.id).limit(limit)
    return tuple(LogLine(**row._mapping) for row in connection.execute(query))


def _lines(run_id: int, levels: Sequence[LogLevel]) -> sa.Select[Any]:
    query = sa.select(_l.id, _l.attempt, _l.at, _l.level, _l.message, _l.fields)
    query = query.where(_l.run_id == run_id)
    return query.where(_l.level.in_(levels)) if levels else query
