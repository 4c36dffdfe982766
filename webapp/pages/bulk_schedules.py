"""Switching, pausing or resuming many schedules after a preview, and undoing it."""

from collections.abc import Callable
from dataclasses import replace
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
from webapp.pages.bulk import first_of
from webapp.pages.schedules import PAUSES, pause_end
from webapp.services import read, runtime

blueprint = Blueprint("bulk_schedules", __name__)
MOST = 100
DONE = {"enable": "on", "disable": "off", "pause": "paused", "resume": "going on"}
SWITCHES_ON: dict[str, Callable[..., object]] = {
    "enable": switches.enable_schedule,
    "resume": switches.resume_schedule,
}
BACK = {"schedule.enable": "disable", "schedule.disable": "enable"}


@blueprint.get("/bulk/schedules")
@query.takes({"do": query.one_of(DONE), "schedule": query.text_of}, lists=("schedule",))
def confirm() -> ResponseReturnValue:
    """Show which schedules it would be done to."""
    action, ids = _action(request.args.get("do", "")), request.args.getlist("schedule")[:MOST]
    names = read(schedules.schedule_names)
    chosen = {schedule_id: names[schedule_id] for schedule_id in ids if schedule_id in names}
    return render_template("schedules/bulk.html", action=action, chosen=chosen, lengths=PAUSES)


@blueprint.post("/bulk/schedules")
def act() -> ResponseReturnValue:
    """Do it to each; a refusal is flashed and does not stop the others."""
    action, ids = _action(request.form.get("do", "")), request.form.getlist("schedule")[:MOST]
    with acting() as act:
        done, refused = switches.do_to_each(ids, _bound(action, act))
        changed = any(result is True for result in done.values())
        undo = url_for("bulk_schedules.undo", request_id=g.request_id) if changed else None
        _tell(action, len(done), list(refused.values()), undo)
    return go_back(url_for("schedules.index"))


@blueprint.post("/bulk/schedules/undo/<request_id>")
def undo(request_id: str) -> ResponseReturnValue:
    """Switch back the schedules that one request of this person has switched, and no others."""
    with acting() as act:
        # The audit knows which: a link with a hundred ids would be too long for the cookie.
        changes = read(audit.changes_of_request, request_id, act.author.name)
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
    return partial(switches.pause_schedule, database, act, until=pause_end())


def _tell(action: str, done: int, refused: list[str], undo: str | None = None) -> None:
    if done:
        messages.flash_success(f"{counted(done, 'schedule')}: {DONE[action]}.", undo=undo)
    if refused:
        messages.flash_error(first_of(refused))
    if not done and not refused:
        messages.flash_error("Nothing was chosen: tick some schedules first.")


def _action(name: str) -> str:
    if name not in DONE:
        abort(400, "Choose what to do to the schedules: enable, disable, pause or resume.")
    return name
