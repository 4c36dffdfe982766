"""Limits of the runs of a job, a group or a queue at one time.

Rows are counted, never a counter kept. Claims that count run one after another, so that no two of
them use the same free capacity: by an advisory lock on PostgreSQL; SQLite has one writer anyway.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from tick.define.jobs import JobDefinition
from tick.settings import Settings
from tick.states import RunStatus
from tick.store.advisory_locks import AdvisoryLock, acquire
from tick.store.sql import literal_state
from tick.store.tables import job_run

Name = tuple[str, str]
"""A column of job_run, and a value in it."""
Limits = Mapping[Name, int]
"""The most runs at one time, by name; a name that is not there has no limit."""
LIMITED = (job_run.c.job_name, job_run.c.job_group, job_run.c.queue)


class Capacity:
    """The runs that each limited name may still have, while this transaction holds the lock."""

    def __init__(self, left: Mapping[Name, int]) -> None:
        self._left = dict(left)

    def take(self, row: sa.Row[Any]) -> bool:
        """Count in the run of a row with the LIMITED columns; False if one of its names is full."""
        names = [name for name in _names(row) if name in self._left]
        if any(self._left[name] <= 0 for name in names):
            return False
        for name in names:
            self._left[name] -= 1
        return True

    def full(self) -> dict[str, list[str]]:
        """The names that are full, by column."""
        full: dict[str, list[str]] = {column.name: [] for column in LIMITED}
        for (column, value), left in self._left.items():
            if left <= 0:
                full[column].append(value)
        return full


def find_limits(jobs: Iterable[JobDefinition], settings: Settings) -> Limits:
    """The limits of jobs, groups and queues together."""
    limited = ((job.name, job.max_concurrent) for job in jobs)
    most = {("job_name", name): number for name, number in limited if number is not None}
    most |= {("job_group", name): number for name, number in settings.group_limits.items()}
    most |= {("queue", name): number for name, number in settings.queue_limits.items()}
    return most


def acquire_capacity(connection: sa.Connection, limits: Limits) -> Capacity | None:
    """Take the lock of limited claims, to the end of the transaction, and count what runs."""
    if not limits:
        return None  # such claims need not wait for each other
    acquire(connection, AdvisoryLock.LIMITS)
    left = dict(limits)
    # A statement after the lock sees what its last holder has committed.
    for row in connection.execute(_RUNNING):
        for name in _names(row):
            if name in left:
                left[name] -= row.running
    return Capacity(left)


def _names(row: sa.Row[Any]) -> list[Name]:
    return [(column.name, row._mapping[column.name]) for column in LIMITED]


_RUNNING = (
    sa.select(*LIMITED, sa.func.count().label("running"))
    .where(literal_state(job_run.c.status, RunStatus.RUNNING))
    .group_by(*LIMITED)
)
