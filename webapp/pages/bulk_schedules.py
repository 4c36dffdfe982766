"""Switching, pausing or resuming several schedules, after a look at which they are, and back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from flask import Blueprint, abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.ops.actions import switches
from tick.ops.actions.act import Act
from tick.ops.queries import audit, schedules
from tick.text import counted
from webapp import messages, query
from webapp.forms import acting
from webapp.links import go_back
from webapp.pages.schedules import PAUSES
from webapp.services import now, reading, runtime

blueprint = Blueprint("bulk_schedules", __name__)
MOST = 100
TOLD = 3
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
    deed, ids = _deed(request.args.get("do", "")), request.args.getlist("schedule")[:MOST]
    with reading() as connection:
        names = schedules.schedule_names(connection)
    chosen = {schedule_id: names[schedule_id] for schedule_id in ids if schedule_id in names}
    return render_template("schedules/bulk.html", deed=deed, chosen=chosen, lengths=PAUSES)


@blueprint.post("/bulk/schedules")
def act() -> ResponseReturnValue:
    """Do it to each; what is refused is told, and does not stop the others."""
    deed, ids = _deed(request.form.get("do", "")), request.form.getlist("schedule")[:MOST]
    with acting() as act:
        done, refused = switches.do_to_each(ids, _action(deed, act))
        changed = any(result is True for result in done.values())
        undo = url_for("bulk_schedules.undo", request_id=g.request_id) if changed else None
        _tell(deed, len(done), list(refused.values()), undo)
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
        for deed in (deed for deed in ids if ids[deed]):
            done, refused = switches.do_to_each(ids[deed], _action(deed, act))
            _tell(deed, len(done), list(refused.values()))
        if not any(ids.values()):
            messages.tell_refusal("It is too late for that: too much was changed since.")
    return go_back(url_for("schedules.index"))


def _action(deed: str, act: Act) -> Callable[[str], object]:
    database = runtime().database
    if deed in SWITCHES_ON:
        # The reason in the form is for switching off and pausing.
        return partial(SWITCHES_ON[deed], database, replace(act, reason=None))
    if deed == "disable":
        return partial(switches.disable_schedule, database, act)
    hours = request.form.get("hours", "")
    until = now() + timedelta(hours=int(hours)) if hours and hours in PAUSES else None
    return partial(switches.pause_schedule, database, act, until=until)


def _tell(deed: str, done: int, refused: list[str], undo: str | None = None) -> None:
    if done:
        words = f"{counted(done, 'schedule')}: {DONE[deed]}."
        if undo:
            messages.tell_undoable(words, undo)
        else:
            messages.tell(words)
    if refused:
        rest = f" And {len(refused) - TOLD} more." if len(refused) > TOLD else ""
        messages.tell_refusal(" ".join(refused[:TOLD]) + rest)
    if not done and not refused:
        messages.tell_refusal("Nothing was chosen: tick some schedules first.")


def _deed(name: str) -> str:
    if name not in DONE:
        abort(400, "Choose what to do to the schedules: enable, disable, pause or resume.")
    return name
