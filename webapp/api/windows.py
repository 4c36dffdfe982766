"""Stopping the scheduler, and planning times in which nothing fires."""

from tick.ops.actions import windows
from tick.ops.queries import windows as queries
from tick.ops.schemas.system import WindowAdded
from tick.ops.schemas.work import Changed
from webapp.api import caller
from webapp.api.models import Body, Id, Instant, Nothing, Page, Reason
from webapp.api.operations import Resource
from webapp.services import now, reading, runtime

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


@resource.post("/scheduler/stop")
def stop_scheduler(body: StopScheduler, match: str | None) -> Changed:
    """Let nothing fire until the scheduler is started; what is queued goes on."""
    changed = windows.stop_scheduler(
        runtime().database,
        now=now(),
        author=caller.author(),
        reason=body.reason,
        expected=match,
    )
    return Changed(changed=changed)


@resource.post("/scheduler/start")
def start_scheduler(body: Nothing, match: str | None) -> Changed:
    """Let schedules fire again; what fell into the stop stays BLACKOUT."""
    changed = windows.start_scheduler(
        runtime().database, now=now(), author=caller.author(), expected=match
    )
    return Changed(changed=changed)


@resource.get("/windows")
def list_windows() -> WindowList:
    """List the maintenance windows."""
    with reading() as connection:
        found = queries.list_windows(connection, now())
    return WindowList(items=found)


@resource.post("/windows", status=201)
def add_window(body: AddWindow) -> WindowAdded:
    """Plan a maintenance window; the same one again adds nothing."""
    window_id = windows.add_window(
        runtime().database,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        reason=body.reason,
        now=now(),
        author=caller.author(),
    )
    return WindowAdded(window_id=window_id)


@resource.post("/windows/<id:window>/end")
def end_window(window: Id, body: Nothing, match: str | None) -> Changed:
    """End a window now, or call off one that is to come."""
    changed = windows.end_window(
        runtime().database, window, now=now(), author=caller.author(), expected=match
    )
    return Changed(changed=changed)
