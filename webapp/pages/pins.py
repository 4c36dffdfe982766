"""Pinning a schedule to an earlier version of its definition, and ending that."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from tick.ops.actions import pins
from tick.ops.queries import schedules, versions
from tick.ops.reports.upcoming import next_by_rule
from webapp import messages
from webapp.forms import acting
from webapp.links import go_back
from webapp.services import now, reading, runtime

blueprint = Blueprint("pins", __name__)
PREVIEWED = 3


@blueprint.get("/schedules/<schedule_id>/versions/<id:number>/pin")
def confirm(schedule_id: str, number: int) -> ResponseReturnValue:
    """Show what it goes by then, and ask why."""
    with reading() as connection:
        schedule = schedules.find_schedule(connection, schedule_id)
        version = versions.find_version(connection, schedule_id, number)
    upcoming = next_by_rule(version.rule, now(), PREVIEWED, (), fired=schedule.run_count)
    return render_template(
        "schedules/pin.html", schedule=schedule, version=version, upcoming=upcoming
    )


@blueprint.post("/schedules/<schedule_id>/versions/<id:number>/pin")
def pin(schedule_id: str, number: int) -> ResponseReturnValue:
    """Let it go by that version until its definition changes."""
    with acting() as act:
        pins.pin_schedule(runtime().database, act, schedule_id, runtime().registry, number)
        messages.flash_success(
            f"{schedule_id} is pinned to version {number}.",
            undo=url_for("pins.unpin", schedule_id=schedule_id),
        )
    return go_back(url_for("schedules.show", schedule_id=schedule_id))


@blueprint.post("/schedules/<schedule_id>/unpin")
def unpin(schedule_id: str) -> ResponseReturnValue:
    """Let it go by its definition again."""
    with acting() as act:
        pins.unpin_schedule(runtime().database, act, schedule_id, runtime().registry)
        messages.flash_success(f"{schedule_id} goes by its definition again.")
    return go_back(url_for("schedules.show", schedule_id=schedule_id))
