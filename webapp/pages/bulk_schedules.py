"""Switching, pausing or resuming several schedules, after a look at which they are, and back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from flask import Blueprint, abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.ops.act import Act
from tick.ops.actions import switches
from tick.ops.queries import audit, schedules
from tick.text import counted
from webapp import messages, query
from webapp.forms import acting
from webapp.links import go_back
from webapp.pages.schedules import PAUSES
from webapp.services import now, reading, runtime

blueprint = Blueprint("bulk_schedules", __name__)
MOST = 100
REFUSALS_SHOWN = 3
DONE = {"enable": "on", "disable": "off", "pause": "paused", "resume": "going on"}
SWITCHES_ON: dict[str, Callable[..., object]] = {
    "enable": switches.enable_schedule,
    "resume": switches.resume_schedule,
}
BACK = {"schedule.enable": "disable", "schedule.disable": "enable"}


@blueprint.get("/bulk/schedules")
@query.takes({"do": query.one_of(DONE), "schedule": query.text_of}, lists=("schedule",))
def confirm() -> ResponseReturnValue:
    """Which schedules it would be done to."""
    action, ids = _action(request.args.get("do", "")), request.args.getlist("schedule")[:MOST]
    with reading() as connection:
        names = schedules.schedule_names(connection)
    chosen = {schedule_id: names[schedule_id] for schedule_id in ids if schedule_id in names}
    return render_template("schedules/bulk.html", action=action, chosen=chosen, lengths=PAUSES)


@blueprint.post("/bulk/schedules")
def act() -> ResponseReturnValue:
    """Do it to each; what is refused is told, and does not stop the others."""
    action, ids = _action(request.form.get("do", "")), request.form.getlist("schedule")[:MOST]
    with acting() as act:
        done, refused = switches.do_to_each(ids, _bound(action, act))
        changed = any(result is True for result in done.values())
        undo = url_for("bulk_schedules.undo", request_id=g.request_id) if changed else None
        _tell(action, len(done), list(refused.values()), undo)
    return go_back(url_for("schedules.index"))


@blueprint.post("/bulk/schedules/undo/<request_id>")
def undo(request_id: str) -> ResponseReturnValue:
    """Switch back what one request of this person has switched, and nothing that it left as it was.

    The audit knows which they are: the address of a hundred would be too long for a cookie.
    """
    with acting() as act:
        with reading() as connection:
            changes = audit.changes_of_request(connection, request_id, act.author.name)
        ids = {
            back: [change.subject for change in changes if change.action == action]
            for action, back in BACK.items()
        }
        for action in (action for action in ids if ids[action]):
            done, refused = switches.do_to_each(ids[action], _bound(action, act))
            _tell(action, len(done), list(refused.values()))
        if not any(ids.values()):
            messages.flash_error("It is too late for that: too much was changed since.")
    return go_back(url_for("schedules.index"))


def _bound(action: str, act: Act) -> Callable[[str], object]:
    database = runtime().database
    if action in SWITCHES_ON:
        # The reason in the form is for switching off and pausing.
        return partial(SWITCHES_ON[action], database, replace(act, reason=None))
    if action == "disable":
        return partial(switches.disable_schedule, database, act)
    hours = request.form.get("hours", "")
    until = now() + timedelta(hours=int(hours)) if hours and hours in PAUSES else None
    return partial(switches.pause_schedule, database, act, until=until)


def _tell(action: str, done: int, refused: list[str], undo: str | None = None) -> None:
    if done:
        words = f"{counted(done, 'schedule')}: {DONE[action]}."
        messages.flash_success(words, undo=undo)
    if refused:
        rest = (
            f" And {len(refused) - REFUSALS_SHOWN} more." if len(refused) > REFUSALS_SHOWN else ""
        )
        messages.flash_error(" ".join(refused[:REFUSALS_SHOWN]) + rest)
    if not done and not refused:
        messages.flash_error("Nothing was chosen: tick some schedules first.")


def _action(name: str) -> str:
    if name not in DONE:
        abort(400, "Choose what to do to the schedules: enable, disable, pause or resume.")
    return name
