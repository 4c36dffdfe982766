"""Many schedules at once, chosen by id or label: switched, paused, run, muted, and taken back."""

from typing import Self

from pydantic import Field, model_validator

from tick.define.alerts import NAMES
from tick.errors import InvalidInput
from tick.interface.inputs import Body, Id, Instant, Name, Nothing, OptionalReason, Reason
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import many_schedules
from tick.ops.actions.many_schedules import MOST_SCHEDULES, Chosen, SchedulesDone
from tick.ops.queries.nearest import choose_from

resource = Resource(
    "many schedules", "One act on many schedules, by id or label; one entry in the audit."
)


class Many(Body):
    """Which schedules: some by id, or all with a label."""

    schedule_ids: tuple[Name, ...] | None = Field(None, min_length=1, max_length=MOST_SCHEDULES)
    label: Name | None = None

    @model_validator(mode="after")
    def _is_a_choice(self) -> Self:
        if (self.schedule_ids is None) == (self.label is None):
            raise ValueError("say which schedules: either schedule_ids or label")
        return self

    @property
    def chosen(self) -> Chosen:
        """The schedules that it names."""
        return Chosen(self.schedule_ids or (), self.label)


class EnableMany(Many):
    """Which schedules go on, and how."""

    catch_up_latest: bool = Field(False, description="also fire their most recent instant, once")


class DisableMany(Many):
    """Which schedules are switched off."""

    reason: OptionalReason = None


class PauseMany(Many):
    """Which schedules are paused, why, and until when."""

    reason: Reason
    until: Instant | None = Field(None, description="when it ends by itself")


class FireMany(Many):
    """Which schedules run now, and how."""

    override_overlap: bool = Field(False, description="even while an occurrence is unfinished")
    reason: OptionalReason = None


class MuteMany(Many):
    """Of which schedules nothing is to be sent until an instant, within 30 days."""

    rule: Name | None = Field(None, description="only of this rule")
    until: Instant
    reason: Reason


@resource.post("/schedules/enable", Permission.SCHEDULE_EDIT)
def enable_schedules(context: Context, body: EnableMany) -> SchedulesDone:
    """Switch many schedules on; one that is refused stops no other."""
    act, latest = context.act(), body.catch_up_latest
    return many_schedules.enable_schedules(
        context.database, act, body.chosen, catch_up_latest=latest
    )


@resource.post("/schedules/disable", Permission.SCHEDULE_EDIT)
def disable_schedules(context: Context, body: DisableMany) -> SchedulesDone:
    """Switch many schedules off. What runs already goes on."""
    act = context.act(reason=body.reason)
    return many_schedules.disable_schedules(context.database, act, body.chosen)


@resource.post("/schedules/pause", Permission.SCHEDULE_EDIT)
def pause_schedules(context: Context, body: PauseMany) -> SchedulesDone:
    """Keep many schedules from firing, for a reason and perhaps for a time."""
    act = context.act(reason=body.reason)
    return many_schedules.pause_schedules(context.database, act, body.chosen, until=body.until)


@resource.post("/schedules/resume", Permission.SCHEDULE_EDIT)
def resume_schedules(context: Context, body: EnableMany) -> SchedulesDone:
    """End the pauses or errors of many schedules; one that is refused stops no other."""
    act, latest = context.act(), body.catch_up_latest
    return many_schedules.resume_schedules(
        context.database, act, body.chosen, catch_up_latest=latest
    )


@resource.post("/schedules/trigger", Permission.SCHEDULE_RUN, status=202)
def trigger_schedules(context: Context, body: FireMany, key: str | None) -> SchedulesDone:
    """Fire many schedules now, even while they are disabled. Their next instants stay."""
    act, force = context.act(reason=body.reason, key=key), body.override_overlap
    return many_schedules.run_schedules(context.database, act, body.chosen, override_overlap=force)


@resource.post("/schedules/mute", Permission.ALERT_MUTE)
def mute_schedules(context: Context, body: MuteMany) -> SchedulesDone:
    """Send no alert of many schedules until an instant."""
    if body.rule is not None and body.rule not in NAMES:
        raise InvalidInput([("body.rule", choose_from(body.rule, NAMES))])
    act = context.act(reason=body.reason)
    return many_schedules.mute_schedules(
        context.database, act, body.chosen, until=body.until, rule=body.rule
    )


@resource.post("/schedules/undo/<id:entry>", Permission.SCHEDULE_EDIT)
def undo_schedules(context: Context, entry: Id, body: Nothing) -> SchedulesDone:
    """Take back one act on many schedules, by the id of its entry in the audit.

    What somebody changed since is refused or left; what was started and runs is asked to stop.
    """
    return many_schedules.undo(context.database, context.act(), entry)
