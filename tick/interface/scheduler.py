"""The scheduler as a whole: whether it ticks, what there is to do, what comes next."""

from pydantic import Field

from tick.interface.inputs import Nothing, Query
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import clock_ahead
from tick.ops.actions.clock_ahead import BroughtBack
from tick.ops.queries import scheduler
from tick.ops.queries.scheduler import SchedulerStatus
from tick.ops.reports.dry_run import TickPreview, dry_run
from tick.ops.reports.upcoming import UpcomingInstant, list_upcoming
from tick.ops.schemas import Schema

resource = Resource("scheduler", "Whether the system ticks, and what there is to do.")


class Upcoming(Schema):
    """What fires next, in order."""

    items: tuple[UpcomingInstant, ...]


class UpcomingQuery(Query):
    """How much of it."""

    count: int = Field(20, ge=1, le=200)
    with_off: bool = Field(False, description="also of schedules that are off, paused or removed")
    once_each: bool = Field(False, description="only the next instant of each schedule")


@resource.get("/scheduler/dry-run")
def preview_tick(context: Context) -> TickPreview:
    """Read what a tick would decide now."""
    return dry_run(context.database, context.runtime.settings, context.now)


@resource.get("/scheduler/upcoming")
def read_upcoming(context: Context, query: UpcomingQuery) -> Upcoming:
    """List what fires next, over all schedules that are on."""
    how = query.model_dump(exclude={"count"})
    return Upcoming(items=tuple(context.read(list_upcoming, context.now, query.count, **how)))


@resource.post("/scheduler/resume-from-now", Permission.SCHEDULE_EDIT)
def resume_all_from_now(context: Context, body: Nothing) -> BroughtBack:
    """Let each schedule that a clock ahead has put into the future go on after now."""
    return clock_ahead.resume_all_from_now(context.database, context.act())


@resource.get("/scheduler/status")
def read_status(context: Context) -> SchedulerStatus:
    """Read whether the system ticks and works."""
    settings = context.runtime.settings
    return context.read(
        scheduler.read_status, context.now, settings.dead_after_seconds, settings.environment
    )
