"""Writes the lines, progress and starts of runs in batches, guarded by their tokens."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from tick.executors.claimed_run import Claim, ClaimedRun
from tick.executors.executor import ProgressReport
from tick.executors.log_lines import Line
from tick.states import RunStatus
from tick.store.sql import json_param, json_rows
from tick.store.tables import job_log, job_run

_l, _r = job_log.c, job_run.c


def write_lines(connection: sa.Connection, lines: Iterable[tuple[ClaimedRun, Line]]) -> None:
    """Append the lines in order; those of a run that is no longer its claimer's are left out."""
    rows = [_row(position, run, line) for position, (run, line) in enumerate(lines)]
    if rows:
        connection.execute(_write(connection.dialect.name), {"rows": json_param(rows)})


def _row(position: int, run: ClaimedRun, line: Line) -> dict[str, Any]:
    fields = {"logger": line.logger, "cut": line.stands_for}
    return {
        "position": position,
        "run_id": run.run_id,
        "fencing_token": run.fencing_token,
        "attempt": run.attempt,
        "at": line.at,
        "level": line.level,
        "message": line.message,
        "fields": {name: value for name, value in fields.items() if value} or None,
    }


@cache
def _write(dialect: str) -> sa.Insert:
    copied = [_l.run_id, _l.attempt, _l.at, _l.level, _l.message, _l.fields]
    columns = [sa.column("position", sa.Integer), _r.fencing_token, *copied]
    line = json_rows(dialect, "rows", columns, "line").c
    chosen = (
        sa.select(*(line[column.name] for column in copied))
        .where(
            _r.id == line.run_id,
            _r.fencing_token == line.fencing_token,
            _r.status == RunStatus.RUNNING,
        )
        .order_by(line.position)
    )
    return sa.insert(job_log).from_select([column.name for column in copied], chosen)


def write_progress(connection: sa.Connection, reports: Iterable[ProgressReport]) -> None:
    """Store the newest progress of each run that is still its claimer's."""
    rows = [
        {"id": report.run.run_id, "fencing_token": report.run.fencing_token}
        | {"progress": report.fraction, "progress_text": report.text or None}
        for report in reports
    ]
    _overwrite(connection, rows, _r.progress, _r.progress_text)


def write_starts(connection: sa.Connection, starts: Mapping[Claim, datetime]) -> None:
    """Store when runs that were claimed ahead of their time have begun."""
    rows = [
        {"id": run_id, "fencing_token": token, "started_at": at}
        for (run_id, token), at in starts.items()
    ]
    _overwrite(connection, rows, _r.started_at)


def _overwrite(
    connection: sa.Connection, rows: list[dict[str, Any]], *columns: sa.Column[Any]
) -> None:
    if rows:
        statement = _newest(connection.dialect.name, columns)
        connection.execute(statement, {"rows": json_param(rows)})


@cache
def _newest(dialect: str, columns: tuple[sa.Column[Any], ...]) -> sa.Update:
    new = json_rows(dialect, "rows", [_r.id, _r.fencing_token, *columns], "new").c
    return (
        sa.update(job_run)
        .where(
            _r.id == new.id, _r.fencing_token == new.fencing_token, _r.status == RunStatus.RUNNING
        )
        .values({column: new[column.name] for column in columns})
    )
