"""The status of the scheduler as a whole, with its living processes."""

from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from tick.engine.ledger.environment import environment_mistake
from tick.ops.queries.health import last_decided_at, read_health, read_page_status
from tick.ops.queries.windows import scheduler_revision
from tick.ops.queries.workers import Worker, list_living
from tick.ops.schemas import Schema


class TickSource(Schema):
    """One of those who tick, by its latest ticks."""

    source: str
    last_at: datetime
    usual_seconds: float = Field(description="the usual distance between two of its ticks")
    learned: bool = Field(description="false while it ticked too little to know what is usual")
    late: bool = Field(description="its last tick is older than three of those")


class SchedulerStatus(Schema):
    """How the system does. Counts stop at 1001, which means: more than 1000."""

    now: datetime
    last_tick_at: datetime | None
    last_tick_source: str | None
    last_tick_error: str | None
    usual_seconds: float = Field(description="the usual distance between two ticks")
    learned: bool = Field(description="false while there were too few ticks to know it")
    synced_at: datetime | None = Field(
        description="when a sync decided what was due, as long as nothing has ticked"
    )
    ticks_are_late: bool = Field(description="the last tick is older than three of those")
    sources: tuple[TickSource, ...] = Field(description="who ticked lately, the latest first")
    ahead_to: datetime | None = Field(
        description="a clock was ahead: up to then schedules count as decided, and do not fire"
    )
    stands: bool = Field(description="it is stopped or in a maintenance window: nothing fires")
    stands_because: str | None = Field(description="since when, by whom and why")
    environment: str | None = Field(
        None, description="the one that the database belongs to; null before its first sync"
    )
    wrong_environment: str | None = Field(
        None, description="what to do, if whoever answers is set to another environment"
    )
    revision: str = Field(description="changes when somebody stops or starts it; for If-Match")
    workers: int = Field(description="living job workers")
    running: int
    queued: int
    processes: tuple[Worker, ...] = Field(
        description="the living loops, HTTP triggers and workers, at most 100"
    )


def read_status(
    connection: sa.Connection, now: datetime, dead_after_seconds: float, environment: str
) -> SchedulerStatus:
    """Read whether the system ticks and works, and its living processes."""
    status = read_page_status(connection, now, dead_after_seconds)
    health, window = read_health(connection, now, status), status.active_window
    return SchedulerStatus(
        **vars(health),
        synced_at=None if health.last_tick_at else last_decided_at(connection),
        now=now,
        ticks_are_late=health.ticks_are_late(now),
        environment=status.environment,
        wrong_environment=environment_mistake(status.environment, environment),
        stands=window is not None,
        stands_because=window.in_words() if window else None,
        revision=scheduler_revision(connection),
        processes=list_living(connection, now, dead_after_seconds),
    )
