"""Schedules: when what fires, why it did or did not; switching, pausing and firing them."""

from typing import Literal

from pydantic import Field

from tick.errors import InvalidInput, Refused
from tick.interface.inputs import (
    Body,
    Id,
    Instant,
    Name,
    Nothing,
    OptionalReason,
    Query,
    Reason,
    continued_at,
)
from tick.interface.occurrences import OccurrenceQuery, chosen_by, started
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.interface.stats import PeriodQuery
from tick.ops.actions import backfill, clock_ahead, pins, run_now, switches
from tick.ops.actions.backfill import BackfillPlan
from tick.ops.queries.history_logs import HistoryPage, list_history
from tick.ops.queries.schedules import Schedule, SchedulePage, find_schedule
from tick.ops.queries.versions import MOST_VERSIONS, VersionPage, list_version_page
from tick.ops.reports import upcoming, why
from tick.ops.reports.schedule_items import list_items, read_item
from tick.ops.reports.statistics import StatisticsOfSchedule, of_schedule
from tick.ops.reports.upcoming import ScheduleWithInstants
from tick.ops.reports.why import Why
from tick.ops.schemas import SlotsStarted, Started

resource = Resource(
    "schedules",
    "Schedules, wherever they are defined: read, switched and fired.",
)


class WhyQuery(Query):
    """About which instant."""

    at: Instant


class TimeQuery(Query):
    """Which time."""

    since: Instant
    until: Instant | None = Field(None, description="default: now")


class HistoryQuery(OccurrenceQuery):
    """Which occurrences of a schedule, and whether with their logs."""

    include: Literal["logs"] | None = Field(
        None, description="also the errors and milestones that their runs logged"
    )


class VersionQuery(Query):
    """Which versions."""

    before: Id | None = Field(None, description="only those with a lower number: use `next`")
    limit: int = Field(MOST_VERSIONS, ge=1, le=100, description="at most so many")


class ScheduleQuery(Query):
    """Which schedules."""

    after: Name | None = Field(None, description="only those after this id: use `next`")
    label: Name | None = Field(None, description="only those with this label")


class Enable(Body):
    """How to switch a schedule on."""

    catch_up_latest: bool = Field(False, description="also fire its most recent instant, once")


class Resume(Enable):
    """How a schedule goes on."""

    run: tuple[Instant, ...] = Field(
        (), max_length=100, description="instants that passed meanwhile, to run as themselves"
    )


class Disable(Body):
    """How to switch a schedule off."""

    reason: OptionalReason = None


class Pause(Body):
    """Why a schedule is paused, and until when."""

    reason: Reason
    until: Instant | None = Field(None, description="when it ends by itself")


class PinToVersion(Body):
    """Which version a schedule goes by until its definition changes, and why."""

    version: Id
    reason: Reason


class Unpin(Body):
    """Why a schedule goes by its definition again."""

    reason: OptionalReason = None


class Fire(Body):
    """How to fire a schedule now."""

    override_overlap: bool = Field(False, description="even while an occurrence is unfinished")
    reason: OptionalReason = None


class Slots(Body):
    """Instants to run that did not fire."""

    # All are written in one transaction.
    scheduled_for: tuple[Instant, ...] = Field(min_length=1, max_length=1000)


@resource.get("/schedules")
def list_schedules(context: Context, query: ScheduleQuery) -> SchedulePage:
    """List the schedules."""
    page = context.read(list_items, context.now, after=query.after, label=query.label)
    return continued_at(page, "after")


@resource.get("/schedules/<schedule_id>")
def read_schedule(context: Context, schedule_id: str) -> ScheduleWithInstants:
    """Read a schedule and its next instants."""
    return context.read(upcoming.read_schedule, schedule_id, context.now)


@resource.post("/schedules/<schedule_id>/enable", Permission.SCHEDULE_EDIT)
def enable_schedule(
    context: Context, schedule_id: str, body: Enable, revision: str | None
) -> Schedule:
    """Switch a schedule on. It next fires at its first instant after now."""
    act, latest = context.act(revision=revision), body.catch_up_latest
    switches.enable_schedule(context.database, act, schedule_id, catch_up_latest=latest)
    return find(context, schedule_id)


@resource.post("/schedules/<schedule_id>/disable", Permission.SCHEDULE_EDIT)
def disable_schedule(
    context: Context, schedule_id: str, body: Disable, revision: str | None
) -> Schedule:
    """Switch a schedule off. What runs already goes on."""
    act = context.act(reason=body.reason, revision=revision)
    switches.disable_schedule(context.database, act, schedule_id)
    return find(context, schedule_id)


@resource.post("/schedules/<schedule_id>/pause", Permission.SCHEDULE_EDIT)
def pause_schedule(
    context: Context, schedule_id: str, body: Pause, revision: str | None
) -> Schedule:
    """Keep a schedule from firing, for a reason and perhaps for a time."""
    act = context.act(reason=body.reason, revision=revision)
    switches.pause_schedule(context.database, act, schedule_id, until=body.until)
    return find(context, schedule_id)


