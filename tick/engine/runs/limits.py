"""How many runs of a job, a group or a queue may run at one time.

Rows are counted, never a counter kept. The claims that count take turns, so that no two of them
fill the same room: by an advisory lock on PostgreSQL; on SQLite there is one writer anyway.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
LIMITED = (job_run.c.job_name, job_run.c.job_group, job_run.c.queue)


@dataclass(frozen=True)
class ConcurrencyLimits:
    """The most runs at one time, by name; a name that is not there has no limit."""

    most: Mapping[Name, int]

    def __bool__(self) -> bool:
        return bool(self.most)


class Capacity:
    """How many more runs each limited name has room for, while this turn lasts."""

    def __init__(self, left: Mapping[Name, int]) -> None:
        self._left = dict(left)

    def take(self, row: sa.Row[Any]) -> bool:
        """Let the run of a row with the LIMITED columns in, if there is room for it everywhere."""
        names = [name for name in _names(row) if name in self._left]
        if any(self._left[name] <= 0 for name in names):
            return False
        for name in names:
            self._left[name] -= 1
        return True

    def full(self) -> dict[str, list[str]]:
        """The values without room, by column."""
        full: dict[str, list[str]] = {column.name: [] for column in LIMITED}
        for (column, value), left in self._left.items():
            if left <= 0:
                full[column].append(value)
        return full


def find_limits(jobs: Iterable[JobDefinition], settings: Settings) -> ConcurrencyLimits:
    """The limits of jobs, groups and queues together."""
    most: dict[Name, int] = {
        ("job_name", job.name): job.max_concurrent for job in jobs if job.max_concurrent is not None
    }
    most |= {("job_group", name): number for name, number in settings.group_limits.items()}
    most |= {("queue", name): number for name, number in settings.queue_limits.items()}
    return ConcurrencyLimits(most)


def acquire_capacity(connection: sa.Connection, limits: ConcurrencyLimits) -> Capacity | None:
    """Wait for this claim's turn, which ends with the transaction, and count what runs.

    None when nothing has a limit: such claims need not wait for each other.
    """
    if not limits:
        return None
    acquire(connection, AdvisoryLock.LIMITS)
    left = dict(limits.most)
    # A statement after the lock, so that it sees what the turn before has committed.
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
