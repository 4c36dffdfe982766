"""Schedules by hand: made, edited, deleted and restored. Those in code are edited there."""

from datetime import date
from typing import Annotated, Any

from pydantic import AliasChoices, Field, JsonValue

from tick.define.month_days import MONTH_DAYS
from tick.errors import InvalidInput
from tick.interface.inputs import Body, Instant, Name, OptionalReason, Query, Text
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.interface.schedules import find
from tick.ops.actions import custom_schedules, switches
from tick.ops.queries.schedules import Schedule
from tick.ops.schemas import Schema
from tick.states import DayRule, MissedPolicy, Mode, OverlapPolicy, ScheduleKind

resource = Resource("custom schedules", "Schedules by hand: made, edited, deleted and restored.")


def _also(name: str, other: str) -> Any:
    """A field that is told by its own name, and taken by the other as well."""
    return Field(None, validation_alias=AliasChoices(name, other), description=f"or `{other}`")


class LocalStep(Body):
    """A number of days, weeks or months of the local calendar, and the time of day."""

    days: int | None = None
    weeks: int | None = None
    months: int | None = None
    on: Text | int | None = Field(
        None, description=f"a weekday for weeks; a day for months, or {MONTH_DAYS}"
    )
    at: Text = Field("00:00", description="on the clock of `timezone`")


class ScheduleOptions(Body):
    """What can be said of a schedule; see `Schedule` in the definitions. null takes it away."""

    name: Text | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None
    enabled: bool | None = Field(None, description="switch it on or off as well")
    schedule_type: ScheduleKind | None = _also("schedule_type", "scheduleType")
    cron: Text | None = _also("cron", "cronExpression")
    every: float | LocalStep | None = Field(
        None, description="seconds between two instants, or a step of the local calendar"
    )
    interval_ms: int | None = _also("interval_ms", "intervalMs")
    anchor: date | Instant | None = Field(
        None, description="from which `every` is counted; of a local step it is a day"
    )
    at: Instant | None = _also("at", "runAt")
    timezone: Text | None = None
    mode: Mode | None = _also("mode", "executionMode")
    job: Name | None = _also("job", "jobName")
    job_group: Name | None = _also("job_group", "jobGroup")
    jobs: tuple[Name, ...] | None = _also("jobs", "jobNames")
    with_dependencies: bool | None = None
    params: dict[str, JsonValue] | None = _also("params", "jobParameters")
    missed: MissedPolicy | None = None
    grace: float | None = None
    max_catch_up_age: float | None = None
    max_catch_up_runs: int | None = None
    overlap: OverlapPolicy | None = None
    max_concurrent: int | None = _also("max_concurrent", "maxConcurrent")
    deadline: float | None = Field(
        None, description="seconds after which a firing has to have ended"
    )
    timeout: float | None = Field(
        None, description="seconds of each run, in place of its job's timeout"
    )
    retries: int | None = _also("retries", "maxRetries")
    priority: int | None = None
    pause_after: int | None = Field(
        None, description="failed firings in a row, after which it is PAUSED"
    )
    calendar: Name | None = None
    day_rule: DayRule | None = None
    labels: tuple[Name, ...] | None = None
    dst_gap: Text | None = None
    dst_fold: Text | None = None
    dialect: Text | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    max_runs: int | None = None
    jitter: float | None = None
    environments: tuple[Name, ...] | dict[str, dict[str, JsonValue]] | None = Field(
        None,
        description="where it exists: names, or from each name to the options that differ there, "
        "as they are stored",
    )

    def written(self) -> dict[str, Any]:
        """The options that were given, as they are stored."""
        given = self.model_dump(exclude_unset=True)
        for name in ("id", "enabled", "schedule_type"):
            given.pop(name, None)
        self._expect_type()
        if (milliseconds := given.pop("interval_ms", None)) is not None:
            given["every"] = milliseconds / 1000
        return {name: _plain(value) for name, value in given.items()}

    def _expect_type(self) -> None:
        """Raise InvalidInput if a type was given that the rest contradicts."""
        given = {
            ScheduleKind.CRON: self.cron,
            ScheduleKind.INTERVAL: self.every if self.interval_ms is None else self.interval_ms,
            ScheduleKind.ONCE: self.at,
        }
        if self.schedule_type is not None and given[self.schedule_type] is None:
            why = f"is {self.schedule_type}, and {_SAYS_WHEN[self.schedule_type]} is not given"
            raise InvalidInput([("body.schedule_type", why)])


_SAYS_WHEN = {
    ScheduleKind.CRON: "cron",
    ScheduleKind.INTERVAL: "every (or intervalMs)",
    ScheduleKind.ONCE: "at (or runAt)",
}


class NewSchedule(ScheduleOptions):
    """A schedule to make: at least its name, and when it fires."""

    id: Name | None = Field(None, description="default: made from its name")
    name: Text
    enabled: bool = Field(False, description="true: it first fires at its first instant after now")


class DeletedSchedule(Schema):
    """A schedule that was deleted; what it fired is kept."""

    id: str
    restore: str = Field(description="where to POST to bring it back")


class WhyDeleted(Query):
    """Why a schedule is deleted."""

    reason: OptionalReason = None


@resource.post("/schedules", Permission.SCHEDULE_EDIT, status=201)
def create_schedule(context: Context, body: NewSchedule, key: str | None) -> Schedule:
    """Make a schedule. It runs jobs that exist in code, and arrives disabled unless told."""
    schedule_id = custom_schedules.create_schedule(
        context.database,
        context.act(key=key),
        context.registry,
        body.written(),
        schedule_id=body.id,
        enabled=body.enabled,
    )
    return find(context, schedule_id)


@resource.put("/schedules/<schedule_id>", Permission.SCHEDULE_EDIT)
def update_schedule(
    context: Context, schedule_id: str, body: ScheduleOptions, revision: str | None
) -> Schedule:
    """Edit a schedule that was made by hand: what is given changes, the rest stays.

    One that lives in code takes `enabled` alone.
    """
    act, written = context.act(revision=revision), body.written()
    if not written and body.enabled is not None:
        switch = switches.enable_schedule if body.enabled else switches.disable_schedule
        switch(context.database, act, schedule_id)
    else:
        custom_schedules.edit_schedule(
            context.database, act, schedule_id, context.registry, written, enabled=body.enabled
        )
    return find(context, schedule_id)


@resource.delete("/schedules/<schedule_id>", Permission.SCHEDULE_EDIT)
def delete_schedule(
    context: Context, schedule_id: str, query: WhyDeleted, revision: str | None
) -> DeletedSchedule:
    """Delete a schedule that was made by hand. What it fired is kept, and it can be restored."""
    act = context.act(reason=query.reason, revision=revision)
    custom_schedules.delete_schedule(context.database, act, schedule_id, context.registry)
    return DeletedSchedule(
        id=schedule_id, restore=f"{context.root}/schedules/{schedule_id}/restore"
    )


@resource.post("/schedules/<schedule_id>/restore", Permission.SCHEDULE_EDIT)
def restore_schedule(context: Context, schedule_id: str) -> Schedule:
    """Bring back a schedule that was deleted, switched off."""
    act = context.act()
    custom_schedules.restore_schedule(context.database, act, schedule_id, context.registry)
    return find(context, schedule_id)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
