"""The pages that stop and start the scheduler and plan maintenance windows."""

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.errors import Refused
from tick.ops.actions import windows
from webapp import messages
from webapp.forms import acting, perform
from webapp.links import go_back
from webapp.services import runtime

blueprint = Blueprint("windows", __name__)


@blueprint.get("/scheduler/stop")
def confirm_stop() -> ResponseReturnValue:
    """Ask why."""
    return render_template("windows/stop.html")


@blueprint.post("/scheduler/stop")
def stop() -> ResponseReturnValue:
    """Let nothing fire until somebody starts it."""
    done = "The scheduler is stopped: nothing fires."
    return perform(url_for("workers.index"), done, windows.stop_scheduler)


@blueprint.post("/scheduler/start")
def start() -> ResponseReturnValue:
    """Let schedules fire again."""
    done = "The scheduler goes on. What fell into the stop does not fire any more."
    return perform(url_for("workers.index"), done, windows.start_scheduler)


@blueprint.get("/windows/add")
def confirm_add() -> ResponseReturnValue:
    """Ask when and why."""
    return render_template("windows/add.html")


@blueprint.post("/windows/add")
def add() -> ResponseReturnValue:
    """Plan a time in which nothing fires."""
    with acting() as act:
        start, end = _instant("from"), _instant("to")
        windows.add_window(runtime().database, act, starts_at=start, ends_at=end)
        messages.flash_success("The maintenance window is planned.")
    return go_back(url_for("workers.index"))


@blueprint.post("/windows/<id:window_id>/end")
def end(window_id: int) -> ResponseReturnValue:
    """End a window now, or call it off."""
    done = "The window is over."
    return perform(url_for("workers.index"), done, windows.end_window, window_id)


def _instant(field: str) -> datetime:
    """Return a time of the form, as UTC. Raises Refused."""
    try:
        return datetime.fromisoformat(request.form.get(field, "")).replace(tzinfo=UTC)
    except ValueError:
        raise Refused("Say from when to when, such as 2026-03-29 02:00 (UTC).") from None
