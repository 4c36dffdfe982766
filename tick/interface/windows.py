"""Stopping the scheduler, and planning times in which nothing fires."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from tick.engine.ledger.windows import Recurrence
from tick.errors import InvalidCron, InvalidInput
from tick.interface.inputs import Body, Id, Instant, Name, Nothing, Reason, Text
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import windows
from tick.ops.queries import windows as queries
from tick.ops.schemas import Changed, Page, WindowAdded
from tick.states import AfterWindow

MOST_SECONDS = 366 * 86_400.0
resource = Resource("windows", "Times in which nothing fires; a stop is one without an end.")


class WindowList(Page[queries.MaintenanceWindow]):
    """The 100 windows that begin last, those to come first."""


class StopScheduler(Body):
    """Why nothing may fire."""

    reason: Reason = Field("no reason was given", description="whoever finds it quiet reads it")


class AddWindow(Body):
    """A time [starts_at, ends_at) in which nothing is to fire; with `cron`, times that recur."""

    starts_at: Instant | None = Field(None, description="null: from now on, where it recurs")
    ends_at: Instant | None = Field(
        None, description="null: until somebody ends it, where it recurs"
    )
    schedule_id: Name | None = Field(None, description="the one that is not to fire")
    label: Name | None = Field(None, description="or the label of those; with neither, all")
    weekly: Text | None = Field(
        None, description="its times of the week by the clock, such as `Sun 02:00-04:00`"
    )
    cron: Name | None = Field(None, description="when it begins, each time")
    timezone: Name | None = Field(None, description="of `weekly` or `cron`; null: UTC")
    length_seconds: float | None = Field(
        None, gt=0, le=MOST_SECONDS, description="how long it lasts each time"
    )
    then: Literal["skip", "run"] = Field(
        "skip", description="run: what is due in it fires after it, the newest for all"
    )
    reason: Reason

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.schedule_id is not None and self.label is not None:
            raise ValueError("it is for a schedule, for a label or for all: give one of them")
        if self.cron is not None and self.weekly is not None:
            raise ValueError("weekly and cron both say when it recurs: give one of them")
        if (self.cron is None) != (self.length_seconds is None):
            raise ValueError("cron says when it begins, length_seconds how long: give both")
        recurs = self.cron is not None or self.weekly is not None
        if not recurs and (self.starts_at is None or self.ends_at is None):
            raise ValueError("unless it recurs, starts_at and ends_at say from when to when")
        if not recurs and self.timezone is not None:
            raise ValueError("timezone is for what recurs: give weekly or cron as well")
        return self

    @property
    def recurs(self) -> Recurrence | None:
        """When it begins each time; None: it comes once. Raises InvalidCron."""
        if self.weekly is not None:
            return queries.weekly(self.weekly, self.timezone or "UTC")
        if self.cron is None or self.length_seconds is None:
            return None
        length = timedelta(seconds=self.length_seconds)
        return Recurrence(self.cron, self.timezone or "UTC", length)


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
    act = context.act(reason=body.reason)
    try:
        window_id = windows.add_window(
            context.database,
            act,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
            scope=queries.Scope(body.schedule_id, body.label),
            recurs=body.recurs,
            then=AfterWindow(body.then),
        )
    except InvalidCron as error:
        field = "weekly" if body.weekly is not None else "cron"
        raise InvalidInput([(f"body.{field}", str(error))]) from None
    return WindowAdded(window_id=window_id)


@resource.post("/windows/<id:window>/end", Permission.WINDOW_EDIT)
def end_window(context: Context, window: Id, body: Nothing, revision: str | None) -> Changed:
    """End a window now, recurring ones for good, or call off one that is to come."""
    act = context.act(revision=revision)
    return Changed(changed=windows.end_window(context.database, act, window))
