"""Switching, pausing, running or muting many schedules after a preview, and undoing it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.errors import Refused
from tick.ops.actions import many_schedules
from tick.ops.actions.many_schedules import MOST_SCHEDULES, Chosen, SchedulesDone
from tick.ops.queries import schedules
from tick.text import counted
from webapp import messages, query
from webapp.access.permissions import may
from webapp.forms import acting, chosen_hours
from webapp.links import go_back
from webapp.pages.alerts import MUTES
from webapp.pages.bulk import first_of
from webapp.pages.schedules import PAUSES, pause_end
from webapp.services import now, read, runtime

blueprint = Blueprint("bulk_schedules", __name__)
DONE = {
    "enable": "on",
    "disable": "off",
    "pause": "paused",
    "resume": "going on",
    "run": "started",
    "mute": "muted",
}
SWITCHES = ("enable", "disable", "pause", "resume")
_ENDPOINTS = {"run": "bulk_schedules.run", "mute": "bulk_schedules.mute"}


@blueprint.get("/bulk/schedules")
@query.takes(
    {"do": query.one_of(DONE), "schedule": query.text_of, "all": query.text_of},
    lists=("schedule",),
)
def confirm() -> ResponseReturnValue:
    """Show to which schedules it would be done: those ticked, or all with a label."""
    action, label = _action(request.args.get("do", "")), query.text("all")
    if not may(_ENDPOINTS.get(action, "bulk_schedules.switch")):
        abort(403)
    if label:
        chosen = read(schedules.names_with_label, label, MOST_SCHEDULES)
    else:
        names = read(schedules.schedule_names)
        chosen = {id: names[id] for id in _ids(request.args.getlist("schedule")) if id in names}
    lengths = MUTES if action == "mute" else PAUSES
    return render_template(
        "schedules/bulk.html",
        action=action,
        endpoint=_ENDPOINTS.get(action, "bulk_schedules.switch"),
        chosen=chosen,
        lengths=lengths,
        label=label,
    )


@blueprint.post("/bulk/schedules")
def switch() -> ResponseReturnValue:
    """Switch, pause or resume all; a refusal is flashed and does not stop the others."""
    action = _action(request.form.get("do", ""), SWITCHES)
    with acting() as act:
        # The reason in the form is for switching off and pausing.
        silent = replace(act, reason=None)
        database, chosen = runtime().database, _chosen()
        if action == "enable":
            found = many_schedules.enable_schedules(database, silent, chosen)
        elif action == "resume":
            found = many_schedules.resume_schedules(database, silent, chosen)
        elif action == "disable":
            found = many_schedules.disable_schedules(database, act, chosen)
        else:
            found = many_schedules.pause_schedules(database, act, chosen, until=pause_end())
        _tell(found, DONE[action])
    return go_back(url_for("schedules.index"))


@blueprint.post("/bulk/schedules/run")
def run() -> ResponseReturnValue:
    """Run the jobs of all now, once, however often the button was pressed."""
    with acting() as act:
        _tell(many_schedules.run_schedules(runtime().database, act, _chosen()), DONE["run"])
    return go_back(url_for("schedules.index"))


@blueprint.post("/bulk/schedules/mute")
def mute() -> ResponseReturnValue:
    """Send no alert of them for a while."""
    with acting() as act:
        until = now() + timedelta(hours=chosen_hours(MUTES))
        found = many_schedules.mute_schedules(runtime().database, act, _chosen(), until=until)
        _tell(found, DONE["mute"])
    return go_back(url_for("schedules.index"))


@blueprint.post("/bulk/schedules/undo/<id:entry_id>")
def undo(entry_id: int) -> ResponseReturnValue:
    """Take back what one act changed, and nothing that was so before."""
    with acting() as act:
        found = many_schedules.undo(runtime().database, act, entry_id)
        _tell(found.model_copy(update={"entry_id": None, "unchanged": ()}), "as before")
    return go_back(url_for("schedules.index"))


def _chosen() -> Chosen:
    """Return the schedules that the preview showed. Raises Refused for none."""
    if not (ids := _ids(request.form.getlist("schedule"))):
        raise Refused("Nothing was chosen: tick some schedules first.")
    return Chosen(ids)


def _tell(found: SchedulesDone, words: str) -> None:
    if number := len(found.done) + len(found.unchanged):
        undo = found.entry_id and url_for("bulk_schedules.undo", entry_id=found.entry_id)
        messages.flash_success(f"{counted(number, 'schedule')}: {words}.", undo=undo or None)
    if found.refused:
        messages.flash_error(first_of(found.refused.values()))


def _ids(given: list[str]) -> list[str]:
    return given[:MOST_SCHEDULES]


def _action(name: str, among: Collection[str] = DONE) -> str:
    if name not in among:
        abort(400, f"Choose what to do to the schedules: {', '.join(among)}.")
    return name
