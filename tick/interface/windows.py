"""Stopping the scheduler, and planning times in which nothing fires."""

from tick.interface.inputs import Body, Id, Instant, Nothing, Reason
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import windows
from tick.ops.queries import windows as queries
from tick.ops.schemas import Changed, Page, WindowAdded

resource = Resource("windows", "Times in which nothing fires; a stop is one without an end.")


class WindowList(Page[queries.MaintenanceWindow]):
    """The 100 windows that begin last, those to come first."""


class StopScheduler(Body):
    """Why nothing may fire."""

    reason: Reason


class AddWindow(Body):
    """A time [starts_at, ends_at) in which nothing is to fire."""

    starts_at: Instant
    ends_at: Instant
    reason: Reason


@resource.post("/scheduler/stop", Permission.SCHEDULER_STOP)
def stop_scheduler(context: Context, body: StopScheduler, revision: str | None) -> Changed:
    """Let nothing fire until the scheduler is started; what is queued goes on."""
    act = context.act(reason=body.reason, revision=revision)
    return Changed(changed=windows.stop_scheduler(context.database, act))


@resource.post("/scheduler/start", Permission.SCHEDULER_STOP)
def start_scheduler(context: Context, body: Nothing, revision: str | None) -> Changed:
    """Let schedules fire again; what fell into the stop stays BLACKOUT."""
    act = context.act(revision=revision)
    return Changed(changed=windows.start_scheduler(context.database, act))


@resource.get("/windows")
def list_windows(context: Context) -> WindowList:
    """List the maintenance windows."""
    return WindowList(items=context.read(queries.list_windows, context.now))


@resource.post("/windows", Permission.WINDOW_EDIT, status=201)
def add_window(context: Context, body: AddWindow) -> WindowAdded:
    """Plan a maintenance window; the same one again adds nothing."""
    act, begin, end = context.act(reason=body.reason), body.starts_at, body.ends_at
    window_id = windows.add_window(context.database, act, starts_at=begin, ends_at=end)
    return WindowAdded(window_id=window_id)


@resource.post("/windows/<id:window>/end", Permission.WINDOW_EDIT)
def end_window(context: Context, window: Id, body: Nothing, revision: str | None) -> Changed:
    """End a window now, or call off one that is to come."""
    act = context.act(revision=revision)
    return Changed(changed=windows.end_window(context.database, act, window))
