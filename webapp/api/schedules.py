"""Schedules: when what fires, why it did or did not; switching, pausing and firing them."""

from typing import NoReturn

from flask import abort
from pydantic import Field

from tick.errors import Refused
from tick.ops.actions import backfill, clock_ahead, control
from tick.ops.queries import schedules
from tick.ops.reports import composed, why
from tick.ops.schemas.work import (
    BackfillPlan,
    Schedule,
    ScheduleWithInstants,
    SlotsStarted,
    Started,
    Why,
)
from webapp import problem
from webapp.api import caller
from webapp.api.models import (
    Body,
    Instant,
    Name,
    Nothing,
    OptionalReason,
    Page,
    Query,
    Reason,
    continued,
)
from webapp.api.occurrences import (
    OccurrencePage,
    OccurrenceQuery,
    page_of,
    started,
)
from webapp.api.operations import Resource
from webapp.services import now, reading, runtime

resource = Resource("schedules", "Schedules live in code; here they are read, switched and fired.")
_IN_CODE = (
    "Schedules live in code, so that every change of one is reviewed and deployed with the jobs "
    "that it runs. {} in the definitions package, deploy, and `tick sync`."
)


class SchedulePage(Page[Schedule]):
    """Schedules by id."""


class WhyQuery(Query):
    """About which instant."""

    at: Instant


class TimeQuery(Query):
    """Which time."""

    since: Instant
    until: Instant | None = Field(None, description="default: now")


class ScheduleQuery(Query):
    """Which schedules."""

    after: Name | None = Field(None, description="only those after this id: use `next`")


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


class Fire(Body):
    """How to fire a schedule now."""

    override_overlap: bool = Field(False, description="even while an occurrence is unfinished")
    reason: OptionalReason = None


class Slots(Body):
    """Instants to run that did not fire."""

    scheduled_for: tuple[Instant, ...] = Field(min_length=1, max_length=1000)


@resource.get("/schedules")
def list_schedules(query: ScheduleQuery) -> SchedulePage:
    """List the schedules."""
    with reading() as connection:
        page = schedules.list_schedules(connection, after=query.after)
    return SchedulePage.model_validate({"items": page.rows, "next": continued(after=page.after)})


@resource.post("/schedules")
def create_schedule() -> NoReturn:
    """Refused: schedules live in code. The answer says what to do instead."""
    raise Refused(_IN_CODE.format("Add a `Schedule(id=…, name=…, cron=…)`"))


@resource.get("/schedules/<schedule_id>")
def read_schedule(schedule_id: str) -> ScheduleWithInstants:
    """Read a schedule and its next instants."""
    with reading() as connection:
        return composed.read_schedule(connection, schedule_id, now())


@resource.put("/schedules/<schedule_id>")
def update_schedule(schedule_id: str) -> NoReturn:
    """Refused: schedules live in code. The answer says what to do instead."""
    _find(schedule_id)
    raise Refused(_IN_CODE.format(f"Edit `Schedule(id={schedule_id!r}, …)`"))


@resource.delete("/schedules/<schedule_id>")
def delete_schedule(schedule_id: str) -> NoReturn:
    """Refused: schedules live in code. The answer says what to do instead."""
    _find(schedule_id)
    advice = (
        f"Disable it to stop it at once; to remove it, delete `Schedule(id={schedule_id!r}, …)`"
    )
    raise Refused(_IN_CODE.format(advice))


@resource.post("/schedules/<schedule_id>/enable")
def enable_schedule(schedule_id: str, body: Enable, match: str | None) -> Schedule:
    """Switch a schedule on. It next fires at its first instant after now."""
    control.enable_schedule(
        runtime().database,
        schedule_id,
        now=now(),
        author=caller.author(),
        catch_up_latest=body.catch_up_latest,
        expected=match,
    )
    return _find(schedule_id)


@resource.post("/schedules/<schedule_id>/disable")
def disable_schedule(schedule_id: str, body: Disable, match: str | None) -> Schedule:
    """Switch a schedule off. What runs already goes on."""
    control.disable_schedule(
        runtime().database,
        schedule_id,
        now=now(),
        author=caller.author(),
        reason=body.reason,
        expected=match,
    )
    return _find(schedule_id)


@resource.post("/schedules/<schedule_id>/pause")
def pause_schedule(schedule_id: str, body: Pause, match: str | None) -> Schedule:
    """Keep a schedule from firing, for a reason and perhaps for a time."""
    control.pause_schedule(
        runtime().database,
        schedule_id,
        now=now(),
        author=caller.author(),
        reason=body.reason,
        until=body.until,
        expected=match,
    )
    return _find(schedule_id)


@resource.post("/schedules/<schedule_id>/resume")
def resume_schedule(schedule_id: str, body: Resume, match: str | None) -> Schedule:
    """End a pause or an error. The schedule goes on at its first instant after now."""
    control.resume_schedule(
        runtime().database,
        schedule_id,
        now=now(),
        author=caller.author(),
        catch_up_latest=body.catch_up_latest,
        run=body.run,
        expected=match,
    )
    return _find(schedule_id)


@resource.post("/schedules/<schedule_id>/resume-from-now")
def resume_schedule_from_now(schedule_id: str, body: Nothing, match: str | None) -> Schedule:
    """Let a schedule that a clock ahead has put into the future go on after now."""
    clock_ahead.resume_from_now(
        runtime().database, schedule_id, now=now(), author=caller.author(), expected=match
    )
    return _find(schedule_id)


@resource.post("/schedules/<schedule_id>/trigger", status=202)
def trigger_schedule(schedule_id: str, body: Fire, key: str | None) -> Started:
    """Fire a schedule now, even while it is disabled. Its next instant stays where it is."""
    occurrence_id = control.run_schedule(
        runtime().database,
        schedule_id,
        now=now(),
        author=caller.author(),
        key=key,
        reason=body.reason,
        override_overlap=body.override_overlap,
    )
    return started(occurrence_id)


@resource.post("/schedules/<schedule_id>/slots", status=202)
def run_slots(schedule_id: str, body: Slots) -> SlotsStarted:
    """Run instants that did not fire (MISSED, SUPPRESSED …) as the instants that they are."""
    ids = control.run_slots(
        runtime().database, schedule_id, body.scheduled_for, now=now(), author=caller.author()
    )
    return SlotsStarted(occurrence_ids=tuple(ids))


@resource.get("/schedules/<schedule_id>/backfill")
def plan_backfill(schedule_id: str, query: TimeQuery) -> BackfillPlan:
    """List the instants of a time that did not fire, to be sent to `slots`."""
    try:
        plan = backfill.plan_backfill(
            runtime().database, schedule_id, query.since, query.until or now(), now=now()
        )
    except Refused as refusal:
        mistake = problem.Mistake(where="query.since", problem=str(refusal))
        abort(problem.answer(422, mistakes=[mistake]))
    return BackfillPlan.model_validate(plan)


@resource.get("/schedules/<schedule_id>/history")
def read_history(schedule_id: str, query: OccurrenceQuery) -> OccurrencePage:
    """List a schedule's occurrences, newest first."""
    _find(schedule_id)
    return page_of(schedule_id, query)


@resource.get("/schedules/<schedule_id>/why")
def explain(schedule_id: str, query: WhyQuery) -> Why:
    """Say why a schedule fired at an instant, or why it did not."""
    with reading() as connection:
        return Why.model_validate(why.explain(connection, schedule_id, query.at, now()))


def _find(schedule_id: str) -> Schedule:
    with reading() as connection:
        return Schedule.model_validate(schedules.get_schedule(connection, schedule_id))
