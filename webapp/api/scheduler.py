"""The scheduler as a whole: whether it ticks, what there is to do, what comes next."""

from datetime import datetime

from pydantic import Field

from tick.ops.queries import workers
from tick.ops.upcoming import list_upcoming
from webapp.api.models import Answer, Query
from webapp.api.operations import Resource
from webapp.api.workers import Worker
from webapp.services import now, pulse, reading, runtime

resource = Resource("scheduler", "Whether the system ticks, and what there is to do.")


class SchedulerStatus(Answer):
    """How the system does. Counts stop at 1001, which means: more than 1000."""

    now: datetime
    last_tick_at: datetime | None
    last_tick_source: str | None
    last_tick_error: str | None
    usual_seconds: float = Field(description="the usual distance between two ticks")
    ticks_are_late: bool = Field(description="the last tick is older than three of those")
    workers: int = Field(description="living job workers")
    running: int
    queued: int
    processes: tuple[Worker, ...] = Field(
        description="the living loops, HTTP triggers and workers, at most 100"
    )


class UpcomingInstant(Answer):
    """An instant to come of a schedule that is on."""

    at: datetime
    schedule_id: str
    name: str
    timezone: str


class Upcoming(Answer):
    """What fires next, in order."""

    items: tuple[UpcomingInstant, ...]


class UpcomingQuery(Query):
    """How much of it."""

    count: int = Field(20, ge=1, le=200)


@resource.get("/scheduler/upcoming")
def read_upcoming(query: UpcomingQuery) -> Upcoming:
    """List what fires next, over all schedules that are on."""
    with reading() as connection:
        return Upcoming.model_validate({"items": list_upcoming(connection, now(), query.count)})


@resource.get("/scheduler/status")
def read_status() -> SchedulerStatus:
    """Read whether the system ticks and works."""
    with reading() as connection:
        found = pulse(connection)
        alive = workers.list_living(connection, now(), runtime().settings.dead_after_seconds)
    return SchedulerStatus.model_validate(
        {
            **vars(found),
            "now": now(),
            "ticks_are_late": found.ticks_are_late(now()),
            "processes": alive,
        }
    )