@resource.post("/schedules/<schedule_id>/resume", Permission.SCHEDULE_EDIT)
def resume_schedule(
    context: Context, schedule_id: str, body: Resume, revision: str | None
) -> Schedule:
    """End a pause or an error. The schedule goes on at its first instant after now."""
    act, latest = context.act(revision=revision), body.catch_up_latest
    switches.resume_schedule(
        context.database, act, schedule_id, catch_up_latest=latest, run=body.run
    )
    return find(context, schedule_id)


@resource.post("/schedules/<schedule_id>/resume-from-now", Permission.SCHEDULE_EDIT)
def resume_schedule_from_now(
    context: Context, schedule_id: str, body: Nothing, revision: str | None
) -> Schedule:
    """Let a schedule that a clock ahead has put into the future go on after now."""
    clock_ahead.resume_from_now(context.database, context.act(revision=revision), schedule_id)
    return find(context, schedule_id)


@resource.post("/schedules/<schedule_id>/trigger", Permission.SCHEDULE_RUN, status=202)
def trigger_schedule(context: Context, schedule_id: str, body: Fire, key: str | None) -> Started:
    """Fire a schedule now, even while it is disabled. Its next instant stays where it is."""
    act, force = context.act(reason=body.reason, key=key), body.override_overlap
    made = run_now.run_schedule(context.database, act, schedule_id, override_overlap=force)
    return started(context, made)


@resource.post("/schedules/<schedule_id>/slots", Permission.SCHEDULE_RUN, status=202)
def run_slots(context: Context, schedule_id: str, body: Slots) -> SlotsStarted:
    """Run instants that did not fire (MISSED, SUPPRESSED …) as the instants that they are."""
    ids = run_now.run_slots(context.database, context.act(), schedule_id, body.scheduled_for)
    return SlotsStarted(occurrence_ids=tuple(ids))


@resource.get("/schedules/<schedule_id>/backfill")
def plan_backfill(context: Context, schedule_id: str, query: TimeQuery) -> BackfillPlan:
    """List the instants of a time that did not fire, to be sent to `slots`."""
    try:
        return backfill.plan_backfill(
            context.database, schedule_id, query.since, query.until or context.now, now=context.now
        )
    except Refused as refusal:
        # A question changes nothing that could stand against it: the time that it names is wrong.
        raise InvalidInput([("query.since", str(refusal))]) from None


@resource.get("/schedules/<schedule_id>/history")
def read_history(context: Context, schedule_id: str, query: HistoryQuery) -> HistoryPage:
    """List a schedule's occurrences, newest first."""
    _expect(context, schedule_id)
    page = context.read(
        list_history, schedule_id, with_logs=query.include == "logs", **chosen_by(query)
    )
    return continued_at(page, "before")


@resource.get("/schedules/<schedule_id>/statistics")
def read_schedule_statistics(
    context: Context, schedule_id: str, query: PeriodQuery
) -> StatisticsOfSchedule:
    """Read how often a schedule's instants went well, on time, and in what time.

    Firings by hand do not count. Rates are parts of 1, lengths are seconds.
    """
    _expect(context, schedule_id)
    return of_schedule(
        context.database, context.now, schedule_id, window=query.window, timezone=query.timezone
    )


@resource.get("/schedules/<schedule_id>/versions")
def list_schedule_versions(context: Context, schedule_id: str, query: VersionQuery) -> VersionPage:
    """List the versions of a schedule's definition, newest first, and what each changed."""
    _expect(context, schedule_id)
    page = context.read(list_version_page, schedule_id, before=query.before, size=query.limit)
    return continued_at(page, "before")


@resource.post("/schedules/<schedule_id>/pin", Permission.SCHEDULE_EDIT)
def pin_schedule(
    context: Context, schedule_id: str, body: PinToVersion, revision: str | None
) -> Schedule:
    """Let a schedule go by an earlier version, until a deploy or an edit changes its definition."""
    act = context.act(reason=body.reason, revision=revision)
    pins.pin_schedule(context.database, act, schedule_id, context.registry, body.version)
    return find(context, schedule_id)


@resource.post("/schedules/<schedule_id>/unpin", Permission.SCHEDULE_EDIT)
def unpin_schedule(
    context: Context, schedule_id: str, body: Unpin, revision: str | None
) -> Schedule:
    """Let a schedule go by its definition again."""
    act = context.act(reason=body.reason, revision=revision)
    pins.unpin_schedule(context.database, act, schedule_id, context.registry)
    return find(context, schedule_id)


@resource.get("/schedules/<schedule_id>/why")
def explain(context: Context, schedule_id: str, query: WhyQuery) -> Why:
    """Say why a schedule fired at an instant, or why it did not."""
    return context.read(why.explain, schedule_id, query.at, context.now)


def _expect(context: Context, schedule_id: str) -> None:
    """Raise NotFound unless there is such a schedule."""
    # Of one that there is not, an empty history would look like one that never fired.
    context.read(find_schedule, schedule_id)


def find(context: Context, schedule_id: str) -> Schedule:
    """Return the schedule as it stands now. Raises NotFound."""
    # After an action in a transaction of its own: the answer shows what is stored.
    return context.read(read_item, schedule_id, context.now)
