"""Pinning a schedule to an earlier version of its definition, and ending that."""

from tick.define.registry import Registry
from tick.engine.schedules import pins
from tick.ops.act import Change, action
from tick.ops.actions.custom_schedules import schedule_writer
from tick.ops.queries.revisions import check_revision


@action("schedule.pin", check=check_revision)
def pin_schedule(change: Change, schedule_id: str, registry: Registry, number: int) -> None:
    """Let a schedule go by an earlier version, strictly after now, until its definition changes.

    Nobody's switch is flipped. Raises NotFound, Refused, Stale.
    """
    reason = change.act.required_reason(
        "A pin needs a reason: say why, for whoever wonders that the definition has no effect."
    )
    pins.pin(schedule_writer(change, registry), schedule_id, number, reason)


@action("schedule.unpin", check=check_revision)
def unpin_schedule(change: Change, schedule_id: str, registry: Registry) -> None:
    """Let a schedule go by its definition again, strictly after now.

    Raises NotFound, Refused, Stale.
    """
    pins.unpin(schedule_writer(change, registry), schedule_id)
