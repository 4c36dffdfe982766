"""Backfills: spans of a schedule's past that ticks work off within limits."""

from typing import Self

from pydantic import Field, model_validator

from tick.interface.inputs import (
    Body,
    Id,
    Instant,
    Name,
    Nothing,
    OptionalReason,
    Query,
    continued_at,
)
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import backfill as actions
from tick.ops.actions.backfill import MOST_PARALLEL, BackfillSize
from tick.ops.queries.backfills import (
    Backfill,
    BackfillPage,
    get_backfill,
)
from tick.ops.queries.backfills import (
    list_backfills as list_page,
)
from tick.ops.schemas import Changed
from tick.states import BackfillOverlap

resource = Resource("backfills", "Spans of the past that ticks work off, a few instants at a time.")


class BackfillQuery(Query):
    """Which backfills."""

    schedule: Name | None = Field(None, description="those of this schedule alone")
    before: Id | None = Field(None, description="only those older than this id: use `next`")


class SpanQuery(Query):
    """Which time."""

    since: Instant
    until: Instant | None = Field(None, description="default: now")


class StartBackfill(Body):
    """Which time is to be filled, and within which limits."""

    since: Instant = Field(description="the first instant that may run")
    until: Instant | None = Field(None, description="the last one; default: now")
    overlap: BackfillOverlap = Field(
        BackfillOverlap.WAIT,
        strict=False,  # the command line sends its name
        description="WAIT: it makes way for the schedule's own firings; ALLOW: beside them",
    )
    max_parallel: int = Field(1, ge=1, le=MOST_PARALLEL, description="instants at one time")
    reason: OptionalReason = None

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise ValueError("until lies before since; write the later instant second")
        return self


@resource.get("/backfills")
def list_backfills(context: Context, query: BackfillQuery) -> BackfillPage:
    """List the backfills, the newest first, with how far each is."""
    page = context.read(list_page, context.now, schedule_id=query.schedule, before=query.before)
    return continued_at(page, "before")


@resource.get("/backfills/<id:backfill>")
def read_backfill(context: Context, backfill: Id) -> Backfill:
    """Read a backfill: what is done, under way and left, and when it may be over."""
    return context.read(get_backfill, backfill, context.now)


@resource.get("/schedules/<schedule_id>/backfills/size")
def size_backfill(context: Context, schedule_id: str, query: SpanQuery) -> BackfillSize:
    """Count the instants of a time that a backfill would run."""
    until = query.until or context.now
    return context.read(actions.size_backfill, schedule_id, query.since, until, now=context.now)


@resource.post("/schedules/<schedule_id>/backfills", Permission.SCHEDULE_RUN, status=201)
def start_backfill(
    context: Context, schedule_id: str, body: StartBackfill, key: str | None
) -> Backfill:
    """Let ticks run what a schedule left out in a time, by the definitions in force then."""
    number = actions.start_backfill(
        context.database,
        context.act(reason=body.reason, key=key),
        schedule_id,
        start=body.since,
        end=body.until or context.now,
        overlap=body.overlap,
        max_parallel=body.max_parallel,
    )
    return context.read(get_backfill, number, context.now)


@resource.post("/backfills/<id:backfill>/pause", Permission.SCHEDULE_RUN)
def pause_backfill(context: Context, backfill: Id, body: Nothing) -> Changed:
    """Queue nothing more of a backfill; what is queued goes on."""
    return Changed(changed=actions.pause_backfill(context.database, context.act(), backfill))


@resource.post("/backfills/<id:backfill>/resume", Permission.SCHEDULE_RUN)
def resume_backfill(context: Context, backfill: Id, body: Nothing) -> Changed:
    """Let a paused backfill go on where it stood."""
    return Changed(changed=actions.resume_backfill(context.database, context.act(), backfill))


@resource.post("/backfills/<id:backfill>/cancel", Permission.SCHEDULE_RUN)
def cancel_backfill(context: Context, backfill: Id, body: Nothing) -> Backfill:
    """End a backfill: what has not begun never runs, what runs goes on."""
    actions.cancel_backfill(context.database, context.act(), backfill)
    return context.read(get_backfill, backfill, context.now)
