"""Switching or pausing several schedules at once, after a look at which they are."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.errors import NotFound, Refused
from tick.ops import control
from tick.ops.control import Author
from tick.ops.queries import schedules
from webapp import messages, query
from webapp.forms import acting, reason
from webapp.links import go_back
from webapp.pages.schedules import PAUSES
from webapp.services import now, reading, runtime

blueprint = Blueprint("bulk_schedules", __name__)
MOST = 100
TOLD = 3
DONE = {"enable": "on", "disable": "off", "pause": "paused"}


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
    refused: list[str] = []
    with acting() as author:
        action = _action(deed, author)
        for schedule_id in ids:
            try:
                action(schedule_id)
            except (NotFound, Refused) as refusal:
                refused.append(str(refusal))
        _tell(deed, len(ids) - len(refused), refused)
    return go_back(url_for("schedules.index"))


def _action(deed: str, author: Author) -> Callable[[str], object]:
    database = runtime().database
    if deed == "enable":
        return partial(control.enable_schedule, database, now=now(), author=author)
    if deed == "disable":
        return partial(
            control.disable_schedule, database, now=now(), author=author, reason=reason()
        )
    hours = request.form.get("hours", "")
    until = now() + timedelta(hours=int(hours)) if hours and hours in PAUSES else None
    return partial(
        control.pause_schedule,
        database,
        now=now(),
        author=author,
        reason=reason() or "",
        until=until,
    )


def _tell(deed: str, done: int, refused: list[str]) -> None:
    if done:
        messages.tell(f"{done} schedule{'' if done == 1 else 's'}: {DONE[deed]}.")
    if refused:
        rest = f" And {len(refused) - TOLD} more." if len(refused) > TOLD else ""
        messages.tell_refusal(" ".join(refused[:TOLD]) + rest)
    if not done and not refused:
        messages.tell_refusal("Nothing was chosen: tick some schedules first.")


def _deed(name: str) -> str:
    if name not in DONE:
        abort(400, "Choose what to do to the schedules: enable, disable or pause.")
    return name
